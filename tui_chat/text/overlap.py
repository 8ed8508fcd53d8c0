"""Joining a cut text with a continuation that may repeat the end of it."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 400
"""Characters of a repeated end that are looked for."""
_SHORTEST: Final = 12
"""A shorter repetition may be chance: words like "the" begin and end many texts."""

_SPACED_UNTIL: Final = "\u0900"
"""Below it are the letters of Latin, Greek, Cyrillic, Hebrew, Arabic and their like."""


class OverlapTrimmer:
    """Takes a continuation in pieces and gives it back without what repeats the end of `before`.

    A piece is held back only while it could still be part of a repetition, so that little is delayed.
    """

    def __init__(self, before: str) -> None:
        self._before = before
        self._tail = before[-_LONGEST:]
        self._held: str | None = ""

    def feed(self, piece: str) -> str:
        """The part of the continuation that can be shown now."""
        if self._held is None:
            return piece
        self._held += piece
        if len(self._held) <= _LONGEST and self._may_repeat(self._held):
            return ""
        return self.finish()

    def finish(self) -> str:
        """What was held back; to be called at the end as well."""
        held, self._held = self._held, None
        return "" if held is None else self._joined(held)

    def _may_repeat(self, held: str) -> bool:
        text = held.lstrip()
        return not text or text in self._tail

    def _joined(self, held: str) -> str:
        text = held.lstrip()
        for length in range(min(len(text), len(self._tail)), 0, -1):
            if self._tail.endswith(text[:length]) and (length >= _SHORTEST or length == len(self._tail)):
                return text[length:]
        for length in range(len(held) - len(text), 0, -1):  # blanks that stand before the seam already
            if self._tail.endswith(held[:length]):
                return held[length:]
        return f" {text}" if held == text and _are_two_words(self._before[-1:], text[:1]) else held


def _are_two_words(last: str, first: str) -> bool:
    """Whether two letters, of which one ends a token and one begins a reply, rather belong to two words.

    Replies begin without the space that a next token would have had. Where words have no spaces between them
    (Chinese, Japanese, Thai), and between digits, nothing is missing.
    """
    return all(letter.isalpha() and letter < _SPACED_UNTIL for letter in (last, first))
