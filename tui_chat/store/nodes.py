"""Messages as rows: what is done to them, each function inside a transaction of its caller."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Part
from tui_chat.store import chats, decode, index, pieces
from tui_chat.store.owner import ProcessId
from tui_chat.store.text import whole
from tui_chat.store.titles import title_of
from tui_chat.store.values import Thread
from tui_chat.text.fold import fold

_COLUMNS: Final = (
    "id, chat, parent, role, state, finish, size, owner, touched, created, first_token, seconds, model, server, "
    "usage, error, revision"
)
_NAMES: Final = _COLUMNS.split(", ")
_INSERT: Final = f"INSERT INTO messages ({_COLUMNS}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"
_UPDATE: Final = (
    f"UPDATE messages SET {', '.join(f'{name} = :{name}' for name in _NAMES[3:])} WHERE id = :id AND chat = :chat"
)
"""Without the parent, which never changes: naming it, SQLite would write the row's entries in all indexes anew."""


def save(
    connection: sqlite3.Connection,
    chat_id: str,
    message: Message,
    owner: ProcessId,
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
        "SELECT seq, size, chat, owner, touched, revision FROM messages WHERE id = ?", (message.id,)
    ).fetchone()
    if before is not None:
        seq, _, home, writer, touched, last = before
        held = decode.writer(writer, touched, owner, now) not in (None, owner)
        changed = known is not None and last > known and _differs(connection, seq, message)
        if home == chat_id and (held or changed):
            return None
        index.forget_if_changed(connection, seq, whole(message.text))
    revision = _next_revision(connection, chat_id)
    added = _write(connection, _INSERT if before is None else _UPDATE, chat_id, message, owner, now, revision)
    pieces.save(connection, added if before is None else before[0], message.parts)
    growth = message.size - (before[1] if before else 0)
    connection.execute(
        "UPDATE chats SET size = size + ?, updated = max(updated, ?) WHERE id = ?", (growth, now, chat_id)
    )
    if before is None:
        _grow(connection, chat_id, message)
    return revision


def load(connection: sqlite3.Connection, chat_id: str, since: int, here: ProcessId, now: float) -> Thread:
    """A chat with its messages that changed after revision `since`, in the order in which they were added.

    What streams without a living writer is interrupted, whether `recover` has come by or not.

    Raises:
        StoreError: there is no such chat.
    """
    chat = chats.get(connection, chat_id)
    parts = pieces.of_chat(connection, chat_id, since)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, seq FROM messages WHERE chat = ? AND revision > ? ORDER BY seq", (chat_id, since)
    ).fetchall()
    writers = _writers(connection, chat_id, here, now)
    messages = tuple(_message(row, parts.get(row[-1], ()), row[0] in writers) for row in rows)
    elsewhere = frozenset(message_id for message_id, writer in writers.items() if writer != here)
    return Thread(chat, messages, max((row[16] for row in rows), default=since), elsewhere)


def recover(connection: sqlite3.Connection, here: ProcessId, now: float) -> tuple[str, ...]:
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
    pieces.sweep(connection)
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
    """Whether words would be lost if `message` took the place of what is stored."""
    text, thinking = connection.execute(
        f"SELECT {pieces.TEXT}, {pieces.THINKING} FROM messages m WHERE seq = ?", (seq,)
    ).fetchone()
    kept = whole(message.text).startswith(text or "")
    return not (kept and whole(message.thinking).startswith(thinking or ""))


def _writers(connection: sqlite3.Connection, chat_id: str, here: ProcessId, now: float) -> dict[str, ProcessId]:
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
    owner: ProcessId,
    now: float,
    revision: int,
) -> int:
    """Write the row of a message: its number, where it is a new one."""
    values = {
        "id": message.id,
        "chat": chat_id,
        "parent": message.parent,
        "role": message.role,
        "state": message.state,
        "finish": whole(message.finish),
        "size": message.size,
        "owner": str(owner) if message.state is State.STREAMING else None,
        "touched": now,
        "created": message.created,
        "first_token": message.first_token,
        "seconds": message.seconds,
        "model": whole(message.model),
        "server": whole(message.server),
        "usage": None if message.usage is None else json.dumps(dataclasses.asdict(message.usage)),
        "error": whole(message.error),
        "revision": revision,
    }
    try:
        cursor = connection.execute(statement, values)
    except sqlite3.IntegrityError as error:
        chats.get(connection, chat_id)
        raise StoreError(
            f"The message before {message.id} is not saved.", "Save the chat from its beginning."
        ) from error
    if cursor.rowcount == 0:
        raise StoreError(f"The message {message.id} belongs to another chat.")
    return cursor.lastrowid or 0


def _message(row: tuple[Any, ...], parts: tuple[Part, ...], growing: bool) -> Message:
    (message_id, _, parent, role, state, finish, _, _, _, created, first_token, seconds, model, server) = row[:14]
    usage, error = row[14:16]
    return Message(
        decode.role(role),
        parts,
        id=message_id,
        parent=parent,
        state=decode.state(state, growing=growing),
        model=decode.name(model),
        server=decode.name(server),
        usage=decode.usage(usage),
        finish=decode.name(finish),
        error=error,
        created=decode.time(created),
        first_token=decode.number(first_token),
        seconds=decode.number(seconds),
    )
