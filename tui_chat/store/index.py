"""The search index, which follows the messages: a message is indexed once it is no longer growing.

What is not indexed yet is searched by looking at it, so nothing is ever missing from a search.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from tui_chat.messages import State
from tui_chat.store.grams import document
from tui_chat.store.pieces import TEXT
from tui_chat.text.fold import fold

_BATCH: Final = 40_000
"""Characters to index in one go: some 20 ms, for which a checkpoint may have to wait."""
_WAITING: Final = f"""
    SELECT seq, {TEXT} FROM messages m INDEXED BY messages_unindexed
    WHERE NOT indexed AND state <> ? ORDER BY seq DESC
"""
_INDEXED: Final = f"SELECT seq, {TEXT} FROM messages m WHERE indexed AND"
_INSERT: Final = "INSERT INTO grams (rowid, pieces) VALUES (?, ?)"
_DELETE: Final = "INSERT INTO grams (grams, rowid, pieces) VALUES ('delete', ?, ?)"


def index_some(connection: sqlite3.Connection) -> bool:
    """Index some of the messages that wait for it, the newest first, and say whether there are more."""
    batch: list[tuple[int, str]] = []
    volume, more = 0, False
    for seq, stored in connection.execute(_WAITING, (State.STREAMING,)):
        text = stored or ""
        if batch and volume + len(text) > _BATCH:
            more = True
            break
        volume += len(text)
        batch.append((seq, text))
    for seq, text in reversed(batch):  # FTS5 buffers rows only while their numbers grow
        connection.execute(_INSERT, (seq, document(fold(text))))
    connection.executemany("UPDATE messages SET indexed = 1 WHERE seq = ?", [(seq,) for seq, _ in batch])
    return more


def forget_if_changed(connection: sqlite3.Connection, seq: int, text: str) -> None:
    """Take a message out of the index if its text is no longer `text`."""
    for _, old in connection.execute(f"{_INDEXED} seq = ?", (seq,)).fetchall():
        if (old or "") != text:
            _forget(connection, seq, old or "")


def forget_chat(connection: sqlite3.Connection, chat_id: str) -> None:
    """Take all messages of a chat out of the index."""
    for seq, text in connection.execute(f"{_INDEXED} chat = ?", (chat_id,)).fetchall():
        _forget(connection, seq, text or "")


def rebuild(connection: sqlite3.Connection) -> None:
    """Empty the index; the messages are indexed anew from then on."""
    connection.execute("INSERT INTO grams (grams) VALUES ('delete-all')")
    connection.execute("UPDATE messages SET indexed = 0")


def _forget(connection: sqlite3.Connection, seq: int, text: str) -> None:
    connection.execute(_DELETE, (seq, document(fold(text))))
    connection.execute("UPDATE messages SET indexed = 0 WHERE seq = ?", (seq,))
