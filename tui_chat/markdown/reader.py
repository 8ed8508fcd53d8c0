"""From a source that comes in pieces to the units that it completes."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

from tui_chat.markdown.blocks import BlockParser
from tui_chat.markdown.units import Unit

PIECE: Final = 500
"""Characters of the pieces in which the rest of a long line is read."""


class Reader:
    """Reads a source once, from its beginning to its end, however it is cut.

    A clone costs little and goes on from the same place: it reads the same text to the same units.
    """

    __slots__ = ("_in_long_line", "_parser", "_partial")

    def __init__(self, blocks: int = 0) -> None:
        """`blocks`: code blocks before this source."""
        self._parser = BlockParser(blocks)
        self._partial = ""
        self._in_long_line = False

    def clone(self) -> Self:
        """A reader at the same place of the same source."""
        other = copy(self)
        other._parser = self._parser.clone()
        return other

    def feed(self, text: str) -> list[Unit]:
        """Read on; the units that are complete now."""
        *lines, last = (self._partial + text).split("\n")
        for line in lines:
            self._read_line(line, ended=True)
        self._read_line(last, ended=False)
        units, self._parser.out = self._parser.out, []
        return units

    def tail(self, *, growing: bool = False) -> list[Unit]:
        """The units that the source ends with, as if nothing followed; `growing`: as what they are going to be."""
        trial = self._parser.clone()
        if self._in_long_line:
            trial.more(self._partial, ended=True)
        elif self._partial and not (growing and trial.awaits_more(self._partial)):
            trial.line(self._partial, ended=False)
        trial.close(growing=growing)
        return trial.out

    def _read_line(self, text: str, *, ended: bool) -> None:
        parser = self._parser
        while len(text) > (limit := PIECE if self._in_long_line else parser.limit):
            if self._in_long_line:
                parser.more(text[:limit])
            else:
                parser.line(text[:limit], long=True)
                self._in_long_line = True
            text = text[limit:]
        if ended and self._in_long_line:
            parser.more(text, ended=True)
            self._in_long_line = False
        elif ended:
            parser.line(text)
        self._partial = "" if ended else text
