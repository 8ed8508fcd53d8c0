"""Pictures in terminals that have Sixel: each row of cells is a picture of its own.

Cells that stand for a picture say which part of which picture they show (`pictures.placeholders`). Where the
painter would write such cells, it writes their pixels. So it still knows what the screen shows: a picture scrolls
with the terminal's own lines, is covered and uncovered like text, and only what changed is sent.

Source: DEC STD 070, chapter 9 (Sixel); https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

from __future__ import annotations

import fcntl
import re
import struct
import termios
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Final

from tui_chat.images.drawing import Indexed
from tui_chat.terminal.pictures import MARKS, MOST_CELLS

ASK_GRAPHICS: Final = "\x1b[16t\x1b[c"
"""Asks for the size of a cell in pixels (xterm's XTWINOPS 16) and for what the terminal can (DA1; all answer)."""
_BAND: Final = 6
"""Rows of pixels in a band: the bits of a character."""
_MOST: Final = 100
"""Pixels of a cell, at most, in each direction."""
_BLANK: Final = 63
"""The character without a pixel."""
_CHARACTERS: Final = bytes((value + _BLANK) % 256 for value in range(256))
_REPEATS: Final = re.compile(r"(.)\1{3,}", re.DOTALL)
_NUMBERS: Final = {mark: number for number, mark in enumerate(MARKS)}


class Sixel:
    """A picture that fills whole cells, and the sequences that draw parts of its rows."""

    def __init__(self, picture: Indexed, cell: tuple[int, int]) -> None:
        """`cell`: width and height of a cell in pixels, of which those of the picture are multiples."""
        self._picture = picture
        self._cell = cell
        self.columns, self.rows = picture.width // cell[0], picture.height // cell[1]
        self._whole = tuple(self._encoded(row, 0, self.columns) for row in range(self.rows))

    def strip(self, row: int, start: int, end: int) -> str:
        """The sequence that draws the columns `start` to `end` of a row of cells where the cursor is."""
        return self._whole[row] if (start, end) == (0, self.columns) else self._encoded(row, start, end)

    def _encoded(self, row: int, start: int, end: int) -> str:
        picture, (width, height) = self._picture, self._cell
        lines = [
            picture.pixels[y * picture.width + start * width : y * picture.width + end * width]
            for y in range(row * height, (row + 1) * height)
        ]
        bands = (_band(lines[top : top + _BAND]) for top in range(0, height, _BAND))
        used = sorted(set(b"".join(lines)))
        colours = "".join(
            f"#{number};2;{';'.join(str(round(part * 100 / 255)) for part in picture.palette[number])}"
            for number in used
        )
        return f'\x1bP0;1q"1;1;{(end - start) * width};{height}{colours}{"-".join(bands)}\x1b\\'


def _band(lines: list[bytes]) -> str:
    """At most six rows of pixels: for each colour a line of characters whose bits are its pixels."""
    drawn = []
    for colour in sorted(set(b"".join(lines))):
        bits = sum(int.from_bytes(line.translate(_pixels_of(colour))) << place for place, line in enumerate(lines))
        text = bits.to_bytes(len(lines[0])).translate(_CHARACTERS).decode().rstrip(chr(_BLANK))
        drawn.append(f"#{colour}{_REPEATS.sub(_repeated, text)}")
    return "$".join(drawn)


def _repeated(run: re.Match[str]) -> str:
    return f"!{len(run[0])}{run[1]}"


@lru_cache(maxsize=256)
def _pixels_of(colour: int) -> bytes:
    """The table that turns a row of colours into 1 for this one, else 0."""
    return bytes(number == colour for number in range(256))


class Sixels:
    """The pictures of a session, by the mark that their cells have."""

    def __init__(self) -> None:
        self._pictures: dict[str, Sixel] = {}

    def __bool__(self) -> bool:
        return bool(self._pictures)

    def add(self, picture: Sixel) -> str | None:
        """Keep a picture. Returns its mark; None if there are too many."""
        if len(self._pictures) >= MOST_CELLS:
            return None
        mark = MARKS[len(self._pictures)]
        self._pictures[mark] = picture
        return mark

    def strip(self, texts: Sequence[str]) -> tuple[int, str]:
        """How many of these cells, by their texts, are neighbours in a picture too, and what draws them."""
        row, column, mark = texts[0][1], texts[0][2], texts[0][3]
        count = 1 + sum(1 for _ in takewhile(lambda pair: _follows(*pair), pairwise(texts)))
        start = _NUMBERS[column]
        return count, self._pictures[mark].strip(_NUMBERS[row], start, start + count)


def _follows(text: str, other: str) -> bool:
    """Whether the second cell shows what is right of the first one in the same picture."""
    return text[1] == other[1] and text[3] == other[3] and _NUMBERS[other[2]] == _NUMBERS[text[2]] + 1


def cell_of(terminal: int) -> tuple[int, int] | None:
    """Width and height of a terminal's cell in pixels, as the operating system knows them; None if it does not."""
    try:
        told = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, width, height = struct.unpack("4H", told)
    return sensible(width // columns, height // rows) if rows and columns else None


def sensible(width: int, height: int) -> tuple[int, int] | None:
    """A cell's size in pixels; None for one that no letter has."""
    return (width, height) if 0 < width <= _MOST and 0 < height <= _MOST else None
