"""The tables. A change of them is a new version, into which older files are copied.

The version is the database's `user_version`, written in the transaction that makes the tables.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.parts import Blob, Part, Text, Thinking, attached
from tui_chat.store import faults, parts
from tui_chat.text.fold import fold

lenient: Final = methodcaller("decode", "utf-8", "replace")
"""A connection's `text_factory` that reads any bytes. Twice as fast as `partial(str, …)`."""

APPLICATION_ID: Final = 0x74756963
"""Marks our files: "tuic"."""
VERSION: Final = 4
"""Versions 1 and 2 had text, thinking and attachments instead of parts; 3 had no parameters."""

_KIND: Final = """
    SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)
    FROM pragma_user_version, pragma_application_id
"""
_STRICT: Final = "STRICT" if sqlite3.sqlite_version_info >= (3, 37) else ""
"""Not supported by SQLite before 2021-11, as in RHEL 9."""

_TABLES: Final = (
    f"""
    CREATE TABLE chats (
        id TEXT NOT NULL PRIMARY KEY,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        pinned INTEGER NOT NULL,
        deleted REAL,
        messages INTEGER NOT NULL DEFAULT 0,
        size INTEGER NOT NULL DEFAULT 0,
        leaf TEXT,
        model TEXT NOT NULL,
        server TEXT NOT NULL,
        title TEXT NOT NULL,
        folded TEXT NOT NULL DEFAULT '',
        place_message TEXT,
        place_row INTEGER NOT NULL DEFAULT 0,
        system TEXT NOT NULL,
        parameters TEXT NOT NULL DEFAULT '',
        draft TEXT NOT NULL DEFAULT '',
        queue TEXT NOT NULL DEFAULT '[]'
    ) {_STRICT}
    """,
    "CREATE INDEX chats_listed ON chats (pinned DESC, updated DESC, id DESC) WHERE deleted IS NULL",
    f"""
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        parent TEXT REFERENCES messages (id),
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        finish TEXT NOT NULL,
        revision INTEGER NOT NULL,
        size INTEGER NOT NULL,
        indexed INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        touched REAL NOT NULL,
        created REAL NOT NULL,
        first_token REAL,
        seconds REAL,
        model TEXT NOT NULL,
        server TEXT NOT NULL,
        usage TEXT,
        error TEXT NOT NULL
    ) {_STRICT}
    """,
    "CREATE INDEX messages_of_chat ON messages (chat, revision)",
    "CREATE INDEX messages_below ON messages (parent)",
    "CREATE INDEX messages_streaming ON messages (owner) WHERE owner IS NOT NULL",
    "CREATE INDEX messages_unindexed ON messages (indexed) WHERE NOT indexed",
    f"""
    CREATE TABLE parts (
        message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        mime TEXT NOT NULL DEFAULT '',
        call TEXT NOT NULL DEFAULT '',
        blob TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0,
        text TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message, position)
    ) {_STRICT}
    """,
    "CREATE INDEX parts_with_blobs ON parts (blob) WHERE blob <> ''",
    f"CREATE TABLE blobs (digest TEXT NOT NULL PRIMARY KEY, data BLOB NOT NULL) {_STRICT}",
    f"CREATE TABLE settings (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) {_STRICT}",
    """
    CREATE VIRTUAL TABLE grams USING fts5 (pieces, content = '', detail = none, columnsize = 0, tokenize = 'ascii')
    """,
)


def create(connection: sqlite3.Connection) -> None:
    """Create the tables, in a transaction that holds the write lock."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 for an empty file.

    Raises:
        StoreError: the file is from a newer tui-chat or another program.
    """
    try:
        version, application, tables = connection.execute(_KIND).fetchone()
    except UnicodeDecodeError as error:  # SQLite quotes the broken table in bytes that are not UTF-8
        raise faults.damage("malformed database schema") from error
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            "The chat database belongs to another program.",
            "Move it away, or name another file.",
        )
    refuse_newer(connection)
    return int(version)


