"""Selected text: how it looks on a row, where it begins and ends, and what a double and a triple click select."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.markdown.copying import Position
from tui_chat.markdown.draw import Rows

_WORD: Final = re.compile(r"(?:~?/|--?)?\w+(?:[-'’./:@~+=?&%#]+\w+)*")


def highlight(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """`strip` with the characters of a span in another style; an end of -1 is the row's end."""
    text = strip.text
    end = strip.cell_length if span[1] == -1 else cell_len(text[: span[1]])
    return highlight_cells(strip, cell_len(text[: span[0]]), end, style)


def highlight_cells(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """`strip` with the cells from `start` to `end` in another style, whatever style they have."""
    if start >= end:
        return strip
    before, chosen, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, strip.cell_length)
    return Strip.join([before, Strip(Segment.apply_style(chosen, post_style=style), end - start), after])


def word_at(rows: Rows, y: int, cell: int) -> Selection | None:
    """The word at a cell of a row; addresses, paths and dotted or hyphenated names are words."""
    text = rows.row(y).strip().text
    for word in _WORD.finditer(text):
        if cell_len(text[: word.start()]) <= cell < cell_len(text[: word.end()]):
            return Selection(Offset(word.start(), y), Offset(word.end(), y))
    return None


def paragraph_at(rows: Rows, y: int) -> Selection:
    """The paragraph that was wrapped into a row and its neighbours."""
    first = last = y
    while first > 0 and rows.row(first).continues:
        first -= 1
    while last + 1 < rows.height and rows.row(last + 1).continues:
        last += 1
    return Selection(Offset(0, first), Offset(len(rows.row(last).strip().text), last))


def ends_of(selection: Selection, rows: Rows) -> tuple[Position, Position]:
    """A selection's start and end as rows and cells; Textual counts characters, and None is an end of the text."""
    last = rows.height - 1
    start = _cell(selection.start, rows) if selection.start else (0, 0)
    end = _cell(selection.end, rows) if selection.end else (last, rows.row(last).strip().cell_length)
    return start, end


def _cell(offset: Offset, rows: Rows) -> Position:
    row = max(0, min(offset.y, rows.height - 1))
    return row, cell_len(rows.row(row).strip().text[: offset.x])
