"""Search: candidates from the index, then a look at each, so that a hit is one and its place is known."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from tui_chat.store import decode, faults
from tui_chat.store.chats import title_condition
from tui_chat.store.grams import expression
from tui_chat.store.pieces import TEXT
from tui_chat.store.text import whole
from tui_chat.store.transaction import transaction
from tui_chat.store.values import Hit
from tui_chat.text.fold import fold, spans_in, words_of

_BEFORE: Final = 40
"""Characters of a snippet before the first word found."""
_WIDTH: Final = 160
"""Characters of a snippet."""
_INSTRUCTIONS: Final = 2000
"""Steps of SQLite's machine between two looks at whether the search is still wanted: well below a millisecond."""
_COLUMNS: Final = f"m.id, m.role, m.created, {TEXT}, c.id, c.title"
_WAITING: Final = f"""
    SELECT {_COLUMNS} FROM messages m INDEXED BY messages_unindexed CROSS JOIN chats c ON c.id = m.chat
    WHERE NOT m.indexed AND c.deleted IS NULL ORDER BY m.seq DESC
"""
_INDEXED: Final = f"""
    SELECT {_COLUMNS} FROM grams CROSS JOIN messages m ON m.seq = grams.rowid CROSS JOIN chats c ON c.id = m.chat
    WHERE grams MATCH ? AND m.indexed AND c.deleted IS NULL ORDER BY grams.rowid DESC
"""

_FLAT: Final = {ord("\n"): " ", ord("\t"): " "}


class Search:
    """One search, which any thread may call off while it runs."""

    def __init__(self, query: str, limit: int, *, titles: bool = True) -> None:
        self._words = words_of(whole(query))
        self._limit = limit
        self._wants_titles = titles
        self._unwanted = threading.Event()

    def call_off(self) -> None:
        """End the search soon."""
        self._unwanted.set()

    def run(self, connection: sqlite3.Connection) -> tuple[Hit, ...] | None:
        """At most `limit` titles, then as many messages, each the newest first; None if it was called off."""
        if not self._words:
            return ()
        connection.set_progress_handler(self._unwanted.is_set, _INSTRUCTIONS)
        try:
            with transaction(connection, "DEFERRED"):  # one state of the database for all the questions
                titles = tuple(islice(self._titles(connection), self._limit)) if self._wants_titles else ()
                hits = titles + tuple(islice(self._messages(connection), self._limit))
        except sqlite3.OperationalError as error:
            if faults.code_of(error) != sqlite3.SQLITE_INTERRUPT:
                raise
            return None
        finally:
            connection.set_progress_handler(None, 0)
        return None if self._unwanted.is_set() else hits

    def _titles(self, connection: sqlite3.Connection) -> Iterator[Hit]:
        condition, values = title_condition(self._words)
        query = (
            f"SELECT c.id, c.title, c.updated FROM chats c WHERE {condition} ORDER BY c.updated DESC, c.id DESC"
        )
        for chat_id, stored, updated in connection.execute(query, values):
            title = decode.name(stored)
            yield Hit(chat_id, title, title, spans_in(fold(title), self._words), decode.time(updated))

    def _messages(self, connection: sqlite3.Connection) -> Iterator[Hit]:
        waiting = connection.execute(_WAITING)
        indexed = connection.execute(_INDEXED, (expression(self._words),))
        for message_id, role, created, stored, chat_id, title in chain(waiting, indexed):
            if self._unwanted.is_set():
                return
            text = stored or ""
            folded = fold(text)
            places = [folded.find(word) for word in self._words]
            if min(places) >= 0:
                snippet, spans = snippet_of(text, folded, self._words, min(places))
                yield Hit(
                    *(chat_id, decode.name(title), snippet, spans, decode.time(created), message_id),
                    role=decode.role(role),
                    at=min(places),
                )


def snippet_of(text: str, folded: str, words: tuple[str, ...], at: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of `text` around the place `at`, and where in it the words are."""
    start = max(0, at - _BEFORE)
    if start and (gap := text.find(" ", start, at)) >= 0:
        start = gap + 1  # not in the middle of a word
    end = start + _WIDTH
    before, after = "…" * (start > 0), "…" * (end < len(text))
    shift = len(before)
    spans = tuple((first + shift, last + shift) for first, last in spans_in(folded[start:end], words))
    return before + text[start:end].translate(_FLAT) + after, spans
