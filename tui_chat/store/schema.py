"""The tables. What was released is never changed: a change is a new version, into which older files are copied.

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
"""What `file(1)` and we know our files by: "tuic"."""
VERSION: Final = 3
"""1 and 2 had text, thinking and attachments where 3 has parts (`transfer`)."""

_KIND: Final = """
    SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)
    FROM pragma_user_version, pragma_application_id
"""
_STRICT: Final = "STRICT" if sqlite3.sqlite_version_info >= (3, 37) else ""
"""SQLite before 2021-11, which RHEL 9 has, does not know it."""

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
    """Make the tables. To be called in a transaction that holds the write lock."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 of an empty file.

    Raises:
        StoreError: the file is of a newer program or of another one.
    """
    try:
        version, application, tables = connection.execute(_KIND).fetchone()
    except UnicodeDecodeError as error:  # SQLite's words on a broken table quote it, and Python cannot read them
        raise faults.damage("malformed database schema") from error
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            "The file of the conversations is a database of another program.",
            "Move it away, or name another file.",
        )
    refuse_newer(connection)
    return int(version)


def refuse_newer(connection: sqlite3.Connection) -> None:
    """Raise a `StoreError` if the tables are of a newer program."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"The conversations were written by a newer tui-chat (format {version}; this one knows {VERSION}).",
            "Update tui-chat. The file was not touched; you can chat meanwhile, but nothing is kept.",
        )


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit what is done within when it ends without an error, else undo it.

    `kind`: IMMEDIATE takes the write lock at once; DEFERRED is for reading several times from one state.
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
"""What became parts, each with its message and its place there, and how."""


def migrate(copy: Path, target: sqlite3.Connection) -> None:
    """Make a file of today of one of an earlier version, of which `copy` is a sound copy: in a transaction.

    What is said is indexed anew later, behind the first screen.

    Raises:
        sqlite3.DatabaseError: the copy cannot be read to its end.
    """
    target.execute("PRAGMA defer_foreign_keys = ON")
    for table in ("attachments", "messages", "chats", "settings", "grams"):  # what points at others first
        target.execute(f"DROP TABLE IF EXISTS {table}")
    create(target)
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
    titles = [(fold(title), id) for id, title in target.execute("SELECT id, title FROM chats").fetchall()]
    target.executemany("UPDATE chats SET folded = ? WHERE id = ?", titles)
