"""The painter: turns what the terminal shows into what it should show."""

from __future__ import annotations

from tui_chat.terminal.cells import UNKNOWN, Row, blank_row, overlay
from tui_chat.terminal.diff import changed_runs, find_scroll
from tui_chat.terminal.frames import Frame
from tui_chat.terminal.sequences import SequenceWriter

_KNOWN_STATE = "\x1b[r\x1b[?7l"
"""No margins and no line wrap, which `SequenceWriter` relies on."""


class Painter:
    """Keeps both screens and paints the difference. Not thread-safe."""

    def __init__(self, width: int, height: int, *, erases_in_colour: bool) -> None:
        """A painter for a terminal of `width` by `height` cells with unknown content."""
        self._erases_in_colour = erases_in_colour
        self._wanted_cursor = (0, 0)
        self._resize(width, height)

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
        self._pen = SequenceWriter(self._width, self._erases_in_colour)
        self._lost = True

    def paint(self) -> str:
        """The sequences that bring the terminal up to date; empty if it is."""
        pen = self._pen
        if self._stale:
            preamble = _KNOWN_STATE if self._lost else ""
            self._lost = False
            self._paint_rows(pen)
            pen.end_link()
        else:
            preamble = ""
        pen.move(*self._wanted_cursor)
        return preamble + pen.take()

    def plain(self) -> str:
        """The sequences that reset style and margins, before another program writes."""
        self._pen.end()
        return self._pen.take()

    def _resize(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._wanted = [blank_row(width)] * height
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
        for y in sorted(stale):
            row = wanted[y]
            if row is not shown[y]:
                for start, end in changed_runs(shown[y], row):
                    pen.draw(y, row, start, end)
                shown[y] = row
        stale.clear()
