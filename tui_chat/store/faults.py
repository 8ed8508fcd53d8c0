"""SQLite's errors as messages for a person (codes: sqlite.org/rescode.html)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tui_chat.errors import StoreError
from tui_chat.text.sanitize import clean_line

MEMORY_HINT = "You can go on chatting, but nothing is saved until this is solved."


def code_of(error: sqlite3.Error) -> int:
    """The primary result code; 0 for errors of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is broken."""
    return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage(verdict: str) -> sqlite3.DatabaseError:
    """The error for damage that SQLite itself did not report."""
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def words_of(error: sqlite3.Error) -> str:
    """SQLite's message as a safe line: it can quote the file."""
    return clean_line(str(error), 200)


def locked(where: str) -> StoreError:
    """The error for a lock that another program holds."""
    return StoreError(
        "The chats are locked by another program.",
        f"Close other programs that use {where} (a backup, a database browser), then try again.",
    )


def explain(error: sqlite3.Error, path: Path | None) -> StoreError:
    """`error` as a message with a hint."""
    where = str(path) if path else "memory"
    code = code_of(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return locked(where)
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            "The disk is full: this was not saved.", f"Free some space for {where}; saving works again then."
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_WRITE:
        return StoreError(
            "The disk took no more: this was not saved.",
            f"Check the free space, the quota and `ulimit -f` for {where}; saving works again then.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return StoreError(
            f"Cannot save the chats ({words_of(error)}): {where}",
            f"Check the owner and permissions of the file and its folder. {MEMORY_HINT}",
        )
    if is_damage(error):
        return StoreError(
            f"The chat database is damaged: {where}",
            "Start tui-chat again: it keeps the damaged file and recovers the chats from it.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"Reading or writing the disk failed: {where}", f"{words_of(error)}. {MEMORY_HINT}")
    return StoreError(f"Reading or saving the chats failed: {words_of(error)}", MEMORY_HINT)
