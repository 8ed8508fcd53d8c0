"""Blocks of rows that an entry of the transcript is stacked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_chat.images.drawing import Rgb
from tui_chat.markdown.draw import Row, Rows
from tui_chat.markdown.wrap import wrap

_HALF_BLOCK: Final = "▀"


@dataclass(frozen=True, slots=True)
class FixedRows:
    """Rows that are there already."""

    rows: Sequence[Row]

    @classmethod
    def silent(cls, *rows: Sequence[Segment]) -> FixedRows:
        """Rows that are shown but not part of the conversation: a copy leaves them out."""
        return cls([Row(tuple(row), source="") for row in rows])

    @classmethod
    def plain(cls, text: str, width: int, style: Style) -> FixedRows:
        """Text as it was written, wrapped at words."""
        lines = wrap([(text.expandtabs(4), style)], max(1, width))
        return cls([Row(tuple(line.segments()), line.text, continues=line.continues) for line in lines])

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def row(self, y: int) -> Row:
        """Row `y`."""
        return self.rows[y]


class Indented:
    """Rows behind a margin, which is not copied."""

    __slots__ = ("_margin", "_panel", "_rows", "_width")

    def __init__(self, rows: Rows, margin: Sequence[Segment], panel: tuple[int, Style] | None = None) -> None:
        """`panel`: the cells and the ground of a panel that they stand on, the margin included."""
        self._rows = rows
        self._margin = tuple(margin)
        self._width = sum(cell_len(segment.text) for segment in margin)
        self._panel = panel

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self._rows.height

    def row(self, y: int) -> Row:
        """Row `y`, moved to the right."""
        row = self._rows.row(y)
        segments = (*self._margin, *row.segments)
        if self._panel is not None:
            size, ground = self._panel
            segments = tuple(Strip(segments).adjust_cell_length(size).apply_style(ground))
        return replace(row, segments=segments, indent=row.indent + self._width)


@dataclass(frozen=True, slots=True)
class HalfBlockRows:
    """A picture: two pixels in each cell, drawn when they are seen: thousands of styles are dear."""

    cells: tuple[tuple[tuple[Rgb, Rgb], ...], ...]

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.cells)

    def row(self, y: int) -> Row:
        """Row `y`."""
        runs = ((colours, len(list(run))) for colours, run in groupby(self.cells[y]))
        return Row(
            tuple(
                Segment(_HALF_BLOCK * count, Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
                for (upper, lower), count in runs
            ),
            source="",
        )
