"""Files as earlier versions of the tables made them: what those ran, word by word."""

from __future__ import annotations

from pathlib import Path

from tui_chat.files import make
from tui_chat.store.schema import APPLICATION_ID, transaction

from tests.store.kit import plain

STEP_1 = (
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

STEP_2 = (
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


ROWS = (
    "INSERT INTO chats (id, created, updated, pinned, deleted, messages, size, leaf, model, server, title, system)"
    " VALUES ('c1', 10.0, 20.0, 1, NULL, 2, 9, 'm2', 'tiny', 'box', 'Größe', 'be kind'),"
    " ('c2', 11.0, 12.0, 0, 13.0, 0, 0, NULL, '', '', 'Deleted', '')",
    "INSERT INTO messages (seq, id, chat, parent, role, state, finish, revision, size, owner, touched, created,"
    " first_token, seconds, model, server, usage, error, text, thinking) VALUES"
    " (1, 'm1', 'c1', NULL, 'user', 'complete', '', 1, 4, NULL, 10, 10, NULL, NULL, '', '', NULL, '', '日本語?', ''),"
    " (5, 'm2', 'c1', 'm1', 'assistant', 'stopped', 'length', 2, 5, NULL, 11, 11, 0.5, 2.5,"
    """ 'tiny', 'box', '{"prompt_tokens": 3, "reply_tokens": 4}', 'cut', 'はい!', 'hm')""",
    "INSERT INTO attachments VALUES ('m1', 0, 'a.png', 'image/png', x'00ff')",
    "INSERT INTO attachments VALUES ('m1', 1, 'a.txt', 'text/plain', 'words')",
    "INSERT INTO settings VALUES ('model', 'tiny')",
)


def earlier(path: Path, version: int, rows: tuple[str, ...] = ROWS) -> None:
    """A file as an earlier version made it, with data."""
    make(path)
    with plain(path) as database:
        database.execute("PRAGMA journal_mode = WAL")
        with transaction(database):
            for statement in (*STEP_1, *(STEP_2 if version == 2 else ())):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {version}")
        for statement in rows:
            database.execute(statement)
