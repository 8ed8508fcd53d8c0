"""The shortest sequences to move the cursor, set styles and draw.

Only ECMA-48 sequences that every terminal, multiplexer and console knows. Rows scroll by inserting and deleting
lines between margins, since the Linux console has no SU and SD.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from tui_chat.terminal.cells import PLAIN, SHOW_ON_BLANK, SIXEL, Cell, Row, Style, blank, disputed_width
from tui_chat.terminal.sixel import Sixels

_OFF: Final = {1: "22", 2: "22", 3: "23", 4: "24", 5: "25", 7: "27", 8: "28", 9: "29"}
"""The code that switches an attribute off; the others (21, 51, 53 ...) need a reset."""
_ERASE_LINE: Final = "\x1b[K"


@lru_cache(maxsize=4096)
def move_sequence(from_x: int | None, from_y: int | None, x: int, y: int) -> str:
    """The sequence to column `x` and row `y` (from 0); None: the present column or row is unknown."""
    if (from_x, from_y) == (x, y):
        return ""
    if from_y == y:
        return f"\x1b[{x + 1}G" if x else "\r"
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"


@lru_cache(maxsize=4096)
def style_sequence(old: Style | None, new: Style) -> str:
    """The shortest SGR (and OSC 8) from one style to another; None is an unknown style."""
    link = "" if new.link == (old.link if old else "") else f"\x1b]8;{new.link or ';'}\x1b\\"
    codes = [*map(str, new.attributes), new.foreground, new.background]
    fresh = ";".join(filter(None, codes))
    ways = [f"\x1b[0;{fresh}m" if fresh else "\x1b[m"]
    if old is not None:
        if old[:3] == new[:3]:
            return link
        gone = set(old.attributes) - set(new.attributes)
        if gone <= _OFF.keys():
            ways.append(f"\x1b[{';'.join(_changes(old, new, gone))}m")
    return min(ways, key=len) + link


def _changes(old: Style, new: Style, gone: set[int]) -> list[str]:
    off = sorted({_OFF[code] for code in gone})
    kept = set(old.attributes) - ({1, 2} if "22" in off else set())
    changes = [*off, *(str(code) for code in new.attributes if code not in kept)]
    if old.foreground != new.foreground:
        changes.append(new.foreground or "39")
    if old.background != new.background:
        changes.append(new.background or "49")
    return changes


@lru_cache(maxsize=1024)
def _fit_for_blanks(style: Style | None, background: str) -> Style:
    """The style nearest to `style` in which a space shows only `background`."""
    if style is None:
        return Style(background=background)
    attributes = tuple(code for code in style.attributes if code not in SHOW_ON_BLANK)
    return Style(attributes, style.foreground, background)


class SequenceWriter:
    """Collects sequences, and tracks the terminal's cursor, style and margins."""

    def __init__(self, width: int, erases_in_colour: bool, sixels: Sixels) -> None:
        """`width`: columns; `erases_in_colour`: erased cells take the background in force (terminfo's `bce`)."""
        self._width = width
        self._sixels = sixels
        self._erases_in_colour = erases_in_colour
        self._parts: list[str] = []
        self._x: int | None = None
        self._y: int | None = None
        self._style: Style | None = None
        self._margins: tuple[int, int] | None = None
        """The rows that scroll; None for all. They stay set until other rows scroll."""

    def take(self) -> str:
        """The sequences since the last call."""
        sequences = "".join(self._parts)
        self._parts.clear()
        return sequences

    def move(self, x: int, y: int) -> None:
        """Move to a cell."""
        self._parts.append(move_sequence(self._x, self._y, x, y))
        self._x, self._y = x, y

    def restyle(self, style: Style = PLAIN) -> None:
        """Write in `style` from now on."""
        if style is not self._style:
            self._parts.append(style_sequence(self._style, style))
            self._style = style

    def end_link(self) -> None:
        """Close an open link, so that later output does not belong to it."""
        if self._style is not None and self._style.link:
            self.restyle(self._style._replace(link=""))

    def scroll(self, top: int, bottom: int, lines: int, height: int) -> None:
        """Move the rows `top` to `bottom` up by `lines` (down if negative); freed rows have unknown content."""
        self._set_margins(None if (top, bottom) == (0, height - 1) else (top, bottom))
        self.move(0, top)
        self._parts.append(f"\x1b[{abs(lines)}{'M' if lines > 0 else 'L'}")

    def end(self) -> None:
        """Reset style and margins."""
        self.restyle()
        self._set_margins(None)

    def _set_margins(self, margins: tuple[int, int] | None) -> None:
        if margins != self._margins:
            self._parts.append(f"\x1b[{margins[0] + 1};{margins[1] + 1}r" if margins else "\x1b[r")
            self._margins = margins
            self._x = self._y = None  # most terminals go home, some stay

    def draw(self, y: int, row: Row, start: int, end: int) -> None:
        """Write the columns `start` to `end` of `row`, which is the whole row `y`."""
        x = start
        while x < end:
            cell = row[x]
            stop = x + 1
            if cell.is_blank:
                while stop < end and row[stop] == cell:
                    stop += 1
                self._draw_blanks(x, y, stop, end, row)
            elif cell.style is SIXEL:
                while stop < end and row[stop].style is SIXEL:
                    stop += 1
                self._draw_pictures(x, y, [cell.text for cell in row[x:stop]])
            else:
                stop = _end_of_text(row, x, end)
                self._draw_text(x, y, row[x:stop], cell.style)
            x = stop

    def _draw_blanks(self, x: int, y: int, stop: int, end: int, row: Row) -> None:
        cell, count = row[x], stop - x
        background = cell.style.background
        self.move(x, y)
        self.restyle(_fit_for_blanks(self._style, background))
        if self._erases_in_colour or not background:
            if count > len(_ERASE_LINE) and row[stop:].count(cell) == self._width - stop:
                self._parts.append(_ERASE_LINE)
                return
            erase = f"\x1b[{count}X"
            onward = len(move_sequence(x, y, stop, y)) if stop < end else 0
            if count > len(erase) + onward:
                self._parts.append(erase)
                return
        self._put(" " * count, count)

    def _draw_text(self, x: int, y: int, cells: Row, style: Style) -> None:
        text = "".join([cell.text for cell in cells])
        if text.isascii():
            self.move(x, y)
            self.restyle(style)
            self._put(text, len(cells))
            return
        for offset, cell in enumerate(cells):
            if not cell.text:
                continue
            self.move(x + offset, y)
            self.restyle(style)
            wide = offset + 1 < len(cells) and not cells[offset + 1].text
            if not disputed_width(cell.text):
                self._put(cell.text, 1 + wide)
                continue
            if wide:
                self._put("  ", 2)  # a terminal may draw it in one
                self.move(x + offset, y)
            self._put(cell.text, 0)
            self._x = None  # terminals disagree about where they are now

    def _draw_pictures(self, x: int, y: int, texts: list[str]) -> None:
        self._set_margins(None)  # the terminal goes to the row below, and would scroll at the bottom margin
        while texts:
            count, strip = self._sixels.strip(texts)
            self.move(x, y)
            self._parts.append(strip)
            self._x = self._y = None  # below, to the right, or where it was
            x, texts = x + count, texts[count:]

    def _put(self, text: str, columns: int) -> None:
        self._parts.append(text)
        if self._x is not None:
            # At the right edge terminals differ: on the last column, or behind it.
            self._x = self._x + columns if self._x + columns < self._width else None


def _end_of_text(row: Row, start: int, end: int) -> int:
    """The end of the text in one style from `start`, including single blanks between words."""
    style = row[start].style
    gap = _alike_on_blanks(style)
    x = start + 1
    while x < end:
        cell = row[x]
        if cell.text == " ":
            if cell != gap or x + 1 >= end or row[x + 1].text == " ":
                break
        elif cell.style is not style and cell.style != style:
            break
        x += 1
    return x


@lru_cache(maxsize=1024)
def _alike_on_blanks(style: Style) -> Cell | None:
    """The blank cell that a space in `style` looks like, or None."""
    return blank(style.background) if _fit_for_blanks(style, style.background) == style else None
