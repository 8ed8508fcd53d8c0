"""Messages as rows: what is done to them, each function inside a transaction of its caller."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Attachment, Message, Role, State, Usage
from tui_chat.store import chats, index
from tui_chat.store.owner import Owner
from tui_chat.store.text import whole
from tui_chat.store.titles import title_of
from tui_chat.store.values import Thread
from tui_chat.text.fold import fold

_COLUMNS: Final = (
    "id, chat, parent, role, state, finish, size, owner, touched, created, first_token, seconds, model, server, "
    "usage, error, text, thinking, revision"
)
_NEXT_REVISION: Final = "(SELECT coalesce(max(revision), 0) + 1 FROM messages WHERE chat = ?2)"
_INSERT: Final = (
    f"INSERT INTO messages ({_COLUMNS}) VALUES (?1{''.join(f', ?{n}' for n in range(2, 19))}, {_NEXT_REVISION})"
)
_UPDATE: Final = (
    "UPDATE messages SET "
    + ", ".join(f"{name} = ?{number}" for number, name in enumerate(_COLUMNS.split(", ")[2:18], 3))
    + f", revision = {_NEXT_REVISION} WHERE id = ?1 AND chat = ?2"
)


def save(connection: sqlite3.Connection, chat_id: str, message: Message, owner: Owner, now: float) -> None:
    """Add a message, which becomes the chat's leaf, or change the one with its id.

    A streaming message belongs to `owner` until it is saved in another state. The first prompt names the chat.

    Raises:
        StoreError: the chat or the parent is not there.
    """
    size = _size(message)
    before = connection.execute("SELECT size FROM messages WHERE id = ?", (message.id,)).fetchone()
    if before is not None:
        index.forget_if_changed(connection, message.id, whole(message.text))
    _write(connection, _INSERT if before is None else _UPDATE, chat_id, message, owner, now)
    if before is not None:
        connection.execute("DELETE FROM attachments WHERE message = ?", (message.id,))
    connection.executemany(
        "INSERT INTO attachments (message, position, name, mime, data) VALUES (?, ?, ?, ?, ?)",
        [
            (message.id, position, whole(attachment.name), whole(attachment.mime), attachment.data)
            for position, attachment in enumerate(message.attachments)
        ],
    )
    growth = size - (before[0] if before else 0)
    connection.execute(
        "UPDATE chats SET size = size + ?, updated = max(updated, ?) WHERE id = ?", (growth, now, chat_id)
    )
    if before is None:
        _grow(connection, chat_id, message)


def load(connection: sqlite3.Connection, chat_id: str, since: int, here: Owner, now: float) -> Thread:
    """A chat with its messages that changed after revision `since`, in the order in which they were added.

    Raises:
        StoreError: there is no such chat.
    """
    chat = chats.get(connection, chat_id)
    attachments: dict[str, list[Attachment]] = {}
    for message_id, name, mime, data in connection.execute(
        """
        SELECT a.message, a.name, a.mime, a.data FROM messages m JOIN attachments a ON a.message = m.id
        WHERE m.chat = ? AND m.revision > ? ORDER BY m.seq, a.position
        """,
        (chat_id, since),
    ):
        attachments.setdefault(message_id, []).append(Attachment(name, mime, data))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM messages WHERE chat = ? AND revision > ? ORDER BY seq", (chat_id, since)
    ).fetchall()
    messages = tuple(_message(row, tuple(attachments.get(row[0], ()))) for row in rows)
    elsewhere = frozenset(row[0] for row in rows if row[7] and _is_elsewhere(row[7], now - row[8], here))
    return Thread(chat, messages, max((row[18] for row in rows), default=since), elsewhere)


def recover(connection: sqlite3.Connection, here: Owner, now: float) -> tuple[str, ...]:
    """Make the messages whose writer is gone `interrupted`: the ids of their chats, the newest first."""
    rows = connection.execute(
        "SELECT id, chat, owner, touched FROM messages WHERE owner IS NOT NULL ORDER BY touched DESC, seq DESC"
    ).fetchall()
    gone = [row for row in rows if not Owner.parse(row[2]).alive(here, now - row[3])]
    for message_id, chat_id, _, _ in gone:
        connection.execute(
            f"UPDATE messages SET state = ?1, owner = NULL, revision = {_NEXT_REVISION} WHERE id = ?3",
            (State.INTERRUPTED, chat_id, message_id),
        )
    return tuple(dict.fromkeys(row[1] for row in gone))


def purge(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """Remove chats for good that were deleted before the time `before`, at most `limit`: how many there were."""
    doomed = connection.execute("SELECT id FROM chats WHERE deleted < ? LIMIT ?", (before, limit)).fetchall()
    for (chat_id,) in doomed:
        index.forget_chat(connection, chat_id)
        connection.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
    return len(doomed)


def _grow(connection: sqlite3.Connection, chat_id: str, message: Message) -> None:
    connection.execute("UPDATE chats SET messages = messages + 1, leaf = ? WHERE id = ?", (message.id, chat_id))
    if message.role is Role.USER and (title := whole(title_of(message.text))):
        connection.execute(
            "UPDATE chats SET title = ?, folded = ? WHERE id = ? AND title = ''", (title, fold(title), chat_id)
        )


def _write(
    connection: sqlite3.Connection, statement: str, chat_id: str, message: Message, owner: Owner, now: float
) -> None:
    usage = None if message.usage is None else json.dumps(dataclasses.asdict(message.usage))
    holder = str(owner) if message.state is State.STREAMING else None
    texts = (
        whole(text) for text in (message.model, message.server, message.error, message.text, message.thinking)
    )
    model, server, error, text, thinking = texts
    values = (
        *(message.id, chat_id, message.parent, message.role, message.state, whole(message.finish), _size(message)),
        *(
            holder,
            now,
            message.created,
            message.first_token,
            message.seconds,
            model,
            server,
            usage,
            error,
            text,
            thinking,
        ),
    )
    try:
        found = connection.execute(statement, values).rowcount
    except sqlite3.IntegrityError as error:
        chats.get(connection, chat_id)
        raise StoreError(
            f"The message before {message.id} is not saved.", "Save the chat from its beginning."
        ) from error
    if found == 0:
        raise StoreError(f"The message {message.id} belongs to another chat.")


def _size(message: Message) -> int:
    return len(message.text) + len(message.thinking) + sum(len(file.data) for file in message.attachments)


def _is_elsewhere(owner: str, silent: float, here: Owner) -> bool:
    writer = Owner.parse(owner)
    return writer != here and writer.alive(here, silent)


def _message(row: tuple[Any, ...], attachments: tuple[Attachment, ...]) -> Message:
    (message_id, _, parent, role, state, finish, _, _, _, created, first_token, seconds, model, server) = row[:14]
    usage, error, text, thinking = row[14:18]
    return Message(
        Role(role),
        text,
        id=message_id,
        parent=parent,
        thinking=thinking,
        state=State(state),
        attachments=attachments,
        model=model,
        server=server,
        usage=None if usage is None else Usage(**json.loads(usage)),
        finish=finish,
        error=error,
        created=created,
        first_token=first_token,
        seconds=seconds,
    )
