"""Selected text: how it looks on a row, and where it begins and ends in cells."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.ui.markdown.copying import HasRows, Position


def highlight(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """`strip` with the characters of a span in another style; an end of -1 is the row's end."""
    text = strip.text
    start = cell_len(text[: span[0]])
    end = strip.cell_length if span[1] == -1 else cell_len(text[: span[1]])
    if start >= end:
        return strip
    before, chosen, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, strip.cell_length)
    return Strip.join([before, chosen.apply_style(style), after])


def ends_of(selection: Selection, rows: HasRows) -> tuple[Position, Position]:
    """A selection's start and end as rows and cells; Textual counts characters, and None is an end of the text."""
    last = rows.height - 1
    start = _cell(selection.start, rows) if selection.start else (0, 0)
    end = _cell(selection.end, rows) if selection.end else (last, rows.row(last).strip().cell_length)
    return start, end


def _cell(offset: Offset, rows: HasRows) -> Position:
    row = max(0, min(offset.y, rows.height - 1))
    return row, cell_len(rows.row(row).strip().text[: offset.x])
