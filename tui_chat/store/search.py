"""Search, and its index: texts cut into pieces of one to three characters.

A text contains a word only if it contains all of the word's pieces, so an index of pieces finds candidates in
any language, with or without spaces, for words of any length. The candidates' texts are then searched. SQLite's
own trigram tokenizer finds no words below three characters (most Chinese words have two), and its index of the
same text was three times as large.

A message is indexed once it no longer grows. Texts that are not indexed yet are searched directly, so no search
misses anything.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, TypeVar

from tui_chat.messages import State
from tui_chat.store import faults
from tui_chat.store.chats import title_condition
from tui_chat.store.fields import decoded, whole
from tui_chat.store.parts import TEXT
from tui_chat.store.schema import transaction
from tui_chat.store.values import Hit
from tui_chat.text.fold import fold, spans_in, words_of

Found = TypeVar("Found")

_BEFORE: Final = 40
"""Characters of a snippet before the first word found."""
_WIDTH: Final = 160
"""Characters of a snippet."""
_INSTRUCTIONS: Final = 2000
"""SQLite's steps between checks for a cancelled search: well below a millisecond."""
_FIELDS: Final = ("message", "role", "created", "chat", "title")
_COLUMNS: Final = f"{TEXT}, m.id, m.role, m.created, c.id, c.title"
_WAITING: Final = """
    SELECT {} FROM messages m INDEXED BY messages_unindexed CROSS JOIN chats c ON c.id = m.chat
    WHERE NOT m.indexed AND c.deleted IS NULL {} ORDER BY m.seq DESC
"""
INDEXED: Final = """
    SELECT {} FROM grams CROSS JOIN messages m ON m.seq = grams.rowid CROSS JOIN chats c ON c.id = m.chat
    WHERE grams MATCH ? AND m.indexed AND c.deleted IS NULL {} ORDER BY grams.rowid DESC
"""
"""Without columns and further conditions."""

_FLAT: Final = {ord("\n"): " ", ord("\t"): " "}
_MOST_GRAMS: Final = 48
"""Most pieces of a query to look up: more do not narrow the candidates."""
_SLICE: Final = 500
"""Characters to cut at once, while no other thread runs: a tenth of a millisecond."""
_LONG: Final = 20_000
"""Characters of a text from which cutting pauses, so that keys go first."""
_REST_SECONDS: Final = 0.0002
_TOKEN: Final = {code: 0xE000 + code for code in range(0x80) if not chr(code).isalnum()}
"""Maps characters at which FTS5's `ascii` tokenizer would cut to private ones."""
_BATCH: Final = 40_000
"""Characters to index at once: some 20 ms, which may delay a checkpoint."""
_UNINDEXED: Final = f"""
    SELECT seq, {TEXT} FROM messages m INDEXED BY messages_unindexed
    WHERE NOT indexed AND state <> ? ORDER BY seq DESC
"""
_OF_INDEXED: Final = f"SELECT seq, {TEXT} FROM messages m WHERE indexed AND"


