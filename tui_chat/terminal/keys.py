"""What Textual's parser does not know, or takes for other keys: some keys, and a terminal's answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from textual import events
from textual.message import Message

from tui_chat.terminal.colours import is_dark
from tui_chat.terminal.sixel import sensible
from tui_chat.terminal.textual_private import Parser

_KEYS: Final[Mapping[str, str]] = {
    "\x1b\r": "alt+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;2;13~": "shift+enter",
}
"""By sequence: Escape before the key (xterm's `metaSendsEscape`), or `modifyOtherKeys`."""


_ANSWER: Final = re.compile(
    r"\x1b?\]11;(?P<colour>rgba?:[\da-fA-F/]{1,40})(?:\x07|\x1b\\)"
    r"|\x1b\[6;(?P<height>\d{1,4});(?P<width>\d{1,4})t|\x1b\[\?(?P<attributes>[\d;]{1,80})c"
)
"""What a terminal says of its background, its cells and itself. An Escape may have come in the read before."""
_HALF: Final = re.compile(
    r"(?:\x1b\]1?1?|\x1b?\]11;[rgba:\da-fA-F/]{0,40}\x1b?|\x1b\[(?:6(?:;[\d;]{0,9})?|\?[\d;]{0,80})?)\Z"
)
_HALF_SECONDS: Final = 0.5
"""So long the rest of an answer is awaited."""


@dataclass
class BackgroundTold(Message):
    """The terminal has said whether its background is dark."""

    dark: bool


@dataclass
class GraphicsTold(Message):
    """The terminal has said whether it has Sixel, and before, perhaps, how many pixels wide and high a cell is."""

    sixel: bool
    cell: tuple[int, int] | None


class KeyParser(Parser):
    """Textual's parser with these keys. A lone Escape counts as a key after 0.1 s."""

    def __init__(self) -> None:
        super().__init__()
        self._half = ""
        self._since = 0.0
        self._cell: tuple[int, int] | None = None
        """Width and height of a cell in pixels, as far as it was told."""

    def feed(self, data: str) -> Iterable[Message]:
        """What the next part of the input means. An answer of the terminal is none of the keys."""
        data, self._half = self._half + data, ""
        if "]" in data or "\x1b[" in data:
            for answer in _ANSWER.finditer(data):
                yield from self._told(answer)
            data = _ANSWER.sub("", data)
            if half := _HALF.search(data):
                data, self._half, self._since = data[: half.start()], half[0], monotonic()
        yield from super().feed(data) if data else ()

    def _told(self, answer: re.Match[str]) -> Iterable[Message]:
        if answer["colour"] and (dark := is_dark(answer["colour"])) is not None:
            yield BackgroundTold(dark=dark)
        elif answer["height"]:
            self._cell = sensible(int(answer["width"]), int(answer["height"]))
        elif answer["attributes"]:
            yield GraphicsTold(sixel="4" in answer["attributes"].split(";")[1:], cell=self._cell)

    def tick(self) -> Iterable[Message]:
        """What only time tells: what looked like the beginning of an answer was typed."""
        yield from super().tick()
        if self._half and monotonic() > self._since + _HALF_SECONDS:
            half, self._half = self._half, ""
            yield from super().feed(half)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if (key := _KEYS.get(sequence)) is not None:
            return [events.Key(key, None)]
        return super()._sequence_to_key_events(sequence, alt)
