"""The tables, as numbered steps. A step that was released is never changed; a change is a new step.

The version is the database's `user_version`, written in the transaction that makes the step.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.store import decode, faults
from tui_chat.store.transaction import transaction
from tui_chat.text.fold import fold

APPLICATION_ID: Final = 0x74756963
"""What `file(1)` and we know our files by: "tuic"."""

_STEP_1: Final = (
    """
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
        system TEXT NOT NULL
    )
    """,
    "CREATE INDEX chats_listed ON chats (pinned DESC, updated DESC, id DESC) WHERE deleted IS NULL",
    """
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
        owner TEXT,
        touched REAL NOT NULL,
        created REAL NOT NULL,
        first_token REAL,
        seconds REAL,
        model TEXT NOT NULL,
        server TEXT NOT NULL,
        usage TEXT,
        error TEXT NOT NULL,
        text TEXT NOT NULL,
        thinking TEXT NOT NULL
    )
    """,
    "CREATE INDEX messages_of_chat ON messages (chat, revision)",
    "CREATE INDEX messages_below ON messages (parent)",
    "CREATE INDEX messages_streaming ON messages (owner) WHERE owner IS NOT NULL",
    """
    CREATE TABLE attachments (
        message TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        mime TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (message, position)
    )
    """,
    "CREATE TABLE settings (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

_STEP_2: Final = (
    "ALTER TABLE chats ADD COLUMN folded TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE chats ADD COLUMN draft TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE chats ADD COLUMN place_message TEXT",
    "ALTER TABLE chats ADD COLUMN place_row INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE messages ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX messages_unindexed ON messages (indexed) WHERE NOT indexed",
    """
    CREATE VIRTUAL TABLE grams USING fts5 (pieces, content = '', detail = none, columnsize = 0, tokenize = 'ascii')
    """,
)


_STEP_3: Final = ("ALTER TABLE chats ADD COLUMN queue TEXT NOT NULL DEFAULT '[]'",)


def _first(connection: sqlite3.Connection) -> None:
    """Chats, their trees of messages, and settings."""
    for statement in _STEP_1:
        connection.execute(statement)


def _search(connection: sqlite3.Connection) -> None:
    """Search, drafts and the scroll place. The messages there are get indexed later, behind the first screen."""
    for statement in _STEP_2:
        connection.execute(statement)
    titles = connection.execute("SELECT id, title FROM chats").fetchall()
    connection.executemany(
        "UPDATE chats SET folded = ? WHERE id = ?",
        [(fold(decode.text(title)), chat_id) for chat_id, title in titles],
    )


def _queue(connection: sqlite3.Connection) -> None:
    """Prompts that wait for the reply before them."""
    for statement in _STEP_3:
        connection.execute(statement)


STEPS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (_first, _search, _queue)
VERSION: Final = len(STEPS)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 of an empty file.

    Raises:
        StoreError: the file is of a newer program or of another one.
    """
    questions = ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_master")
    try:
        with contextlib.nullcontext() if connection.in_transaction else transaction(connection, "DEFERRED"):
            answers = [int(connection.execute(question).fetchone()[0]) for question in questions]
    except UnicodeDecodeError as error:  # SQLite's words on a broken table quote it, and Python cannot read them
        raise faults.damage("malformed database schema") from error
    version, application, tables = answers
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            "The file of the conversations is a database of another program.",
            "Move it away, or name another file.",
        )
    if version > VERSION:
        raise StoreError(
            f"The conversations were written by a newer tui-chat (format {version}; this one knows {VERSION}).",
            "Update tui-chat. The file was not touched; you can chat meanwhile, but nothing is kept.",
        )
    return version


def migrate(connection: sqlite3.Connection, to: int = VERSION) -> None:
    """Make the steps up to version `to`. To be called in a transaction that holds the write lock."""
    version = version_of(connection)
    for step in STEPS[version:to]:
        step(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {max(version, to)}")
