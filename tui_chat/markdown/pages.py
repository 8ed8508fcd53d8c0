"""The settled units of a long source: the last ones at hand, the others read again when they are looked at.

A unit weighs some hundred bytes, and a short item of a list is a unit. A page is the text that some of them came
from, and a reader as it was before them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from typing import Final

from tui_chat.markdown.reader import Reader
from tui_chat.markdown.units import Unit

UNITS: Final = 256
"""Units after which a page is full."""
KEPT: Final = 8
"""Full pages whose units are kept."""


class Units:
    """Units in the order of their source; they only ever become more."""

    def __init__(self, reader: Reader) -> None:
        self._pages: list[tuple[int, Reader, str]] = []
        """Of each full page its first unit's number, the reader before it, and its text."""
        self._kept: OrderedDict[int, list[Unit]] = OrderedDict()
        self._first = 0
        self._reader = reader
        self._texts: list[str] = []
        self._last: list[Unit] = []

    def add(self, text: str, units: list[Unit], reader: Reader) -> None:
        """`text` was read and completed `units`; the reader goes on from there."""
        self._texts.append(text)
        self._last += units
        if len(self._last) >= UNITS:
            self._keep(len(self._pages), self._last)
            self._pages.append((self._first, self._reader, "".join(self._texts)))
            self._first += len(self._last)
            self._reader, self._texts, self._last = reader.clone(), [], []

    def __len__(self) -> int:
        return self._first + len(self._last)

    def __getitem__(self, index: int) -> Unit:
        if index >= self._first:
            return self._last[index - self._first]
        number = bisect_right(self._pages, index, key=lambda page: page[0]) - 1
        return self._page(number)[index - self._pages[number][0]]

    def _page(self, number: int) -> list[Unit]:
        if number not in self._kept:
            _, reader, text = self._pages[number]
            self._keep(number, reader.clone().feed(text))
        self._kept.move_to_end(number)
        return self._kept[number]

    def _keep(self, number: int, units: list[Unit]) -> None:
        self._kept[number] = units
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
