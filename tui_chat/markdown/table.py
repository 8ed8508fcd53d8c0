"""Tables: how wide the columns are, and one row drawn.

Columns grow with the cells that are complete and never shrink, so that a table moves as little as it can while its
rows come. Where the rows do not fit, cells wrap; where columns would be too narrow, a row is a list of its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import Align, TableRow
from tui_chat.markdown.wrap import Line, Piece, wrap
from tui_chat.text.clusters import unjoined

NARROWEST: Final = 6
"""Cells of a column below which a table turns to lists of values."""
_BETWEEN: Final = " │ "
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)

CellPieces = Callable[[str, bool], list[Piece]]
"""The styled pieces of a cell, given its source and whether it is in the head."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of a table's columns, in cells; none where its rows are drawn as lists of values."""

    widths: tuple[int, ...]
    fits: bool
    """Each column is as wide as its widest cell."""


def with_breaks(cell: str) -> str:
    """A cell's source with its `<br>` as newlines."""
    return _BREAK.sub("\n", cell) if "<" in cell else cell


def widest(pieces: list[Piece]) -> int:
    """The width of a cell that is not wrapped."""
    return max(cell_len(line) for line in unjoined("".join([text for text, _ in pieces])).split("\n"))


def allocate(natural: tuple[int, ...], width: int) -> Columns:
    """The columns of a table whose cells are `natural` wide, in `width` cells.

    A column that needs less than its fair share gets what it needs, the others share the rest.
    """
    room = width - len(_BETWEEN) * (len(natural) - 1)
    if sum(natural) <= room:
        return Columns(tuple(max(1, need) for need in natural), fits=sum(max(1, need) for need in natural) <= room)
    if room < sum(min(need, NARROWEST) for need in natural):
        return Columns((), fits=False)
    widths = [0] * len(natural)
    order = sorted(range(len(natural)), key=lambda column: natural[column])
    for place, column in enumerate(order):
        share = room // (len(order) - place)
        widths[column] = max(1, min(natural[column], share))
        room -= widths[column]
    return Columns(tuple(widths), fits=False)


def draw_row(row: TableRow, columns: Columns, width: int, pieces_of: CellPieces, palette: Palette) -> list[Line]:
    """The rows of the terminal for one row of a table; a head brings the rule below it."""
    if not columns.widths:
        return _draw_values(row, width, pieces_of, palette)
    cells = [wrap(pieces_of(cell, row.head), size) for cell, size in zip(row.cells, columns.widths, strict=True)]
    lines = []
    for index in range(max(len(cell) for cell in cells)):
        pieces: list[Piece] = []
        for column, (cell, size, align) in enumerate(zip(cells, columns.widths, row.table.aligns, strict=True)):
            if column:
                pieces.append((_BETWEEN, palette.frame))
            line = cell[index] if index < len(cell) else Line(())
            pieces += _padded(line, size, align, palette)
        lines.append(Line(tuple(pieces)))
    if row.head:
        rule = "─┼─".join("─" * size for size in columns.widths)
        lines.append(Line(((rule, palette.frame),)))
    return lines


def _padded(line: Line, size: int, align: Align, palette: Palette) -> list[Piece]:
    pieces = [(segment.text, segment.style or palette.text) for segment in line.segments()]
    space = size - sum(cell_len(text) for text, _ in pieces)
    left = {"left": 0, "right": space, "center": space // 2}[align]
    return [(" " * left, palette.text), *pieces, (" " * (space - left), palette.text)]


def _draw_values(row: TableRow, width: int, pieces_of: CellPieces, palette: Palette) -> list[Line]:
    """A row as one `head: value` after the other, for want of width."""
    if row.head:
        heads: list[Piece] = []
        for index, cell in enumerate(row.cells):
            heads += [(" · ", palette.frame)] * bool(index) + pieces_of(cell, True)
        return wrap(heads, width)
    lines = [Line((("─" * min(width, 2 * NARROWEST), palette.frame),))]
    for head, cell in zip(row.table.head, row.cells, strict=True):
        if cell:
            lines += wrap([*pieces_of(head, True), (": ", palette.frame), *pieces_of(cell, False)], width)
    return lines
