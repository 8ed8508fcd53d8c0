"""Separates the thinking that a model writes into its answer, between `<think>` and `</think>`, as it streams.

Servers without a reasoning parser send it so. The tags count only at the beginning of a reply: later they are
what it is about. If the prompt held the opening tag, only `</think>` comes, at the start of a line, after the
thinking was yielded as answer: `WasThinking` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tui_chat.events import Delta, Thinking, WasThinking
from tui_chat.text.overlap import overlap

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
_LONE_CLOSE: Final = "\n" + _CLOSE
_MARGIN_LIMIT: Final = 256
"""How much white space may stand before a tag."""

Piece = Thinking | Delta | WasThinking


class ThinkTags:
    """Sorts pieces of text, cut anywhere, into thinking and answer. Texts are not sanitised."""

    def __init__(self, *, plain: bool = False) -> None:
        """`plain`: the reply continues an answer, so tags in it are text."""
        self._step: Callable[[], Iterator[Piece]] = self._speak if plain else self._start
        """Reads on from the present place, as far as that is certain."""
        self._doubt = True
        self._held = ""

    def settle(self) -> None:
        """The server separates thinking itself: only a tag left at the start of the answer still counts."""
        self._doubt = False
        if self._step == self._wonder:
            self._step = self._speak

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that are certain after `text`."""
        self._held += text
        before = None
        while self._held and self._step != before:
            before = self._step
            yield from self._step()

    def close(self) -> Iterator[Piece]:
        """The text that was held back as the possible start of a tag."""
        text, self._held = self._held, ""
        if text:
            yield Thinking(text) if self._step == self._think else Delta(text)

    def _start(self) -> Iterator[Piece]:
        text, unmarked = self._held.lstrip(), self._wonder if self._doubt else self._speak
        if len(self._held) - len(text) > _MARGIN_LIMIT:
            self._step = unmarked
        elif text.startswith(_OPEN):
            self._held, self._step = text.removeprefix(_OPEN), partial(self._skip, self._think)
        elif text.startswith(_CLOSE):
            self._held, self._step = text.removeprefix(_CLOSE), partial(self._skip, self._speak)
        elif not (_OPEN.startswith(text) or _CLOSE.startswith(text)):
            self._step = unmarked
        return iter(())

    def _skip(self, then: Callable[[], Iterator[Piece]]) -> Iterator[Piece]:
        """Drop the white space after a tag."""
        self._held = self._held.lstrip()
        if self._held:
            self._step = then
        return iter(())

    def _speak(self) -> Iterator[Piece]:
        text, self._held = self._held, ""
        yield Delta(text)

    def _think(self) -> Iterator[Piece]:
        text, tag = self._take_until(_CLOSE)
        if text:
            yield Thinking(text)
        if tag:
            self._step = partial(self._skip, self._speak)

    def _wonder(self) -> Iterator[Piece]:
        """Read what looks like the answer, until a closing tag shows that it was thinking."""
        text, tag = self._take_until(_LONE_CLOSE, _OPEN)
        if text:
            yield Delta(text)
        if tag == _LONE_CLOSE:
            yield WasThinking()
            self._step = partial(self._skip, self._speak)
        elif tag == _OPEN:
            self._held = _OPEN + self._held
            self._step = self._speak

    def _take_until(self, *tags: str) -> tuple[str, str]:
        """Take the text before the first of `tags`, and the tag; without one, all that cannot be part of one."""
        match = re.search("|".join(map(re.escape, tags)), self._held)
        if match:
            text, self._held = self._held[: match.start()], self._held[match.end() :]
            return text, match.group()
        cut = len(self._held) - max(overlap(self._held, tag) for tag in tags)
        text, self._held = self._held[:cut], self._held[cut:]
        return text, ""