def refuse_newer(connection: sqlite3.Connection) -> None:
    """Raise a `StoreError` if the tables are from a newer tui-chat."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"The chats were saved by a newer tui-chat (format {version}; this one knows {VERSION}).",
            "Update tui-chat. The file was not changed; you can chat meanwhile, but nothing is saved.",
        )


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit at the end, or undo everything after an error.

    `kind`: IMMEDIATE takes the write lock at once; DEFERRED reads one state several times.
    """
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


_PARTS: Final[Sequence[tuple[str, Callable[..., Part]]]] = (
    ("SELECT id, 0, CAST(thinking AS TEXT) FROM messages WHERE thinking <> ''", Thinking),
    ("SELECT id, 1, CAST(text AS TEXT) FROM messages WHERE text <> ''", Text),
    (
        """
        SELECT message, 2 + position, CAST(name AS TEXT), CAST(mime AS TEXT), CAST(data AS BLOB) FROM attachments
        """,
        lambda name, mime, data: attached(name, mime, Blob.of(data)),
    ),
)
"""Queries for the parts of earlier versions (message, position, values), and their types."""


def migrate(copy: Path, target: sqlite3.Connection) -> None:
    """Migrate a file of an earlier version, of which `copy` is a sound copy, in a transaction.

    The search index is rebuilt later, in the background.

    Raises:
        sqlite3.DatabaseError: the copy cannot be read to its end.
    """
    target.execute("PRAGMA defer_foreign_keys = ON")
    # What points at others first.
    for table in ("attachments", "parts", "blobs", "messages", "chats", "settings", "grams"):
        target.execute(f"DROP TABLE IF EXISTS {table}")
    create(target)
    if _take_over(copy, target):
        raise faults.damage("an earlier version of the file cannot be read")


def rescue(damaged: Path, target: sqlite3.Connection) -> tuple[int, bool]:
    """Copy the readable rows of the file `damaged`; returns the number of chats, and whether rows were lost.

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
    """Copy all readable rows of a file; returns whether rows were lost."""
    with contextlib.closing(_reading(file)) as source:
        earlier = "text" in _columns(source, "messages")
        tables = ("chats", "messages", "settings", *(() if earlier else ("parts", "blobs")))
        whole = [_copy(source, target, table) for table in tables]
        if earlier:
            whole += [_pour(source, query, partial(_add_part, target, make)) for query, make in _PARTS]
    _make_whole(target)
    return not all(whole)


def _add_part(target: sqlite3.Connection, make: Callable[..., Part], row: tuple[Any, ...]) -> None:
    message, position, *values = row
    for (seq,) in target.execute("SELECT seq FROM messages WHERE id = ?", (message,)).fetchall():
        parts.put(target, seq, position, make(*values))


def _reading(damaged: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Without a log, SQLite is told not to create one.

    The log of an empty file is left alone too: SQLite would delete it.
    """
    alone = damaged.stat().st_size == 0 or not damaged.with_name(damaged.name + "-wal").exists()
    uri = damaged.absolute().as_uri() + ("?immutable=1" if alone else "?mode=ro")
    source = sqlite3.connect(uri, uri=True, isolation_level=None)
    source.text_factory = lenient
    source.execute("PRAGMA writable_schema = ON")  # for reading: one broken table must not hide the rest
    return source


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """The columns of a table with their types; empty if it is missing or broken."""
    with contextlib.suppress(sqlite3.DatabaseError):
        return {column[1]: column[2] for column in connection.execute(f"PRAGMA table_info({table})")}
    return {}


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy one table; returns whether it was read completely."""
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
    """Add the rows of a query; returns whether it was read completely."""
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
    """The rows of a query up to the first unreadable one, whose error is added to `lost`."""
    try:
        yield from source.execute(query)
    except sqlite3.DatabaseError as error:
        lost.append(error)


def _make_whole(target: sqlite3.Connection) -> None:
    """Repair references to lost rows, and the counts."""
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
    titles = [(fold(title), id) for id, title in target.execute("SELECT id, title FROM chats").fetchall()]
    target.executemany("UPDATE chats SET folded = ? WHERE id = ?", titles)
