"""Tables: how wide the columns are, and one row drawn.

Columns grow with the cells that are complete and never shrink, so that a table moves as little as it can while its
rows come. Where the rows do not fit, cells wrap between words; where a column would be narrower than its longest
word, a row is a list of its values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.style import Style

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import Align, TableRow
from tui_chat.markdown.wrap import Line, Piece, chop, longest_word, wrap
from tui_chat.text.clusters import unjoined

_BETWEEN: Final = " │ "
_RULE: Final = 12
"""Cells of the rule above a row that is a list of its values."""

CellPieces = Callable[[str, bool], list[Piece]]
"""The styled pieces of a cell, given its source and whether it is in the head."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, or the only one of a code block.

    Args:
        widths: of the columns in cells; none where a table's rows are drawn as lists of values.
        fits: each column is as wide as its widest cell.
        natural: what the widest cell of each asks for, and `words` its longest word.
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
    """The columns with cells of such extents too, in `width` cells.

    Where they do not fit each gets the cells of its longest word, and an equal share of the others. Columns that
    were allotted so stay as long as they serve: what was wrapped once is not wrapped anew with each row.
    """
    natural = tuple(max(old, new) for old, (new, _) in zip(columns.natural, extents, strict=True))
    words = tuple(max(old, new) for old, (_, new) in zip(columns.words, extents, strict=True))
    if natural == columns.natural and words == columns.words:
        return columns
    room = width - len(_BETWEEN) * (len(natural) - 1)
    if sum(natural) <= room:
        return Columns(natural, True, natural, words)
    if sum(words) > room:
        return Columns((), False, natural, words)
    old = columns.widths
    spare = room - sum(words)
    needs = [wanted - given for wanted, given in zip(natural, words, strict=True)]
    widths = list(words)
    for place, column in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        share = min(needs[column], spare // (len(needs) - place))
        widths[column] += share
        spare -= share
    if old and not columns.fits and all(map(_serves, old, words, widths)):
        widths = list(old)
    return Columns(tuple(widths), False, natural, words)


def _serves(width: int, word: int, wanted: int) -> bool:
    return word <= width and wanted <= 2 * width


def draw_row(row: TableRow, columns: Columns, width: int, pieces_of: CellPieces, palette: Palette) -> list[Line]:
    """The rows of the terminal for one row of a table; a head brings the rule below it.

    Where cells wrap, a rule stands above each row but the first. An open cell is cut off where it would be broken
    otherwise than once it is complete.
    """
    if not columns.widths:
        return _draw_values(row, width, pieces_of, palette)
    cells = []
    for index, (cell, size) in enumerate(zip(row.cells, columns.widths, strict=True)):
        pieces = pieces_of(cell, row.head)
        cells.append(wrap(pieces, size) if index < row.closed else _open_cell(pieces, size, fits=columns.fits))
    lines = []
    if row.number > 1 and not columns.fits:
        lines.append(_rule(columns, palette.table_rule))
    for index in range(max(len(cell) for cell in cells)):
        pieces = []
        for column, (parts, size, align) in enumerate(zip(cells, columns.widths, row.table.aligns, strict=True)):
            if column:
                pieces.append((_BETWEEN, palette.table_rule))
            line = parts[index] if index < len(parts) else Line(())
            pieces += _padded(line, size, align, palette)
        lines.append(Line(tuple(pieces)))
    if row.head:
        lines.append(_rule(columns, palette.frame))
    return lines


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
    """A row as one `head: value` after the other, for want of width."""
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
