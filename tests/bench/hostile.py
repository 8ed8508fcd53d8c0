"""Replies that nobody writes, but a model caught in a loop or somebody hostile does: in pieces as they come."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from typing import Final

LONG: Final = 200_000
"""Characters of most of them."""
MEGABYTE: Final = 1_000_000
_WORDS: Final = [
    "the",
    "queue",
    "holds",
    "at",
    "most",
    "sixteen",
    "values",
    "and",
    "a",
    "sender",
    "waits",
    "until",
    "one",
    "of",
    "them",
    "was",
    "taken",
]


def _at_once(text: str) -> Callable[[], list[str]]:
    return lambda: [text]


def _by(size: int, text: str) -> Callable[[], list[str]]:
    return lambda: [text[start : start + size] for start in range(0, len(text), size)]


def _words(count: int) -> str:
    return " ".join(islice(cycle(_WORDS), count))


HOSTILE: Final[dict[str, Callable[[], list[str]]]] = {
    "marks at once": _at_once("!" * LONG),
    "marks by 50": _by(50, "!" * LONG),
    "brackets": _by(50, "[" * LONG),
    "colons": _at_once(":" * LONG),
    "accents": _at_once("a" + "\u0301" * LONG),
    "zero-width spaces": _at_once("\u200b" * LONG),
    "emoji with skin tones": _at_once("👍🏽" * (LONG // 4)),
    "breaks and spaces": _at_once("<br> " * (LONG // 5)),
    "control characters": _at_once("\x01" * LONG),
    "one reference again and again": _by(
        1000, "".join(f"[a]: http://x/{i}\n\n[a]\n\n" for i in range(LONG // 25))
    ),
    "nested quotes": _at_once(">" * 10_000 + " x"),
    "newlines": _at_once("\n" * MEGABYTE),
    "a list of short items": _by(10_000, "- a\n" * (MEGABYTE // 4)),
    "a list": _by(10_000, f"- {_words(8)}\n" * (MEGABYTE // 46)),
    "words": _by(10_000, _words(MEGABYTE * 10 // 53)),
}
"""How each kind makes its tokens; all are between 10,000 and a million characters."""