def found(
    connection: sqlite3.Connection,
    find: Callable[[sqlite3.Connection, Callable[[], bool]], Iterable[Found]],
    unwanted: Callable[[], bool],
) -> tuple[Found, ...] | None:
    """What `find` finds; None if meanwhile, in any thread, it becomes `unwanted`."""
    connection.set_progress_handler(unwanted, _INSTRUCTIONS)
    try:
        with transaction(connection, "DEFERRED"):  # one state of the database
            hits = tuple(find(connection, unwanted))
    except sqlite3.OperationalError as error:
        if faults.code_of(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        connection.set_progress_handler(None, 0)
    return None if unwanted() else hits


def search(
    connection: sqlite3.Connection, unwanted: Callable[[], bool], query: str, limit: int, *, titles: bool
) -> Iterator[Hit]:
    """Finds at most `limit` titles, then as many messages, each the newest first."""
    words = words_of(whole(query))
    if words and titles:
        yield from islice(_titles(connection, words), limit)
    if words:
        yield from islice(_messages(connection, words, unwanted), limit)


def candidates(
    connection: sqlite3.Connection, columns: str, words: tuple[str, ...], wanted: str = "", most: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """These columns of the messages that may contain all of the folded `words`; `wanted`: a further condition.

    First those that are not indexed yet, then the others, each the newest first and at most so many.
    """
    waiting = connection.execute(_WAITING.format(columns, wanted))
    indexed = connection.execute(INDEXED.format(columns, wanted), (expression(words),))
    return chain(islice(waiting, most), islice(indexed, most))


def _titles(connection: sqlite3.Connection, words: tuple[str, ...]) -> Iterator[Hit]:
    condition, values = title_condition(words)
    query = f"SELECT c.id, c.title, c.updated FROM chats c WHERE {condition} ORDER BY c.updated DESC, c.id DESC"
    for row in connection.execute(query, values):
        found = decoded(("chat", "title", "updated"), row)
        title = found["title"]
        yield Hit(found["chat"], title, title, spans_in(fold(title), words), found["updated"])


def _messages(
    connection: sqlite3.Connection, words: tuple[str, ...], unwanted: Callable[[], bool]
) -> Iterator[Hit]:
    for text, *row in candidates(connection, _COLUMNS, words):
        if unwanted():
            return
        folded = fold(text)
        places = [folded.find(word) for word in words]
        if (at := min(places)) >= 0:
            snippet, spans = snippet_of(text, folded, words, at)
            yield Hit(snippet=snippet, spans=spans, at=at, **decoded(_FIELDS, row))


def snippet_of(text: str, folded: str, words: tuple[str, ...], at: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of `text` around position `at`, and the positions of the words in it."""
    start = max(0, at - _BEFORE)
    if start and (gap := text.find(" ", start, at)) >= 0:
        start = gap + 1  # not in the middle of a word
    end = start + _WIDTH
    before, after = "…" * (start > 0), "…" * (end < len(text))
    shift = len(before)
    spans = tuple((first + shift, last + shift) for first, last in spans_in(folded[start:end], words))
    return before + text[start:end].translate(_FLAT) + after, spans


def index_some(connection: sqlite3.Connection) -> bool:
    """Index some of the waiting messages, the newest first; returns whether there are more."""
    batch: list[tuple[int, str]] = []
    volume, more = 0, False
    for seq, text in connection.execute(_UNINDEXED, (State.STREAMING,)):
        if batch and volume + len(text) > _BATCH:
            more = True
            break
        volume += len(text)
        batch.append((seq, text))
    for seq, text in reversed(batch):  # FTS5 buffers rows only in ascending order
        connection.execute("INSERT INTO grams (rowid, pieces) VALUES (?, ?)", (seq, document(fold(text))))
    connection.executemany("UPDATE messages SET indexed = 1 WHERE seq = ?", [(seq,) for seq, _ in batch])
    return more


def forget_if_changed(connection: sqlite3.Connection, seq: int, text: str) -> None:
    """Remove a message from the index unless its text is `text`."""
    for _, old in connection.execute(f"{_OF_INDEXED} seq = ?", (seq,)).fetchall():
        if old != text:
            _forget(connection, seq, old)


def forget_chat(connection: sqlite3.Connection, chat_id: str) -> None:
    """Remove all messages of a chat from the index."""
    for seq, text in connection.execute(f"{_OF_INDEXED} chat = ?", (chat_id,)).fetchall():
        _forget(connection, seq, text)


def rebuild(connection: sqlite3.Connection) -> None:
    """Empty the index; all messages are indexed again."""
    connection.execute("INSERT INTO grams (grams) VALUES ('delete-all')")
    connection.execute("UPDATE messages SET indexed = 0")


def _forget(connection: sqlite3.Connection, seq: int, text: str) -> None:
    delete = "INSERT INTO grams (grams, rowid, pieces) VALUES ('delete', ?, ?)"
    connection.execute(delete, (seq, document(fold(text))))
    connection.execute("UPDATE messages SET indexed = 0 WHERE seq = ?", (seq,))


def document(folded: str) -> str:
    """The distinct pieces of a folded text, separated by spaces."""
    pieces: set[str] = set()
    for start in range(0, len(folded), _SLICE):
        if len(folded) > _LONG:
            time.sleep(_REST_SECONDS)
        first = folded[start : start + _SLICE + 2].translate(_TOKEN)
        pieces.update(first)
        second, third = first[1:], first[2:]
        pieces.update(map("".join, zip(first, second, strict=False)))
        pieces.update(map("".join, zip(first, second, third, strict=False)))
    return " ".join(pieces)


def expression(words: tuple[str, ...]) -> str:
    """The FTS5 query for texts that may contain all of the folded `words`."""
    translated = [word.translate(_TOKEN) for word in words]
    pieces = dict.fromkeys(word[at : at + 3] for word in translated for at in range(max(1, len(word) - 2)))
    return " AND ".join(f'"{piece}"' for piece in list(pieces)[:_MOST_GRAMS])
