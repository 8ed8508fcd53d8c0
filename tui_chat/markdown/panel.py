"""Code blocks: a panel about as wide as its code, its language and the key that copies it on the first row.

Where the palette has no colour for a panel a line runs down its left side instead.
"""

from __future__ import annotations

from typing import Final, Literal

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.table import Columns
from tui_chat.markdown.units import CodeLine, CodeStart
from tui_chat.markdown.wrap import Line, Piece, chop
from tui_chat.text.clusters import unjoined

GUTTER: Final = 2
"""Cells left of the code."""
MARGIN: Final = 1
"""Cells right of it."""
TAB: Final = 4
_STEP: Final = 8
"""Cells by which a panel gets wider: it is painted anew each time."""

Part = Literal["first", "code", "wrapped", "last"]
_SIDES: Final[dict[Part, str]] = {"first": "┌ ", "code": "│ ", "wrapped": "│↪", "last": "└ "}


def label(unit: CodeStart, hint: str) -> tuple[str, str]:
    """The label of the first row: the fence's info string, and the hint that copies the block."""
    info = unit.text.lstrip("`~").strip()
    return unjoined(info.replace("\t", " ")), hint.format(number=unit.number)


def widened(columns: Columns, unit: CodeLine | CodeStart, room: int, hint: str) -> Columns:
    """The width of a panel that holds this unit too, in `room` cells."""
    if isinstance(unit, CodeStart):
        cells = sum(map(cell_len, label(unit, hint))) + 2
    elif len(unit.text) < room:
        cells = cell_len(unit.text.expandtabs(TAB))
    else:
        cells = room
    wanted = cells + GUTTER + MARGIN
    wanted = min(room, max(wanted + -wanted % _STEP, *columns.widths, 0))
    return columns if columns.widths == (wanted,) else Columns((wanted,))


def first_row(unit: CodeStart, width: int, hint: str, palette: Palette) -> list[Line]:
    """The first row of a panel of `width` cells; the hint has the block's number as `copy` in its meta."""
    style = palette.panel + palette.panel_label
    left, right = label(unit, hint)
    room = width - GUTTER - MARGIN
    space = room - cell_len(left) - cell_len(right)
    if space < 2:
        return chop([(left, style)], room)[:1]
    clicked = style + Style.from_meta({"copy": unit.number})
    return [Line(((left + " " * space, style), (right, clicked)))]


def row(line: Line, part: Part, width: int, palette: Palette) -> list[Segment]:
    """A row of a panel: its left edge, the code, and the rest of the panel."""
    part = "wrapped" if line.continues else part
    code = line.segments()
    if not palette.has_panel:
        return [Segment(_SIDES[part], palette.frame), *code]
    left = Segment(" ↪" if part == "wrapped" else "  ", palette.panel + palette.panel_label)
    space = width - GUTTER - sum(cell_len(segment.text) for segment in code)
    return [left, *code, Segment(" " * space, palette.panel)] if space > 0 else [left, *code]


def expanded(pieces: list[Piece]) -> list[Piece]:
    """`pieces` with their tabs as spaces up to the next stop, and neighbours of one style joined."""
    done: list[Piece] = []
    column = 0
    for text, style in pieces:
        shown = text
        if "\t" in text:
            shown = ""
            for char in text:
                shown += " " * (TAB - (column + cell_len(shown)) % TAB) if char == "\t" else char
        column += cell_len(shown)
        if done and done[-1][1] is style:
            done[-1] = (done[-1][0] + shown, style)
        else:
            done.append((shown, style))
    return done
