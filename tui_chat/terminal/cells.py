"""The model of a terminal's screen: cells, their styles, and rows of them.

Cells and styles are named tuples, not dataclasses: thousands are compared and hashed per frame, and a tuple does
that in C, by identity first. That is also why `add_cells` hands out the same object for the same cell.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len, get_character_cell_size

from tui_chat.text.clusters import clusters
from tui_chat.text.sanitize import PICTURE_CELL

_SWITCHED_OFF_BY: Final = {
    22: (1, 2),
    23: (3,),
    24: (4, 21),
    25: (5, 6),
    27: (7,),
    28: (8,),
    29: (9,),
    54: (51, 52),
    55: (53,),
}
_ATTRIBUTES: Final = frozenset(code for codes in _SWITCHED_OFF_BY.values() for code in codes)
SHOW_ON_BLANK: Final = frozenset((4, 7, 9, 21, 51, 52, 53))
"""SGR attributes that are visible on a space: lines through, under, over and around it, and reverse."""


class Style(NamedTuple):
    """The style of a cell in the terminal's terms (ECMA-48 SGR; OSC 8 for the link)."""

    attributes: tuple[int, ...] = ()
    """SGR codes of attributes (1 bold, 3 italic, 4 underline ...), ascending."""
    foreground: str = ""
    """SGR parameters such as `31` or `38;2;1;2;3`; empty for the terminal's default."""
    background: str = ""
    link: str = ""
    """`params;URI` of OSC 8; empty for none."""


class Cell(NamedTuple):
    """One column of a row. The right half of a wide cluster has an empty text and the cluster's style."""

    text: str
    style: Style

    @property
    def is_blank(self) -> bool:
        """Whether it is a space that shows only its background: erasing gives the same."""
        return self.text == " " and not self.style.attributes and not self.style.link


Row: TypeAlias = tuple[Cell, ...]

PLAIN: Final = Style()
SIXEL: Final = Style(foreground="39")
"""The style of all cells that stand for a part of a Sixel picture, whatever style they were given."""
UNKNOWN: Final = Cell("\0", PLAIN)
"""A cell with unknown content; equal to no drawn cell."""
_ALPHABET_LIMIT: Final = 8192
_WIDE_SIGN: Final = "\ufdfd"
"""A sentence in one character: one column to most terminals, drawn much wider."""


@lru_cache(maxsize=256)
def blank(background: str = "") -> Cell:
    """An empty cell with the given background (SGR parameters)."""
    return Cell(" ", Style(background=background))


class _Alphabet(dict[str, Cell]):
    """The cells of one style, created on demand."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style

    def __missing__(self, text: str) -> Cell:
        if len(self) >= _ALPHABET_LIMIT:
            self.clear()
        style = self.style
        if text == " " and not style.link and SHOW_ON_BLANK.isdisjoint(style.attributes):
            cell = blank(style.background)
        elif len(text) == 4 and ord(text[0]) == PICTURE_CELL:  # with marks for row, column and picture
            cell = Cell(text, SIXEL)
        else:
            cell = Cell(text, style)
        self[text] = cell
        return cell


_alphabet: Final = lru_cache(maxsize=256)(_Alphabet)


def add_cells(cells: list[Cell], text: str, style: Style) -> None:
    """Append the cells of `text` to `cells`.

    A blank keeps only its background, if nothing else is visible. Zero-width characters join the cell before; at
    the start they are dropped.
    """
    alphabet = _alphabet(style)
    if text.isascii():
        cells.extend(map(alphabet.__getitem__, text))
        return
    for start, end, width in clusters(text):
        if width:
            cells.append(alphabet[text[start:end]])
            cells.extend([alphabet[""]] * (width - 1))
        elif cells:
            columns = 1 if cells[-1].text else 2
            joined = cells[-columns].text + text[start:end]
            if cell_len(joined) == columns:  # it must not turn a sign into a wide emoji
                cells[-columns] = cells[-columns]._replace(text=joined)


def overlay(row: Row, x: int, cells: Row) -> Row:
    """`row` with `cells` written from column `x`, cut at the row's end.

    When half of a wide cluster is overwritten, the other half becomes blank, as in a terminal.
    """
    room = len(row) - x
    if room <= 0:
        return row
    if len(cells) > room:
        halved = not cells[room].text
        cells = (*cells[: room - 1], blank(cells[room].style.background)) if halved else cells[:room]
    end = x + len(cells)
    left, right = row[:x], row[end:]
    if not left and not right:
        return cells
    if left and not row[x].text:
        left = (*left[:-1], blank(left[-1].style.background))
    if right and not right[0].text:
        right = (blank(right[0].style.background), *right[1:])
    return left + cells + right


@lru_cache(maxsize=1024)
def restyle(style: Style, parameters: str) -> Style:
    """`style` after the SGR sequence with these parameters (ECMA-48 8.3.117; ISO 8613-6 for 38 and 48)."""
    codes = iter([int(code or 0) for code in parameters.split(";")])
    attributes, foreground, background = set(style.attributes), style.foreground, style.background
    for code in codes:
        if code == 0:
            attributes, foreground, background = set(), "", ""
        elif code in _ATTRIBUTES:
            attributes.add(code)
        elif code in _SWITCHED_OFF_BY:
            attributes.difference_update(_SWITCHED_OFF_BY[code])
        elif 30 <= code <= 38 or 90 <= code <= 97:
            foreground = _colour(code, codes)
        elif 40 <= code <= 48 or 100 <= code <= 107:
            background = _colour(code, codes)
        elif code == 39:
            foreground = ""
        elif code == 49:
            background = ""
    return Style(tuple(sorted(attributes)), foreground, background, style.link)


def _colour(code: int, codes: Iterator[int]) -> str:
    """The parameters of the colour that starts with `code`; 38 and 48 take more from `codes`."""
    if code not in (38, 48):
        return str(code)
    kind = next(codes, 5)
    return ";".join(map(str, (code, kind, *(next(codes, 0) for _ in range(3 if kind == 2 else 1)))))


@lru_cache(maxsize=4096)
def disputed_width(cluster: str) -> int:
    """The most columns that any terminal gives this cluster; 0 if all terminals agree.

    They agree on single old characters: narrow letters, digits and signs, and East Asian wide ones. They differ on
    sequences (ZWJ, VS16, combining marks), new characters and emoji.
    """
    if len(cluster) > 1:
        return 0 if ord(cluster[0]) == PICTURE_CELL else sum(map(_most_columns, cluster))
    code = ord(cluster)
    if get_character_cell_size(cluster) == 2:
        agreed = unicodedata.east_asian_width(cluster) in "WF" and (
            0x1100 <= code <= 0x1159 or 0x2E80 <= code < 0x10000 or code >= 0x20000
        )
    else:
        agreed = code < 0x1F000 and cluster != _WIDE_SIGN and unicodedata.category(cluster)[0] in "LNPSZ"
    return 0 if agreed else 2


def _most_columns(character: str) -> int:
    """The most columns that any terminal gives a character: some show combining characters alone."""
    wide = character >= "\U0001f000" or unicodedata.east_asian_width(character) in "WF"
    return 2 if wide or get_character_cell_size(character) == 2 else 1
