"""How folded text is made findable: cut into pieces of one to three characters.

A text contains a word only if it contains all of the word's pieces, so an index of pieces finds candidates in
any language, with or without spaces between words, for words of one character as for long ones. The candidates
are then looked at. SQLite's own trigram tokenizer finds no words below three characters (Chinese has mostly two)
and, for the same text, made an index three times as large.
"""

from __future__ import annotations

import time
from typing import Final

_MOST_GRAMS: Final = 48
"""Pieces of a query that are looked up: more do not narrow the candidates."""

_SLICE: Final = 500
"""Characters that are cut in one go, in which no other thread runs: a tenth of a millisecond."""
_LONG: Final = 20_000
"""Characters of a text that is cut at leisure: a key pressed meanwhile goes first."""
_REST_SECONDS: Final = 0.0002


_TOKEN: Final = {code: 0xE000 + code for code in range(0x80) if not chr(code).isalnum()}
"""What FTS5's `ascii` tokenizer would cut at becomes private characters, which it keeps."""


def document(folded: str) -> str:
    """All pieces of a folded text, each once, as tokens between spaces."""
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
    pieces = dict.fromkeys(
        piece
        for word in words
        for piece in (_trigrams(word.translate(_TOKEN)) if len(word) > 3 else [word.translate(_TOKEN)])
    )
    return " AND ".join(f'"{piece}"' for piece in list(pieces)[:_MOST_GRAMS])


def _trigrams(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(len(text) - 2)]
