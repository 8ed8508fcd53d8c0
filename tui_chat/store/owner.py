"""Which process writes a reply, and whether it still lives.

A process with an open database locks a file beside it. The kernel releases the lock when the process ends, visibly
to other containers and, over NFS, to other machines.
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
"""On file systems without locks: seconds without a checkpoint after which a process counts as gone."""
_NAME: Final = re.compile(r"[0-9a-f]{16}")


class Owner:
    """Identifies this process while it has a database open."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the database; None if it is in memory."""
        self.name = new_id()
        """Stored with the messages that it is writing."""
        self._path = path
        self._lock: BinaryIO | None = None
        if path is not None:
            with contextlib.suppress(OSError):
                make(_lock_of(path, self.name))
                self._lock = _lock_of(path, self.name).open("r+b")
                is_locked(self._lock)

    def lives(self, name: str | None, silent: float) -> bool:
        """Whether the process with this name lives; `silent`: seconds since it last wrote."""
        if name == self.name:
            return True
        if name is None or self._path is None or not _NAME.fullmatch(name):
            return False
        held = _is_held(_lock_of(self._path, name))
        return abs(silent) < SILENCE if held is None else held

    def close(self) -> None:
        """Release the lock: other processes see this one as gone."""
        if self._path is not None and self._lock is not None:
            with contextlib.suppress(OSError):
                _lock_of(self._path, self.name).unlink()
            self._lock.close()


def is_open(path: Path) -> bool:
    """Whether a process has the database at `path` open. Removes the lock files of dead processes."""
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
    """Whether a process has this file locked; None on file systems without locks."""
    try:
        with lock.open("r+b") as file:
            return is_locked(file, fcntl.LOCK_SH)
    except OSError:
        return False
