"""Files for their owner's eyes only, from their first moment on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tui_chat.errors import StoreError
from tui_chat.text.sanitize import clean_line

PATIENCE: Final = 5.0
"""Seconds to wait for another process that holds a lock."""


def make(path: Path) -> None:
    """Create `path` empty if it is not there, and make it readable by its owner alone.

    Raises:
        OSError: it cannot be made, or something else is there.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):  # to read a pipe is to wait for ever
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if mode & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Write a file anew as a whole, readable by its owner alone.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # is 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def write_new(path: Path, text: str) -> None:
    """Write text to a file that is not there yet, for its owner alone to read.

    Raises:
        StoreError: there is such a file already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        raise StoreError(f"{path} already exists", "Name another file: nothing is overwritten.") from None
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}", "Check the path.") from error


def unused_name(stem: str, suffix: str) -> str:
    """A name for a new file in the working folder: `stem` and `suffix`, with a number between them if need be."""
    names = itertools.chain([f"{stem}{suffix}"], (f"{stem}-{number}{suffix}" for number in itertools.count(2)))
    return next(name for name in names if not os.path.lexists(name))


def working_folder() -> str:
    """The working folder as a line to show."""
    try:
        return clean_line(os.getcwd(), 200)
    except FileNotFoundError:
        return "a folder that was removed"


@contextlib.contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Make `folder`, and keep other processes that come here too waiting meanwhile, where the file system can.

    Raises:
        OSError: it cannot be made, or another program did not let it go for `patience` seconds.
    """
    _make_folder(folder)
    deadline = time.monotonic() + patience
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while is_locked(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another program keeps the folder locked", str(folder))
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def is_locked(file: int | BinaryIO, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Whether another process has a lock on `file`; else it is locked now. None where the file system cannot."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
