"""A picture in the log, as rows of cells."""

from __future__ import annotations

from itertools import groupby

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui_chat.images.drawing import Rgb
from tui_chat.markdown.draw import Row

_HALF_BLOCK = "▀"


class HalfBlockRows:
    """Two pixels in each cell, drawn when they are seen: thousands of styles are dear."""

    __slots__ = ("_cells",)

    def __init__(self, cells: tuple[tuple[tuple[Rgb, Rgb], ...], ...]) -> None:
        self._cells = cells

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self._cells)

    def row(self, y: int) -> Row:
        """Row `y`."""
        runs = ((colours, len(list(run))) for colours, run in groupby(self._cells[y]))
        return Row(
            tuple(
                Segment(_HALF_BLOCK * count, Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
                for (upper, lower), count in runs
            ),
            source="",
        )
