"""Overlaps between the end of one text and the beginning of another, as in continuations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST: Final = 400
"""Longest repeated end in characters."""
_SHORTEST: Final = 12
"""Shortest repetition that is not chance: words like "the" begin and end many texts."""

_SPACED_UNTIL: Final = "\u0900"
"""Scripts below it put spaces between words: Latin, Greek, Cyrillic, Hebrew, Arabic ..."""


def common(one: Sequence[object], other: Sequence[object]) -> int:
    """How much two texts, or any sequences, have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a is not b and a != b), min(len(one), len(other)))


def overlap(text: str, other: str) -> int:
    """How many characters at the end of `text` begin `other`, fewer than all of it."""
    return next((size for size in range(len(other) - 1, 0, -1) if text.endswith(other[:size])), 0)


class OverlapTrimmer:
    """Removes from a continuation, given in pieces, what it repeats of `before`.

    It removes two kinds of repetition:

    - All of `before`: some servers send it first (llama.cpp since 2026-05, in one piece), and models may begin
      their reply again.
    - The end of `before`, which models often repeat when asked in words to continue. Not from `exact`
      continuations: their next words may equal the last ones, as in "ha ha " and "ha ha!", or in a table's rows.

    For the same reason, `before` of less than `_SHORTEST` characters is removed from an exact continuation only if
    it comes in one piece: a single token is shorter.
    A piece is held back only while it may still be part of a repetition.
    """

    def __init__(self, before: str, *, exact: bool = False) -> None:
        self._before = before
        self._exact = exact
        self._echo = _Echo(before, at_once=exact)
        self._held: list[str] | None = []

    def feed(self, piece: str) -> str:
        """The text that can be shown now."""
        if self._held is None:
            return piece
        self._held.append(piece)
        rest = self._echo.feed(piece)
        if rest is None and (self._echo.possible or self._may_repeat_the_end()):
            return ""
        return self.finish() + (rest or "")

    def finish(self) -> str:
        """The text held back; call this at the end."""
        held, self._held = self._held, None
        if held is None or self._echo.whole:
            return ""
        text = "".join(held)
        return text if self._exact else self._joined(text)

    @property
    def _tail(self) -> str:
        return self._before[-_LONGEST:]

    def _may_repeat_the_end(self) -> bool:
        text = "".join(self._held or ()).lstrip()
        return not self._exact and len(text) <= _LONGEST and text in self._tail

    def _joined(self, held: str) -> str:
        text = held.lstrip()
        for length in range(min(len(text), _LONGEST), _SHORTEST - 1, -1):
            if self._tail.endswith(text[:length]):
                return text[length:]
        for length in range(len(held) - len(text), 0, -1):  # blanks that `before` ends with
            if self._tail.endswith(held[:length]):
                return held[length:]
        return f" {text}" if held == text and _are_two_words(self._before[-1:], text[:1]) else held


class _Echo:
    """Compares a continuation with all of `before`, piece by piece, ignoring blanks around `before`."""

    def __init__(self, before: str, *, at_once: bool) -> None:
        self._before = before.lstrip()
        self._needed = len(self._before.rstrip())
        self._at_once = at_once and self._needed < _SHORTEST
        """Whether the echo must come in one piece."""
        self._at = 0
        self.possible = self._needed > 0
        """Whether later pieces may still complete an echo."""

    @property
    def whole(self) -> bool:
        """Whether all of `before` was repeated."""
        return 0 < self._needed <= self._at

    def feed(self, piece: str) -> str | None:
        """The text after the echo, if the echo ends in `piece`, else None."""
        if not self.possible:
            return None
        text = piece if self._at else piece.lstrip()
        same = common(text, self._before[self._at : self._at + len(text)])
        self._at += same
        if same == len(text) and self._at < len(self._before):
            self.possible = self.whole or not (text and self._at_once)
            return None
        self.possible = False
        return text[same:] if self.whole else None


def _are_two_words(last: str, first: str) -> bool:
    """Whether a space is missing between the last letter of a text and the first of its continuation.

    Replies begin without the space of a next token. Scripts without spaces (Chinese, Japanese, Thai) and digits
    need none.
    """
    return all(letter.isalpha() and letter < _SPACED_UNTIL for letter in (last, first))
