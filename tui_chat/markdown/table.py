"""Tables: how wide the columns are, and one row drawn.

Columns grow with the rows that are complete, as long as the table fits. The first row with which it does not fit
decides how it is drawn from then on: cells wrap between words, in columns that stay; or, where the columns would
be hardly wider than their longest words, each row is a list of its values. So the rows above change their heights
once at most. A later row with a word wider than its column is a list of its values by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len
from rich.style import Style

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import Align, TableRow
from tui_chat.markdown.wrap import Line, Piece, chop, longest_word, wrap
from tui_chat.text.clusters import unjoined

_BETWEEN: Final = " │ "
_OPEN_CELL: Final = 12
"""Cells up to which a cell that is being written widens its column, as long as the table fits."""
_SPARE: Final = 2
"""Cells that a column of a table that does not fit has beside its longest word so far: longer ones may come."""
_RULE: Final = 12
"""Cells of the rule above a row that is a list of its values."""

CellPieces = Callable[[str, bool], list[Piece]]
"""The styled pieces of a cell, given its source and whether it is in the head."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, or the only one of a code block.

    Args:
        widths: of the columns in cells; empty where the rows of a table are drawn as lists of values.
        fits: each column is as wide as its widest cell.
        natural: the widest cell of each column, in cells, and `words` its longest word, while the table fits.
    """

    widths: tuple[int, ...] = ()
    fits: bool = True
    natural: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


def extent(pieces: list[Piece]) -> tuple[int, int]:
    """The cells of a cell that is not wrapped, and those of its longest word."""
    text = unjoined("".join([text for text, _ in pieces]))
    return max(1, *(cell_len(line) for line in text.split("\n"))), longest_word(text)


def widened(columns: Columns, extents: Sequence[tuple[int, int]], width: int) -> Columns:
    """The columns with a row of cells of such extents too, in `width` cells.

    Where they do not fit, each gets the cells of its longest word, and an equal share of the rest up to what it
    asks for and some to spare (a quarter of its widest cell and more). From then on they stay.
    """
    if not columns.fits:
        return columns
    none = (0,) * len(extents)
    natural = tuple(map(max, columns.natural or none, (cells for cells, _ in extents)))
    words = tuple(map(max, columns.words or none, (word for _, word in extents)))
    room = width - len(_BETWEEN) * (len(natural) - 1)
    if sum(natural) <= room:
        return Columns(natural, True, natural, words)
    if sum(words) + _SPARE * len(words) > room:
        return Columns((), False)
    needs = [cells + _SPARE + cells // 4 - word for cells, word in zip(natural, words, strict=True)]
    widths, left = list(words), room - sum(words)
    for place, column in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        share = min(needs[column], left // (len(needs) - place))
        widths[column] += share
        left -= share
    return Columns(tuple(widths), False)


def with_open_row(columns: Columns, cells: Sequence[int], closed: int, width: int) -> Columns:
    """The columns of a table that fits, with a row of which `closed` cells are complete: these are so wide.

    The cell that is being written widens its column a little; where the row will not fit, as much as it can.
    """
    room = width - len(_BETWEEN) * (len(cells) - 1)
    fits = sum(map(max, columns.widths, cells)) <= room
    widths, left = list(columns.widths), room - sum(columns.widths)
    for index, wanted in enumerate(cells):
        more = max(0, (wanted if index < closed or not fits else min(_OPEN_CELL, wanted)) - widths[index])
        widths[index] += min(more, left)
        left -= min(more, left)
    return Columns(tuple(widths))


def draw_row(row: TableRow, columns: Columns, width: int, pieces_of: CellPieces, palette: Palette) -> list[Line]:
    """The rows of the terminal for one row of a table; a head brings the rule below it.

    Where cells wrap, a rule stands above each row but the first. An open cell is cut off where it would be broken
    otherwise than once it is complete.
    """
    shown = [pieces_of(cell, row.head) for cell in row.cells]
    if not columns.widths or (not columns.fits and any(map(_is_too_long, shown, columns.widths))):
        return _draw_values(row, width, pieces_of, palette)
    grows = columns.fits and sum(columns.widths) + len(_BETWEEN) * (len(shown) - 1) < width
    cells = [
        wrap(pieces, size) if index < row.closed else _open_cell(pieces, size, fits=grows)
        for index, (pieces, size) in enumerate(zip(shown, columns.widths, strict=True))
    ]
    lines = []
    if row.number > 1 and not columns.fits:
        lines.append(_rule(columns, palette.table_rule))
    for parts in zip_longest(*cells, fillvalue=Line(())):
        pieces = []
        for column, (line, size, align) in enumerate(zip(parts, columns.widths, row.table.aligns, strict=True)):
            if column:
                pieces.append((_BETWEEN, palette.table_rule))
            pieces += _padded(line, size, align, palette)
        lines.append(Line(tuple(pieces)))
    if row.head:
        lines.append(_rule(columns, palette.frame))
    return lines


def _is_too_long(pieces: list[Piece], size: int) -> bool:
    """Whether a word of a cell has no place in `size` cells."""
    return longest_word("".join([text for text, _ in pieces])) > size


def _open_cell(pieces: list[Piece], size: int, *, fits: bool) -> list[Line]:
    if fits:
        return chop(pieces, size)[:1]
    lines = wrap(pieces, size)
    cut = (index for index, line in enumerate(lines) if not line.text.endswith(" "))
    return lines[: next(cut, 0) + 1]


def _rule(columns: Columns, style: Style) -> Line:
    return Line((("─┼─".join("─" * size for size in columns.widths), style),))


def _padded(line: Line, size: int, align: Align, palette: Palette) -> list[Piece]:
    pieces = [(segment.text, segment.style or palette.text) for segment in line.segments()]
    space = size - sum(cell_len(text) for text, _ in pieces)
    left = {"left": 0, "right": space, "center": space // 2}[align]
    return [(" " * left, palette.text), *pieces, (" " * (space - left), palette.text)]


def _draw_values(row: TableRow, width: int, pieces_of: CellPieces, palette: Palette) -> list[Line]:
    """A row as a list of `head: value`."""
    if row.head:
        heads: list[Piece] = []
        for index, cell in enumerate(row.cells):
            heads += [(" · ", palette.frame)] * bool(index) + pieces_of(cell, True)
        return wrap(heads, width)
    lines = [Line((("─" * min(width, _RULE), palette.table_rule),))]
    for head, cell in zip(row.table.head, row.cells, strict=True):
        if cell:
            lines += wrap([*pieces_of(head, True), (": ", palette.frame), *pieces_of(cell, False)], width)
    return lines
