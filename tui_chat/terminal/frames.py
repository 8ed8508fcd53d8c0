"""Parses the frames that Textual draws.

Textual 8 passes a frame to the driver as one string: for each strip a cursor position and styled text, at the end
the position of the cursor (`textual.app.App._display`, `textual._compositor.LayoutUpdate` and `ChopsUpdate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tui_chat.terminal.cells import PLAIN, Cell, Row, add_cells, restyle

_MOVE: Final = re.compile(r"\x1b\[(\d+);(\d+)H")
_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<sgr>[\d;]*)m"
    r"|\x1b\]8;(?P<link>[^\x07\x1b]*)(?:\x1b\\|\x07)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x1b\\|\x07)?|\x1b?.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One update of the screen. Columns and rows count from 0."""

    patches: tuple[tuple[int, int, Row], ...]
    """Column, row and cells of each piece, in the order in which they are drawn."""
    cursor: tuple[int, int]
    """Final column and row of the (hidden) cursor; input methods open their window there."""


def parse_frame(data: str) -> Frame | None:
    """The frame in `data`, or None for other data (a mode, a title, a query).

    Inside a frame only moves, styles, links and text count: other controls come from somebody's text and are
    dropped.
    """
    if _MOVE.match(data) is None:
        return None
    _, *fields = _MOVE.split(data)
    places = [(int(x) - 1, int(y) - 1) for y, x in zip(fields[::3], fields[1::3], strict=True)]
    chunks = fields[2::3]
    patches = tuple((*place, row_cells(chunk)) for place, chunk in zip(places, chunks, strict=True) if chunk)
    return Frame(patches, places[-1])


@lru_cache(maxsize=512)
def row_cells(chunk: str) -> Row:
    """The cells of a piece of one row: text, SGR and OSC 8. Cached, since scrolling repeats rows."""
    cells: list[Cell] = []
    style = PLAIN
    for token in _TOKEN.finditer(chunk):
        kind = token.lastgroup
        if kind == "text":
            add_cells(cells, token["text"], style)
        elif kind == "sgr":
            style = restyle(style, token["sgr"])
        elif kind == "link":
            _, _, uri = token["link"].partition(";")
            style = style._replace(link=token["link"] if uri else "")
    return tuple(cells)
