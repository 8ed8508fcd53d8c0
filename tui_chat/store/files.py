"""A database's files, which are set aside rather than deleted.

SQLite gives the files that it puts beside a database the database's own permissions.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from tui_chat.files import unused_name

_MAGIC: Final = b"SQLite format 3\x00"
_PAGE: Final = 512
"""The smallest page: a database's size is a multiple of it."""
MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = (
    "9p", "beegfs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs",
    "virtiofs",
)  # fmt: skip


def looks_like_ours(path: Path) -> bool:
    """Whether a broken file may have been a database: it begins like one, or consists of pages."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC or path.stat().st_size % _PAGE == 0


def lost_its_head(path: Path) -> bool:
    """Whether the file is empty but its log is not: SQLite would throw the log away."""
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size == 0 and log.exists() and log.stat().st_size > 0


def free_name(path: Path, word: str) -> Path:
    """An unused name beside `path`, with `word` and the time in it."""
    stem = f"{path.name}.{word}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    return Path(unused_name(str(path.with_name(stem)), ""))


def set_aside(path: Path) -> Path:
    """Rename a database and the files beside it; returns the new name."""
    aside = free_name(path, "damaged")
    for end in ("-wal", "-shm", "-journal", ""):
        side = path.with_name(path.name + end)
        if side.exists():
            side.rename(aside.with_name(aside.name + end))
    return aside


def is_network(path: Path) -> bool:
    """Whether `path` is on a network file system, by `/proc/self/mountinfo` (proc(5))."""
    try:
        device = path.stat().st_dev
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = {mount.partition(" - ")[2].partition(" ")[0] for mount in mounts if number in mount.split(" ")[2:3]}
    return not kinds.isdisjoint(_NETWORK)
