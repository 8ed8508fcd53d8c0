"""Separates the thinking that a model writes into its answer, between `<think>` and `</think>`, as it streams.

Servers without a reasoning parser send it so. The tags count only at the beginning of a reply: later they are
what it is about. If the prompt held the opening tag, only `</think>` comes, at the start of a line, after the
thinking was yielded as answer: `WasThinking` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from tui_chat.events import Delta, Thinking, WasThinking
from tui_chat.text.overlap import overlap

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
_LONE_CLOSE: Final = "\n" + _CLOSE
_MARGIN_LIMIT: Final = 256
"""How much white space may stand before a tag."""

Piece = Thinking | Delta | WasThinking


class _Place(Enum):
    START = auto()
    OPENED = auto()
    """Between the opening tag and the thinking."""
    THINKING = auto()
    CLOSED = auto()
    """Between the closing tag and the answer."""
    UNSURE = auto()
    """In what looks like the answer, until a closing tag shows that it was thinking."""
    ANSWER = auto()


_AFTER_GAP: Final = {_Place.OPENED: _Place.THINKING, _Place.CLOSED: _Place.ANSWER}


class ThinkTags:
    """Sorts pieces of text, cut anywhere, into thinking and answer. Texts are not sanitised."""

    def __init__(self, *, plain: bool = False) -> None:
        """`plain`: the reply continues an answer, so tags in it are text."""
        self._place = _Place.ANSWER if plain else _Place.START
        self._doubt = True
        self._held = ""

    def settle(self) -> None:
        """The server separates thinking itself: only a tag left at the start of the answer still counts."""
        self._doubt = False
        if self._place is _Place.UNSURE:
            self._place = _Place.ANSWER

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that are certain after `text`."""
        self._held += text
        before = None
        while self._held and before is not self._place:
            before = self._place
            yield from self._step()

    def close(self) -> Iterator[Piece]:
        """The text that was held back as the possible start of a tag."""
        text, self._held = self._held, ""
        if text:
            yield Thinking(text) if self._place is _Place.THINKING else Delta(text)

    def _step(self) -> Iterator[Piece]:
        match self._place:
            case _Place.START:
                self._start()
            case _Place.OPENED | _Place.CLOSED as gap:
                self._held = self._held.lstrip()
                if self._held:
                    self._place = _AFTER_GAP[gap]
            case _Place.THINKING:
                yield from self._think()
            case _Place.UNSURE:
                yield from self._wonder()
            case _Place.ANSWER:
                text, self._held = self._held, ""
                yield Delta(text)

    def _start(self) -> None:
        text = self._held.lstrip()
        if len(self._held) - len(text) > _MARGIN_LIMIT:
            self._place = self._unmarked
        elif text.startswith(_OPEN):
            self._held, self._place = text.removeprefix(_OPEN), _Place.OPENED
        elif text.startswith(_CLOSE):
            self._held, self._place = text.removeprefix(_CLOSE), _Place.CLOSED
        elif not (_OPEN.startswith(text) or _CLOSE.startswith(text)):
            self._place = self._unmarked

    @property
    def _unmarked(self) -> _Place:
        return _Place.UNSURE if self._doubt else _Place.ANSWER

    def _think(self) -> Iterator[Piece]:
        text, tag = self._take_until(_CLOSE)
        if text:
            yield Thinking(text)
        if tag:
            self._place = _Place.CLOSED

    def _wonder(self) -> Iterator[Piece]:
        text, tag = self._take_until(_LONE_CLOSE, _OPEN)
        if text:
            yield Delta(text)
        if tag == _LONE_CLOSE:
            yield WasThinking()
            self._place = _Place.CLOSED
        elif tag == _OPEN:
            self._held = _OPEN + self._held
            self._place = _Place.ANSWER

    def _take_until(self, *tags: str) -> tuple[str, str]:
        """Take the text before the first of `tags`, and the tag; without one, all that cannot be part of one."""
        match = re.search("|".join(map(re.escape, tags)), self._held)
        if match:
            text, self._held = self._held[: match.start()], self._held[match.end() :]
            return text, match.group()
        cut = len(self._held) - max(overlap(self._held, tag) for tag in tags)
        text, self._held = self._held[:cut], self._held[cut:]
        return text, ""
