"""Chats as rows. Each function runs inside a transaction of its caller."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from tui_chat.errors import Remedy, StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.store.fields import decoded, encoded, state_of, whole
from tui_chat.store.owner import Owner
from tui_chat.store.values import DRAFT_SHOWN, Chat, ChatSummary, Place, QueueChange
from tui_chat.text.fold import fold, words_of

_FIELDS: Final = tuple(field.name for field in dataclasses.fields(Chat) if field.name != "place")
_SUMMARY: Final = ("id", "title", "created", "updated", "model", "server", "pinned", "messages", "size")
_SUMMARY_COLUMNS: Final = ", ".join(f"c.{name}" for name in _SUMMARY)


def insert(connection: sqlite3.Connection, chat: Chat) -> None:
    """Add a chat.

    Raises:
        StoreError: its id exists already.
    """
    columns = _columns({field.name: getattr(chat, field.name) for field in dataclasses.fields(chat)})
    values = ", ".join(f":{name}" for name in columns)
    try:
        connection.execute(f"INSERT INTO chats ({', '.join(columns)}) VALUES ({values})", columns)
    except sqlite3.IntegrityError as error:
        raise StoreError(f"A chat {chat.id} exists already.") from error


def get(connection: sqlite3.Connection, chat_id: str) -> Chat:
    """One chat, deleted or not.

    Raises:
        StoreError: it does not exist.
    """
    query = f"SELECT place_message, place_row, {', '.join(_FIELDS)} FROM chats WHERE id = ?"
    found = connection.execute(query, (chat_id,)).fetchone()
    if found is None:
        raise no_such_chat(chat_id)
    message, place_row, *row = found
    return Chat(place=None if message is None else Place(message, place_row), **decoded(_FIELDS, row))


def update(connection: sqlite3.Connection, chat_id: str, fields: Mapping[str, Any]) -> None:
    """Change some fields of a chat; `updated` stays.

    Raises:
        StoreError: it does not exist.
    """
    if not fields:
        return
    columns = _columns(fields)
    query = f"UPDATE chats SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE id = :id"
    if connection.execute(query, {**columns, "id": chat_id}).rowcount == 0:
        raise no_such_chat(chat_id)


def change_queue(connection: sqlite3.Connection, chat_id: str, changes: Iterable[QueueChange]) -> None:
    """Apply changes to the waiting prompts, which another process may have changed too.

    Raises:
        StoreError: the chat does not exist.
    """
    queue = get(connection, chat_id).queue
    for change in changes:
        queue = change.apply(queue)
    update(connection, chat_id, {"queue": queue})


def summaries(
    connection: sqlite3.Connection, words: str, limit: int | None, here: Owner, now: float
) -> tuple[ChatSummary, ...]:
    """The chats whose titles contain all of `words`: pinned ones first, then the newest."""
    growing = {message for message, _, writer in streaming(connection, here, now) if writer}
    condition, values = title_condition(words_of(whole(words)))
    rows = connection.execute(
        f"""
        SELECT c.leaf, m.state, m.finish, substr(c.draft, 1, {DRAFT_SHOWN}), {_SUMMARY_COLUMNS}
        FROM chats c LEFT JOIN messages m ON m.id = c.leaf WHERE {condition}
        ORDER BY c.pinned DESC, c.updated DESC, c.id DESC LIMIT ?
        """,
        (*values, -1 if limit is None else limit),
    )
    return tuple(_summary(row, growing) for row in rows)


def title_condition(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The SQL condition and its values for listed chats `c` whose titles contain all `words`."""
    return " AND ".join(("c.deleted IS NULL", *("instr(c.folded, ?) > 0" for _ in words))), words


def newest(connection: sqlite3.Connection) -> str | None:
    """The id of the chat with the newest message."""
    row = connection.execute("SELECT id FROM chats WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT 1")
    return next((str(chat_id) for (chat_id,) in row), None)


def streaming(connection: sqlite3.Connection, here: Owner, now: float) -> list[tuple[str, str, str | None]]:
    """The streaming messages, the newest first: id, chat, and the owner if its process lives."""
    rows = connection.execute(
        """
        SELECT id, chat, owner, touched FROM messages INDEXED BY messages_streaming
        WHERE owner IS NOT NULL ORDER BY touched DESC, seq DESC
        """
    ).fetchall()
    return [(id, chat, owner if here.lives(owner, now - touched) else None) for id, chat, owner, touched in rows]


def no_such_chat(chat_id: str) -> StoreError:
    """The error for an unknown id."""
    return StoreError(f"There is no chat {chat_id}.", "", Remedy.CHATS)


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns for fields of a chat."""
    columns = encoded(fields)
    if "place" in columns:
        place = columns.pop("place")
        columns |= {"place_message": place and place.message, "place_row": place.row if place else 0}
    if "title" in columns:
        columns["folded"] = fold(columns["title"])
    return columns


def _summary(row: Sequence[Any], growing: Collection[str]) -> ChatSummary:
    leaf, state, finish, draft, *rest = row
    reached = State.COMPLETE if state is None else state_of(state, growing=leaf in growing)
    unfinished = Message(Role.ASSISTANT, id="", state=reached, finish=finish or "", created=0.0).unfinished
    return ChatSummary(**decoded(_SUMMARY, rest), state=reached, unfinished=unfinished, draft=draft)
