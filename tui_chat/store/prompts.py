"""Earlier prompts of all chats, the newest first, by how they begin or by words in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

from tui_chat.messages import Role
from tui_chat.store.fields import whole
from tui_chat.store.parts import TEXT
from tui_chat.store.search import Search, expression
from tui_chat.store.values import Prompt
from tui_chat.text.fold import fold, words_of

_MOST: Final = 5_000
"""Prompts that are read at most for one search; longer words have fewer candidates."""
_LONGEST: Final = 100_000
"""Bytes of a prompt that is offered again; a longer one was pasted."""
_WANTED: Final = f"""
    m.role = '{Role.USER}' AND m.size <= {_LONGEST} AND c.deleted IS NULL
"""
_COLUMNS: Final = f"{TEXT}, m.created"
_NEWEST: Final = f"""
    SELECT {_COLUMNS} FROM messages m NOT INDEXED CROSS JOIN chats c ON c.id = m.chat
    WHERE {_WANTED} ORDER BY m.seq DESC LIMIT {_MOST}
"""
_WAITING: Final = f"""
    SELECT {_COLUMNS} FROM messages m INDEXED BY messages_unindexed CROSS JOIN chats c ON c.id = m.chat
    WHERE NOT m.indexed AND {_WANTED} ORDER BY m.seq DESC LIMIT {_MOST}
"""
_INDEXED: Final = f"""
    SELECT {_COLUMNS} FROM grams CROSS JOIN messages m ON m.seq = grams.rowid CROSS JOIN chats c ON c.id = m.chat
    WHERE grams MATCH ? AND m.indexed AND {_WANTED} ORDER BY grams.rowid DESC LIMIT {_MOST}
"""


def prompts(typed: str, limit: int, *, beginning: bool) -> Search[Prompt]:
    """Finds at most `limit` different prompts that begin with what is typed, or else have all words of it."""
    beginning_with = fold(whole(typed))
    words = tuple(filter(None, (beginning_with,))) if beginning else words_of(whole(typed))

    def fits(text: str) -> bool:
        if beginning:
            return fold(text[: len(beginning_with)]) == beginning_with
        folded = fold(text)
        return all(word in folded for word in words)

    def find(connection: sqlite3.Connection, unwanted: Callable[[], bool]) -> Iterator[Prompt]:
        if words:
            rows = chain(connection.execute(_WAITING), connection.execute(_INDEXED, (expression(words),)))
        else:
            rows = chain(connection.execute(_NEWEST))
        seen: set[str] = set()
        for text, created in rows:
            if unwanted():
                return
            if text not in seen and text.strip() and fits(text):
                seen.add(text)
                yield Prompt(text, created)

    return Search(lambda connection, unwanted: islice(find(connection, unwanted), limit))
