"""Messages as rows. Each function runs inside a transaction of its caller."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.store import chats, parts, search
from tui_chat.store.fields import decoded, encoded, state_of, whole
from tui_chat.store.owner import Owner
from tui_chat.store.values import Thread, title_of
from tui_chat.text.fold import fold

_FIELDS: Final = (
    *("id", "parent", "role", "state", "model", "server", "usage", "finish", "error"),
    *("created", "first_token", "seconds"),
)
"""The fields of a `Message` with a column of their name."""
_NAMES: Final = (*_FIELDS, "chat", "size", "owner", "touched", "revision")
_INSERT: Final = f"INSERT INTO messages ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"
_CHANGES: Final = ", ".join(f"{name} = :{name}" for name in _NAMES if name not in ("id", "parent", "chat"))
_UPDATE: Final = f"UPDATE messages SET {_CHANGES} WHERE id = :id AND chat = :chat"
"""Without the parent, which never changes: naming it, SQLite would write the row's entries in all indexes anew."""


def save(
    connection: sqlite3.Connection, chat_id: str, message: Message, owner: Owner, now: float, known: int = -1
) -> int | None:
    """Add a message, which becomes the chat's leaf, or change the one with its id; returns its new revision.

    A streaming message belongs to `owner` until it is saved in another state. The first prompt names the chat, and
    adding a message restores a deleted chat.

    Returns None without writing if another living process owns the message, or if it was changed after its
    revision `known` (-1 for none) and `message` does not begin with the stored text.

    Raises:
        StoreError: the chat or the parent does not exist.
    """
    before = connection.execute(
        "SELECT seq, size, chat, owner, touched, revision FROM messages WHERE id = ?", (message.id,)
    ).fetchone()
    seq, size = 0, 0
    if before is not None:
        seq, size, home, writer, touched, last = before
        held = writer != owner.name and owner.lives(writer, now - touched)
        if home == chat_id and (held or (last > known >= 0 and _differs(connection, seq, message))):
            return None
        search.forget_if_changed(connection, seq, whole(message.text))
    revision = _next_revision(connection, chat_id)
    values = encoded({name: getattr(message, name) for name in _FIELDS}) | {
        "chat": chat_id,
        "size": message.size,
        "owner": owner.name if message.state is State.STREAMING else None,
        "touched": now,
        "revision": revision,
    }
    try:
        cursor = connection.execute(_UPDATE if before else _INSERT, values)
    except sqlite3.IntegrityError as error:
        chats.get(connection, chat_id)
        raise StoreError(f"The message before {message.id} is not saved.") from error
    if cursor.rowcount == 0:
        raise StoreError(f"The message {message.id} belongs to another chat.")
    parts.save(connection, seq or cursor.lastrowid or 0, message.parts)
    connection.execute(
        "UPDATE chats SET size = size + ?, updated = max(updated, ?) WHERE id = ?",
        (message.size - size, now, chat_id),
    )
    if before is None:
        _grow(connection, chat_id, message)
    return revision


def load(connection: sqlite3.Connection, chat_id: str, since: int, here: Owner, now: float) -> Thread:
    """A chat with its messages that changed after revision `since`, in the order in which they were added.

    A streaming message without a living owner is `interrupted`.

    Raises:
        StoreError: the chat does not exist.
    """
    found = chats.get(connection, chat_id)
    said = parts.of_chat(connection, chat_id, since)
    rows = connection.execute(
        f"SELECT seq, revision, {', '.join(_FIELDS)} FROM messages WHERE chat = ? AND revision > ? ORDER BY seq",
        (chat_id, since),
    ).fetchall()
    streaming = chats.streaming(connection, here, now)
    writers = {message: writer for message, chat, writer in streaming if chat == chat_id and writer is not None}
    messages = []
    for seq, _, *row in rows:
        fields = decoded(_FIELDS, row)
        fields["state"] = state_of(fields["state"], growing=fields["id"] in writers)
        messages.append(Message(parts=said.get(seq, ()), **fields))
    elsewhere = frozenset(message for message, writer in writers.items() if writer != here.name)
    return Thread(found, tuple(messages), max((row[1] for row in rows), default=since), elsewhere)


def adopt(connection: sqlite3.Connection, thread: Thread, owner: Owner) -> bool:
    """Add an imported chat or its missing messages, and restore it if it was deleted.

    Returns whether anything changed. Streaming messages become `interrupted`.

    Raises:
        StoreError: a message's id is used by another chat.
    """
    chat = thread.chat
    row = connection.execute("SELECT deleted, leaf FROM chats WHERE id = ?", (chat.id,)).fetchone()
    if row is None:
        chats.insert(connection, replace(chat, deleted=None))
    deleted, leaf = row or (None, None)
    known = {key for (key,) in connection.execute("SELECT id FROM messages WHERE chat = ?", (chat.id,))}
    news = [message for message in thread.messages if message.id not in known]
    for message in news:
        settled = replace(message, state=State.INTERRUPTED) if message.state is State.STREAMING else message
        save(connection, chat.id, settled, owner, chat.updated)
    shown = {message.id for message in thread.branch()}
    if shown and (leaf in shown or leaf not in known):
        leaf = chat.leaf
    changes = {"leaf": leaf} if leaf is not None and news else {}
    chats.update(connection, chat.id, {**changes, "deleted": None})
    return row is None or deleted is not None or bool(news)


def recover(connection: sqlite3.Connection, here: Owner, now: float) -> tuple[str, ...]:
    """Mark messages whose owner is gone as `interrupted`; returns their chats, the newest first."""
    gone = [(message, chat) for message, chat, writer in chats.streaming(connection, here, now) if writer is None]
    for message, chat in gone:
        connection.execute(
            "UPDATE messages SET state = ?, owner = NULL, revision = ? WHERE id = ?",
            (State.INTERRUPTED, _next_revision(connection, chat), message),
        )
    return tuple(dict.fromkeys(chat for _, chat in gone))


def purge(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """Remove at most `limit` chats that were deleted before the time `before`; returns how many."""
    doomed = connection.execute("SELECT id FROM chats WHERE deleted < ? LIMIT ?", (before, limit)).fetchall()
    for (chat_id,) in doomed:
        search.forget_chat(connection, chat_id)
        connection.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
    parts.sweep(connection)
    return len(doomed)


def _grow(connection: sqlite3.Connection, chat_id: str, message: Message) -> None:
    connection.execute(
        "UPDATE chats SET messages = messages + 1, leaf = ?, deleted = NULL WHERE id = ?", (message.id, chat_id)
    )
    if message.role is Role.USER and (title := whole(title_of(message.text))):
        connection.execute(
            "UPDATE chats SET title = ?, folded = ? WHERE id = ? AND title = ''", (title, fold(title), chat_id)
        )


def _next_revision(connection: sqlite3.Connection, chat_id: str) -> int:
    (last,) = connection.execute("SELECT max(revision) FROM messages WHERE chat = ?", (chat_id,)).fetchone()
    return int(last or 0) + 1


def _differs(connection: sqlite3.Connection, seq: int, message: Message) -> bool:
    """Whether replacing the stored message with `message` would lose words."""
    text, thinking = connection.execute(
        f"SELECT {parts.TEXT}, {parts.THINKING} FROM messages m WHERE seq = ?", (seq,)
    ).fetchone()
    return not (whole(message.text).startswith(text) and whole(message.thinking).startswith(thinking))
