"""The tables. What was released is never changed: a change is a new version, into which older files are copied.

The version is the database's `user_version`, written in the transaction that makes the tables.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.store import faults

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
