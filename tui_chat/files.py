"""Files that only their owner can read, from the start."""

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

from tui_chat.errors import ConfigError, StoreError
from tui_chat.text.sanitize import clean_line

PATIENCE: Final = 5.0
"""Seconds to wait for another process that holds a lock."""


def make(path: Path) -> None:
    """Create `path` as an empty file unless it exists, readable by its owner alone.

    Raises:
        OSError: it cannot be created, or is not a regular file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):  # reading a pipe would block for ever
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if mode & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Replace the content of a file in one step, readable by its owner alone.

    Raises:
        OSError: it cannot be written; the old one stays.
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


def write_new(path: Path, text: str) -> None:
    """Write text to a new file, readable by its owner alone.

    Raises:
        StoreError: the file exists, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        raise StoreError(f"{path} already exists", "Choose another name: files are never overwritten.") from None
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}", "Check the path.") from error


def unused_name(stem: str, suffix: str) -> str:
    """The name of no file: `stem` and `suffix`, with a number between if needed."""
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
    """Create `folder` and lock it, if the file system can; other processes that call this wait.

    Raises:
        OSError: it cannot be created, or another program held the lock for `patience` seconds.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.is_dir()]):
        missing.mkdir(mode=0o700, exist_ok=True)
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


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Lock the folder of a file while inside, so that nobody else changes the file between reading and writing.

    Raises:
        ConfigError: the folder cannot be locked, or an OSError is raised inside.
    """
    try:
        with locked(path.parent):
            yield
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}", "Check the folder.") from error


def is_locked(file: int | BinaryIO, kind: int = fcntl.LOCK_EX) -> bool | None:
    """Lock `file`; True if another process has the lock, None if the file system cannot lock."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
