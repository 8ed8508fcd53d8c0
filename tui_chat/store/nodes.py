"""Messages as rows: what is done to them, each function inside a transaction of its caller."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from operator import itemgetter
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Attachment, Message, Role, State
from tui_chat.store import chats, decode, index
from tui_chat.store.owner import Owner
from tui_chat.store.text import whole
from tui_chat.store.titles import title_of
from tui_chat.store.values import Thread
from tui_chat.text.fold import fold

_COLUMNS: Final = (
    "id, chat, parent, role, state, finish, size, owner, touched, created, first_token, seconds, model, server, "
    "usage, error, text, thinking, revision"
)
_NAMES: Final = _COLUMNS.split(", ")
_INSERT: Final = f"INSERT INTO messages ({_COLUMNS}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"
_UPDATE: Final = (
    f"UPDATE messages SET {', '.join(f'{name} = :{name}' for name in _NAMES[2:])} WHERE id = :id AND chat = :chat"
)


def save(
    connection: sqlite3.Connection,
    chat_id: str,
    message: Message,
    owner: Owner,
    now: float,
    known: int | None = None,
) -> int | None:
    """Add a message, which becomes the chat's leaf, or change the one with its id: its new revision.

    A streaming message belongs to `owner` until it is saved in another state. The first prompt names the chat, and
    a message that is added brings a deleted chat back. None is given, and nothing done, where another living
    process writes the message, or where it was changed after its revision `known` to words with which `message`
    does not begin.

    Raises:
        StoreError: the chat or the parent is not there.
    """
    before = connection.execute(
        "SELECT size, chat, owner, touched, revision FROM messages WHERE id = ?", (message.id,)
    ).fetchone()
    if before is not None:
        _, home, writer, touched, last = before
        held = decode.writer(writer, touched, owner, now) not in (None, owner)
        changed = known is not None and decode.count(last) > known and _differs(connection, message)
        if home == chat_id and (held or changed):
            return None
        index.forget_if_changed(connection, message.id, whole(message.text))
    revision = _next_revision(connection, chat_id)
    _write(connection, _INSERT if before is None else _UPDATE, chat_id, message, owner, now, revision)
    if before is not None:
        connection.execute("DELETE FROM attachments WHERE message = ?", (message.id,))
    connection.executemany(
        "INSERT INTO attachments (message, position, name, mime, data) VALUES (?, ?, ?, ?, ?)",
        [
            (message.id, position, whole(attachment.name), whole(attachment.mime), attachment.data)
            for position, attachment in enumerate(message.attachments)
        ],
    )
    growth = _size(message) - (decode.count(before[0]) if before else 0)
    connection.execute(
        "UPDATE chats SET size = size + ?, updated = max(updated, ?) WHERE id = ?", (growth, now, chat_id)
    )
    if before is None:
        _grow(connection, chat_id, message)
    return revision


def load(connection: sqlite3.Connection, chat_id: str, since: int, here: Owner, now: float) -> Thread:
    """A chat with its messages that changed after revision `since`, in the order in which they were added.

    What streams without a living writer is interrupted, whether `recover` has come by or not.

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
        attachment = Attachment(decode.name(name), decode.name(mime), decode.blob(data))
        attachments.setdefault(message_id, []).append(attachment)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, seq FROM messages WHERE chat = ? AND revision > ?", (chat_id, since)
    ).fetchall()
    rows.sort(key=itemgetter(-1))  # SQLite would copy all the texts to sort them
    writers = _writers(connection, chat_id, here, now)
    messages = tuple(_message(row, tuple(attachments.get(row[0], ())), row[0] in writers) for row in rows)
    elsewhere = frozenset(message_id for message_id, writer in writers.items() if writer != here)
    return Thread(chat, messages, max((decode.count(row[18]) for row in rows), default=since), elsewhere)


def recover(connection: sqlite3.Connection, here: Owner, now: float) -> tuple[str, ...]:
    """Make the messages whose writer is gone `interrupted`: the ids of their chats, the newest first."""
    rows = connection.execute(
        "SELECT id, chat, owner, touched FROM messages WHERE owner IS NOT NULL ORDER BY touched DESC, seq DESC"
    ).fetchall()
    gone = [row for row in rows if decode.writer(row[2], row[3], here, now) is None]
    for message_id, chat_id, _, _ in gone:
        connection.execute(
            "UPDATE messages SET state = ?, owner = NULL, revision = ? WHERE id = ?",
            (State.INTERRUPTED, _next_revision(connection, chat_id), message_id),
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
    connection.execute(
        "UPDATE chats SET messages = messages + 1, leaf = ?, deleted = NULL WHERE id = ?", (message.id, chat_id)
    )
    if message.role is Role.USER and (title := whole(title_of(message.text))):
        connection.execute(
            "UPDATE chats SET title = ?, folded = ? WHERE id = ? AND title = ''", (title, fold(title), chat_id)
        )


def _next_revision(connection: sqlite3.Connection, chat_id: str) -> int:
    (last,) = connection.execute("SELECT max(revision) FROM messages WHERE chat = ?", (chat_id,)).fetchone()
    return decode.count(last) + 1


def _differs(connection: sqlite3.Connection, message: Message) -> bool:
    """Whether words would be lost if `message` took the place of what is stored."""
    text, thinking = connection.execute(
        "SELECT text, thinking FROM messages WHERE id = ?", (message.id,)
    ).fetchone()
    kept = whole(message.text).startswith(decode.text(text))
    return not (kept and whole(message.thinking).startswith(decode.text(thinking)))


def _writers(connection: sqlite3.Connection, chat_id: str, here: Owner, now: float) -> dict[str, Owner]:
    """The living writers of a chat's messages, by message."""
    rows = connection.execute(
        """
        SELECT id, owner, touched FROM messages INDEXED BY messages_streaming
        WHERE owner IS NOT NULL AND chat = ?
        """,
        (chat_id,),
    )
    writers = {message_id: decode.writer(owner, touched, here, now) for message_id, owner, touched in rows}
    return {message_id: writer for message_id, writer in writers.items() if writer is not None}


def _write(
    connection: sqlite3.Connection,
    statement: str,
    chat_id: str,
    message: Message,
    owner: Owner,
    now: float,
    revision: int,
) -> None:
    values = {
        "id": message.id,
        "chat": chat_id,
        "parent": message.parent,
        "role": message.role,
        "state": message.state,
        "finish": whole(message.finish),
        "size": _size(message),
        "owner": str(owner) if message.state is State.STREAMING else None,
        "touched": now,
        "created": message.created,
        "first_token": message.first_token,
        "seconds": message.seconds,
        "model": whole(message.model),
        "server": whole(message.server),
        "usage": None if message.usage is None else json.dumps(dataclasses.asdict(message.usage)),
        "error": whole(message.error),
        "text": whole(message.text),
        "thinking": whole(message.thinking),
        "revision": revision,
    }
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


def _message(row: tuple[Any, ...], attachments: tuple[Attachment, ...], growing: bool) -> Message:
    (message_id, _, parent, role, state, finish, _, _, _, created, first_token, seconds, model, server) = row[:14]
    usage, error, text, thinking = row[14:18]
    return Message(
        decode.role(role),
        decode.text(text),
        id=decode.text(message_id),
        parent=decode.optional_text(parent),
        thinking=decode.text(thinking),
        state=decode.state(state, growing=growing),
        attachments=attachments,
        model=decode.name(model),
        server=decode.name(server),
        usage=decode.usage(usage),
        finish=decode.name(finish),
        error=decode.text(error),
        created=decode.time(created),
        first_token=decode.number(first_token),
        seconds=decode.number(seconds),
    )
