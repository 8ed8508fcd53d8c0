"""The painter: turns what the terminal shows into what it should show."""

from __future__ import annotations

from typing import Final

from tui_chat.terminal.cells import SIXEL, UNKNOWN, Row, blank, overlay
from tui_chat.terminal.diff import changed_runs, find_scroll
from tui_chat.terminal.frames import Frame
from tui_chat.terminal.sequences import SequenceWriter
from tui_chat.terminal.sixel import Sixels

_KNOWN_STATE = "\x1b[r\x1b[?7l"
"""No margins and no line wrap, which `SequenceWriter` relies on."""
_PICTURE_ROWS: Final = 2
"""Rows with Sixel pictures that are painted at once: some 10 kB each."""


class Painter:
    """Keeps both screens and paints the difference. Not thread-safe."""

    def __init__(self, *, erases_in_colour: bool) -> None:
        """A painter for a terminal with unknown content. The first frame tells its size."""
        self.sixels = Sixels()
        self._erases_in_colour = erases_in_colour
        self._wanted_cursor = (0, 0)
        self._resize(0, 0)

    def show(self, frame: Frame, width: int, height: int) -> None:
        """Apply a frame to the wanted screen, which has this size in cells."""
        if (width, height) != (self._width, self._height):
            self._resize(width, height)
        wanted, stale = self._wanted, self._stale
        for x, y, cells in frame.patches:
            if y < height:
                wanted[y] = overlay(wanted[y], x, cells)
                stale.add(y)
        x, y = frame.cursor
        self._wanted_cursor = (min(x, width - 1), min(y, height - 1))

    def forget(self) -> None:
        """Treat the terminal's content as unknown: the next `paint` draws everything."""
        self._shown: list[Row] = [(UNKNOWN,) * self._width] * self._height
        self._stale = set(range(self._height))
        self._pen = SequenceWriter(self._width, self._erases_in_colour, self.sixels)
        self._lost = True

    def paint(self) -> str:
        """The sequences that bring the terminal up to date; empty if it is.

        Of rows with Sixel pictures only so many are painted at once that a key's echo need not wait for long.
        """
        pen = self._pen
        preamble = _KNOWN_STATE if self._lost else ""
        self._lost = False
        if self._stale:
            self._paint_rows(pen)
            pen.end_link()
        pen.move(*self._wanted_cursor)
        return preamble + pen.take()

    def plain(self) -> str:
        """The sequences that reset style and margins, before another program writes."""
        self._pen.end()
        return self._pen.take()

    def _resize(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._wanted = [(blank(),) * width] * height
        self.forget()

    def _paint_rows(self, pen: SequenceWriter) -> None:
        shown, wanted, stale = self._shown, self._wanted, self._stale
        scroll = find_scroll(shown, wanted)
        if scroll is not None:
            top, bottom, lines = scroll
            pen.scroll(top, bottom, lines, self._height)
            freed = [(UNKNOWN,) * self._width] * abs(lines)
            kept = shown[top : bottom + 1]
            shown[top : bottom + 1] = kept[lines:] + freed if lines > 0 else freed + kept[:lines]
            stale.update(range(top, bottom + 1))
        later: set[int] = set()
        drawn = 0
        for y in sorted(stale):
            row = wanted[y]
            if row is not shown[y]:
                if self.sixels and (bare := _without_new_pictures(shown[y], row)) != row:
                    drawn += 1
                    if drawn > _PICTURE_ROWS:
                        later.add(y)
                        row = bare
                for start, end in changed_runs(shown[y], row):
                    pen.draw(y, row, start, end)
                shown[y] = row
        self._stale = later


def _without_new_pictures(shown: Row, wanted: Row) -> Row:
    """A row with blanks where a picture is wanted that is not shown yet."""
    return tuple(
        blank() if cell.style is SIXEL and cell != was else cell for was, cell in zip(shown, wanted, strict=True)
    )
