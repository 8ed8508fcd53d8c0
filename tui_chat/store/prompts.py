"""Earlier prompts of all chats, the newest first, by how they begin or by words in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from tui_chat.messages import Role
from tui_chat.store.fields import whole
from tui_chat.store.parts import TEXT
from tui_chat.store.search import candidates
from tui_chat.store.values import Prompt
from tui_chat.text.fold import fold, words_of

_MOST: Final = 5_000
"""Prompts of a kind, indexed or not yet, that one search reads at most; longer words have fewer candidates."""
_LONGEST: Final = 100_000
"""Bytes of a prompt that is offered again; a longer one was pasted."""
_WANTED: Final = f"AND m.role = '{Role.USER}' AND m.size <= {_LONGEST}"
_COLUMNS: Final = f"{TEXT}, m.created"
_NEWEST: Final = f"""
    SELECT {_COLUMNS} FROM messages m NOT INDEXED CROSS JOIN chats c ON c.id = m.chat
    WHERE c.deleted IS NULL {_WANTED} ORDER BY m.seq DESC
"""


def prompts(
    connection: sqlite3.Connection, unwanted: Callable[[], bool], typed: str, *, beginning: bool
) -> Iterator[Prompt]:
    """Finds different prompts that begin with what is typed, or else have all words of it."""
    start = fold(whole(typed))
    words = tuple(filter(None, (start,))) if beginning else words_of(whole(typed))
    if words:
        rows = candidates(connection, _COLUMNS, words, _WANTED, _MOST)
    else:
        rows = islice(connection.execute(_NEWEST), _MOST)
    seen: set[str] = set()
    for text, created in rows:
        if unwanted():
            return
        if beginning:
            fits = fold(text[: len(start)]) == start
        else:
            folded = fold(text)
            fits = all(word in folded for word in words)
        if fits and text not in seen and text.strip():
            seen.add(text)
            yield Prompt(text, created)
