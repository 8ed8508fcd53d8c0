"""The rows of another file of ours, damaged or of an earlier version, in a sound one of today."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from tui_chat.parts import Blob, Image, attached
from tui_chat.store import faults, parts, schema
from tui_chat.store.database import lenient, transaction
from tui_chat.text.fold import fold

_SAME: Final = ("chats", "messages", "settings")
"""Tables that are what they were in versions 1 and 2, but for columns."""
_NEW: Final = ("parts", "blobs")
_BEFORE: Final = ("attachments", "messages", "chats", "settings", "grams")
"""The tables of versions 1 and 2, what points at others first."""
_WORDS: Final = (
    "SELECT seq, 0, 'thinking', CAST(thinking AS TEXT) FROM messages WHERE thinking <> ''",
    "SELECT seq, 1, 'text', CAST(text AS TEXT) FROM messages WHERE text <> ''",
)
_FILES: Final = """
    SELECT message, 2 + position, CAST(name AS TEXT), CAST(mime AS TEXT), CAST(data AS BLOB) FROM attachments
"""
_ADD_WORDS: Final = "INSERT OR IGNORE INTO parts (message, position, kind, text) VALUES (?, ?, ?, ?)"
_ADD_FILE: Final = """
    INSERT OR IGNORE INTO parts (message, position, kind, name, mime, blob, size)
    VALUES ((SELECT seq FROM messages WHERE id = ?), ?, ?, ?, ?, ?, ?)
"""


def migrate(copy: Path, target: sqlite3.Connection) -> None:
    """Make a file of today of one of an earlier version, of which `copy` is a sound copy: in a transaction.

    What is said is indexed anew later, behind the first screen.

    Raises:
        sqlite3.DatabaseError: the copy cannot be read to its end.
    """
    target.execute("PRAGMA defer_foreign_keys = ON")
    for table in _BEFORE:
        target.execute(f"DROP TABLE IF EXISTS {table}")
    schema.create(target)
    if _take_over(copy, target):
        raise faults.damage("an earlier version of the file cannot be read")


def rescue(damaged: Path, target: sqlite3.Connection) -> tuple[int, bool]:
    """Copy the readable rows of the file `damaged`: how many chats there are now, and whether something was lost.

    Each table is read from its beginning and from its end, up to the damage.
    """
    target.execute("PRAGMA foreign_keys = OFF")
    try:
        with transaction(target):
            lost = _take_over(damaged, target)
            (chats,) = target.execute("SELECT count(*) FROM chats").fetchone()
    finally:
        target.execute("PRAGMA foreign_keys = ON")
    return chats, lost


def _take_over(file: Path, target: sqlite3.Connection) -> bool:
    """Copy all that can be read of a file; whether something was lost."""
    with contextlib.closing(_reading(file)) as source:
        earlier = "text" in _columns(source, "messages")
        whole = [_copy(source, target, table) for table in (*_SAME, *(() if earlier else _NEW))]
        if earlier:
            whole += [_pour(source, words, partial(target.execute, _ADD_WORDS)) for words in _WORDS]
            whole.append(_pour(source, _FILES, partial(_add_file, target)))
    _make_whole(target)
    return not all(whole)


def _add_file(target: sqlite3.Connection, row: tuple[str, int, str, str, bytes]) -> None:
    message, position, name, mime, data = row
    blob = Blob.of(data)
    kind = "image" if isinstance(attached(name, mime, blob), Image) else "file"
    target.execute(_ADD_FILE, (message, position, kind, name, mime, blob.digest, blob.size))
    parts.keep(target, blob.digest, data)


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


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """The columns of a table and their types; none where it is not there, or its definition is broken."""
    with contextlib.suppress(sqlite3.DatabaseError):
        return {column[1]: column[2] for column in connection.execute(f"PRAGMA table_info({table})")}
    return {}


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy one table, and say whether it was read to its end."""
    there = _columns(source, table)
    columns = {name: type for name, type in _columns(target, table).items() if name in there and name != "indexed"}
    if not columns:
        return False
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    values = ", ".join(f"CAST({name} AS {type})" for name, type in columns.items())
    key = "key" if table == "settings" else "rowid"
    return _pour(source, f"SELECT {values} FROM {table}", partial(target.execute, insert), key)


def _pour(
    source: sqlite3.Connection, query: str, add: Callable[[tuple[Any, ...]], object], key: str = "rowid"
) -> bool:
    """Add what a query finds, and say whether it was read to its end."""
    for direction in ("", " DESC"):
        lost: list[sqlite3.DatabaseError] = []
        for row in _readable(source, f"{query} ORDER BY {key}{direction}", lost):
            add(row)
        if not lost:
            return True
    return False


def _readable(
    source: sqlite3.Connection, query: str, lost: list[sqlite3.DatabaseError]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query up to the first that cannot be read: why it cannot is added to `lost`."""
    try:
        yield from source.execute(query)
    except sqlite3.DatabaseError as error:
        lost.append(error)


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
    target.execute("DELETE FROM parts WHERE message NOT IN (SELECT seq FROM messages)")
    parts.sweep(target)
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
        [(fold(title), chat_id) for chat_id, title in titles],
    )
