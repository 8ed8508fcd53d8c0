"""Chats as rows: what is done to them, each function inside a transaction of its caller."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import State
from tui_chat.store import decode
from tui_chat.store.owner import ProcessId
from tui_chat.store.text import whole
from tui_chat.store.values import DRAFT_SHOWN, Chat, ChatFields, ChatSummary, Place
from tui_chat.text.fold import fold, words_of

_COLUMNS: Final = (
    "id, title, created, updated, model, server, system, pinned, deleted, leaf, draft, place_message, "
    "place_row, queue"
)
_SUMMARY: Final = (
    "c.id, c.title, c.created, c.updated, c.model, c.server, c.pinned, c.messages, c.size, m.state, m.finish, "
    f"substr(c.draft, 1, {DRAFT_SHOWN})"
)
_NONE: Final = State.COMPLETE
"""How far the last message got where there is none."""
_WHOLE: Final = (State.COMPLETE, State.STREAMING)
"""States of a reply to which nothing is to be added by hand."""


def insert(connection: sqlite3.Connection, chat: Chat) -> None:
    """Add a chat.

    Raises:
        StoreError: there is one with its id.
    """
    place = chat.place or Place("")
    texts = [whole(text) for text in (chat.title, chat.model, chat.server, chat.system, chat.draft)]
    title, model, server, system, draft = texts
    try:
        connection.execute(
            f"INSERT INTO chats ({_COLUMNS}, folded) VALUES (?{', ?' * 14})",
            (
                *(chat.id, title, chat.created, chat.updated, model, server, system, chat.pinned, chat.deleted),
                *(chat.leaf, draft, chat.place and place.message, place.row, _queue_text(chat.queue), fold(title)),
            ),
        )
    except sqlite3.IntegrityError as error:
        raise StoreError(f"There is a chat {chat.id} already.") from error


def get(connection: sqlite3.Connection, chat_id: str) -> Chat:
    """One chat, deleted or not.

    Raises:
        StoreError: there is none with that id.
    """
    row = connection.execute(f"SELECT {_COLUMNS} FROM chats WHERE id = ?", (chat_id,)).fetchone()
    if row is None:
        raise no_such_chat(chat_id)
    _, title, created, updated, model, server, system, pinned, deleted, leaf, draft, message, place_row, queue = (
        row
    )
    return Chat(
        chat_id,
        decode.name(title),
        created=decode.time(created),
        updated=decode.time(updated),
        model=decode.name(model),
        server=decode.name(server),
        system=system,
        pinned=bool(pinned),
        deleted=None if deleted is None else decode.time(deleted),
        leaf=leaf,
        draft=draft,
        place=None if message is None else Place(message, place_row),
        queue=decode.texts(queue),
    )


def _queue_text(queue: Sequence[str]) -> str:
    return json.dumps([whole(prompt) for prompt in queue], ensure_ascii=False)


def update(connection: sqlite3.Connection, chat_id: str, fields: ChatFields) -> None:
    """Change some fields of a chat; a chat that is renamed or pinned does not become newer.

    Raises:
        StoreError: there is none with that id.
    """
    changes: dict[str, object] = {}
    for name, value in fields.items():
        if name == "place":
            place = value if isinstance(value, Place) else None
            changes |= {"place_message": place and place.message, "place_row": place.row if place else 0}
        elif name == "queue":
            changes["queue"] = _queue_text(fields["queue"])
        elif name in ChatFields.__annotations__:
            changes[name] = whole(value) if isinstance(value, str) else value
        else:
            raise TypeError(f"a chat has no {name}")
    if "title" in fields:
        changes["folded"] = fold(whole(fields["title"]))
    if not changes:
        return
    assignments = ", ".join(f"{column} = ?" for column in changes)
    cursor = connection.execute(f"UPDATE chats SET {assignments} WHERE id = ?", (*changes.values(), chat_id))
    if cursor.rowcount == 0:
        raise no_such_chat(chat_id)


def mark_deleted(connection: sqlite3.Connection, chat_id: str, deleted: float | None) -> None:
    """Take a chat out of the list, or with None back into it."""
    if connection.execute("UPDATE chats SET deleted = ? WHERE id = ?", (deleted, chat_id)).rowcount == 0:
        raise no_such_chat(chat_id)


def summaries(
    connection: sqlite3.Connection, words: str, limit: int | None, here: ProcessId, now: float
) -> tuple[ChatSummary, ...]:
    """The chats whose titles contain all of `words`: pinned ones first, then the newest."""
    growing = _growing(connection, here, now)
    condition, values = title_condition(words_of(whole(words)))
    rows = connection.execute(
        f"""
        SELECT {_SUMMARY} FROM chats c LEFT JOIN messages m ON m.id = c.leaf WHERE {condition}
        ORDER BY c.pinned DESC, c.updated DESC, c.id DESC LIMIT ?
        """,
        (*values, -1 if limit is None else limit),
    )
    return tuple(_summary(row, growing) for row in rows)


def title_condition(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The SQL condition, with its values, for chats `c` that are not deleted and whose titles contain `words`."""
    return " AND ".join(("c.deleted IS NULL", *("instr(c.folded, ?) > 0" for _ in words))), words


def newest(connection: sqlite3.Connection) -> str | None:
    """The id of the chat in which something was said last."""
    row = connection.execute("SELECT id FROM chats WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT 1")
    return next((str(chat_id) for (chat_id,) in row), None)


def no_such_chat(chat_id: str) -> StoreError:
    """The error for an id that no chat has."""
    return StoreError(f"There is no chat {chat_id}.", "Ctrl+O or `tui-chat chats` lists the chats there are.")


def _growing(connection: sqlite3.Connection, here: ProcessId, now: float) -> frozenset[str]:
    """The chats whose last message on screen is being written by a living process."""
    rows = connection.execute(
        """
        SELECT m.chat, m.owner, m.touched FROM messages m INDEXED BY messages_streaming
        CROSS JOIN chats c ON c.id = m.chat WHERE m.owner IS NOT NULL AND c.leaf = m.id
        """
    )
    return frozenset(chat for chat, owner, touched in rows if decode.writer(owner, touched, here, now))


def _summary(row: tuple[Any, ...], growing: Collection[str]) -> ChatSummary:
    chat_id, title, created, updated, model, server, pinned, messages, size, state, finish, draft = row
    reached = _NONE if state is None else decode.state(state, growing=chat_id in growing)
    return ChatSummary(
        chat_id,
        decode.name(title),
        decode.time(created),
        decode.time(updated),
        decode.name(model),
        decode.name(server),
        bool(pinned),
        messages,
        size,
        reached,
        reached not in _WHOLE or finish == "length",
        draft,
    )
