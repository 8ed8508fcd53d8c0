"""What can still be read of a damaged database, copied into a sound one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tui_chat.store import decode
from tui_chat.store.text import lenient
from tui_chat.text.fold import fold

_TABLES: Final = ("chats", "messages", "attachments", "settings")


def copy_readable(damaged: Path, target: sqlite3.Connection) -> tuple[int, bool]:
    """Copy the readable rows of the file `damaged`: how many chats there are now, and whether something was lost.

    Each table is read from its beginning and from its end, up to the damage.
    """
    lost = False
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN IMMEDIATE")
    try:
        with contextlib.closing(_reading(damaged)) as source:
            for table in _TABLES:
                lost |= not _copy(source, target, table)
        _make_whole(target)
        target.execute("COMMIT")
        chats = int(target.execute("SELECT count(*) FROM chats").fetchone()[0])
    finally:
        if target.in_transaction:
            target.execute("ROLLBACK")
        target.execute("PRAGMA foreign_keys = ON")
    return chats, lost


def _reading(damaged: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Without a log to read, SQLite is told not to make the files for one.

    Beside an empty file the log is not looked at either: SQLite would delete it.
    """
    alone = damaged.stat().st_size == 0 or not damaged.with_name(damaged.name + "-wal").exists()
    uri = damaged.absolute().as_uri() + ("?immutable=1" if alone else "?mode=ro")
    source = sqlite3.connect(uri, uri=True, isolation_level=None)
    source.text_factory = lenient
    source.execute("PRAGMA writable_schema = ON")  # nothing is written; one broken table does not hide the rest
    return source


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy one table, and say whether it was read to its end."""
    known = [column[1] for column in target.execute(f"PRAGMA table_info({table})")]
    try:
        there = {column[1] for column in source.execute(f"PRAGMA table_info({table})")}
    except sqlite3.DatabaseError:
        return False
    columns = [name for name in known if name in there and name != "indexed"]
    if not columns:
        return False
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"
    key = "key" if table == "settings" else "rowid"
    for direction in ("", " DESC"):
        rows = _Rows(source, f"SELECT {names} FROM {table} ORDER BY {key}{direction}")
        target.executemany(insert, rows)
        if rows.whole:
            return True
    return False


class _Rows:
    """The rows of a query up to the first that cannot be read."""

    def __init__(self, source: sqlite3.Connection, query: str) -> None:
        self._source = source
        self._query = query
        self.whole = False

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        with contextlib.suppress(sqlite3.DatabaseError):
            yield from self._source.execute(self._query)
            self.whole = True


def _make_whole(target: sqlite3.Connection) -> None:
    """Mend what points at lost rows, and count anew."""
    target.execute(
        """
        INSERT OR IGNORE INTO chats (id, created, updated, pinned, leaf, model, server, title, system)
        SELECT chat, min(created), max(created), 0, id, model, server, 'Recovered chat', ''
        FROM messages WHERE chat NOT IN (SELECT id FROM chats) GROUP BY chat
        """
    )
    target.execute("UPDATE messages SET parent = NULL WHERE parent NOT IN (SELECT id FROM messages)")
    target.execute("DELETE FROM attachments WHERE message NOT IN (SELECT id FROM messages)")
    target.execute(
        """
        UPDATE chats SET
            messages = (SELECT count(*) FROM messages WHERE chat = chats.id),
            size = (SELECT coalesce(sum(size), 0) FROM messages WHERE chat = chats.id),
            leaf = CASE WHEN leaf IN (SELECT id FROM messages WHERE chat = chats.id) THEN leaf
                ELSE (SELECT id FROM messages WHERE chat = chats.id ORDER BY seq DESC LIMIT 1) END
        """
    )
    titles = target.execute("SELECT id, title FROM chats").fetchall()
    target.executemany(
        "UPDATE chats SET folded = ? WHERE id = ?",
        [(fold(decode.text(title)), chat_id) for chat_id, title in titles],
    )
