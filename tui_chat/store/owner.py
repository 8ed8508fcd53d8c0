"""Which process writes a reply, and whether it still lives.

A process that has a database open keeps a file beside it locked. The kernel ends the lock with the process,
however it ends; other containers see that too, and over NFS other machines.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
from pathlib import Path
from typing import BinaryIO, Final

from tui_chat.files import is_locked, make
from tui_chat.messages import new_id

SILENCE: Final = 120.0
"""Seconds without a checkpoint after which a process counts as gone where the file system knows no locks."""
_NAME: Final = re.compile(r"[0-9a-f]{16}")


class Owner:
    """This process, as one that has a database open, until it is closed."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the database; None if it is in memory."""
        self.name = new_id()
        """What stands with the messages that it is writing."""
        self._path = path
        self._lock: BinaryIO | None = None
        if path is not None:
            with contextlib.suppress(OSError):
                make(_lock_of(path, self.name))
                self._lock = _lock_of(path, self.name).open("r+b")
                is_locked(self._lock)

    def lives(self, name: str | None, silent: float) -> bool:
        """Whether there is a process with this name that lives; `silent`: seconds since it last wrote."""
        if name == self.name:
            return True
        if name is None or self._path is None or not _NAME.fullmatch(name):
            return False
        held = _is_held(_lock_of(self._path, name))
        return abs(silent) < SILENCE if held is None else held

    def close(self) -> None:
        """Be known as gone."""
        if self._path is not None and self._lock is not None:
            with contextlib.suppress(OSError):
                _lock_of(self._path, self.name).unlink()
            self._lock.close()


def is_open(path: Path) -> bool:
    """Whether a process has the database at `path` open. The files of those that are gone are removed."""
    found = False
    for file in list(path.parent.iterdir()):
        if file.name.startswith(f"{path.name}-open"):
            if _is_held(file) is not False:
                found = True
                continue
            with contextlib.suppress(OSError):
                file.unlink()
    return found


def _lock_of(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}-open-{name}")


def _is_held(lock: Path) -> bool | None:
    """Whether a process has this file locked; None where the file system knows no locks."""
    try:
        with lock.open("r+b") as file:
            return is_locked(file, fcntl.LOCK_SH)
    except OSError:
        return False
