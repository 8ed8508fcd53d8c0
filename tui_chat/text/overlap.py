"""Where the end of one text is the beginning of another: continuations that repeat, texts cut in two."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 400
"""Characters of a repeated end that are looked for."""
_SHORTEST: Final = 12
"""A shorter repetition may be chance: words like "the" begin and end many texts."""

_SPACED_UNTIL: Final = "\u0900"
"""Below it are the letters of Latin, Greek, Cyrillic, Hebrew, Arabic and their like."""


def overlap(text: str, other: str) -> int:
    """How many characters at the end of `text` are the beginning of `other`, without being all of it."""
    return next((size for size in range(len(other) - 1, 0, -1) if text.endswith(other[:size])), 0)


class OverlapTrimmer:
    """Takes a continuation in pieces and gives it back without what it repeats of `before`.

    Two things count as repeated:

    - All of `before` from its beginning, whoever sends it: a server that goes on exactly may say what it goes on
      from first (llama.cpp since 2026-05 does, in one piece), and a model may begin its reply again.
    - The end of `before`, which a model that was asked in words to go on often takes up. Not so where it goes on
      `exact`ly: the next words may well equal the last ones, as in "ha ha " and "ha ha!", or in a table's rows.

    For the same reason an exact continuation that repeats all of a very short text (`_SHORTEST`) loses it only
    where it comes in one piece, which is an echo: a single token is shorter.
    A piece is held back only while it could still be part of a repetition, so that little is delayed.
    """

    def __init__(self, before: str, *, exact: bool = False) -> None:
        self._before = before
        self._exact = exact
        self._echo = _Echo(before, at_once=exact)
        self._held: list[str] | None = []

    def feed(self, piece: str) -> str:
        """The part of the continuation that can be shown now."""
        if self._held is None:
            return piece
        self._held.append(piece)
        rest = self._echo.feed(piece)
        if rest is None and (self._echo.possible or self._may_repeat_the_end()):
            return ""
        return self.finish() + (rest or "")

    def finish(self) -> str:
        """What was held back; to be called at the end as well."""
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
        for length in range(len(held) - len(text), 0, -1):  # blanks that stand before the seam already
            if self._tail.endswith(held[:length]):
                return held[length:]
        return f" {text}" if held == text and _are_two_words(self._before[-1:], text[:1]) else held


class _Echo:
    """Compares a continuation with all of `before` as it comes. Blanks around `before` may be missing in it."""

    def __init__(self, before: str, *, at_once: bool) -> None:
        self._before = before.lstrip()
        self._needed = len(self._before.rstrip())
        self._at_once = at_once and self._needed < _SHORTEST
        """Whether only one that comes in one piece counts."""
        self._at = 0
        self.possible = self._needed > 0
        """Whether it may become an echo by what is still to come."""

    @property
    def whole(self) -> bool:
        """Whether all of `before` was repeated."""
        return 0 < self._needed <= self._at

    def feed(self, piece: str) -> str | None:
        """What follows the echo in `piece`, where it ends there; None while there is more to come, or no echo."""
        if not self.possible:
            return None
        text = piece if self._at else piece.lstrip()
        same = _common(text, self._before[self._at : self._at + len(text)])
        self._at += same
        if same == len(text) and self._at < len(self._before):
            self.possible = self.whole or not (text and self._at_once)
            return None
        self.possible = False
        return text[same:] if self.whole else None


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    if one == other:
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _are_two_words(last: str, first: str) -> bool:
    """Whether two letters, of which one ends a token and one begins a reply, rather belong to two words.

    Replies begin without the space that a next token would have had. Where words have no spaces between them
    (Chinese, Japanese, Thai), and between digits, nothing is missing.
    """
    return all(letter.isalpha() and letter < _SPACED_UNTIL for letter in (last, first))
