"""Blocks of rows that an entry of the transcript is stacked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui_chat.markdown.draw import Row, Rows
from tui_chat.markdown.wrap import wrap


class FixedRows:
    """Rows that are there already."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)

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
        return len(self._rows)

    def row(self, y: int) -> Row:
        """Row `y`."""
        return self._rows[y]


class Indented:
    """Rows behind a margin, which is not copied."""

    __slots__ = ("_margin", "_rows", "_width")

    def __init__(self, rows: Rows, margin: Sequence[Segment]) -> None:
        self._rows = rows
        self._margin = tuple(margin)
        self._width = sum(cell_len(segment.text) for segment in margin)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self._rows.height

    def row(self, y: int) -> Row:
        """Row `y`, moved to the right."""
        row = self._rows.row(y)
        return replace(row, segments=(*self._margin, *row.segments), indent=row.indent + self._width)


class Panel(Indented):
    """Rows on a ground of their own, behind a bar that runs along all of them."""

    __slots__ = ("_ground", "_size")

    def __init__(self, rows: Rows, bar: Segment, size: int, ground: Style) -> None:
        """`size`: cells of the panel and its bar."""
        super().__init__(rows, [bar])
        self._size = size
        self._ground = ground

    def row(self, y: int) -> Row:
        """Row `y`, as wide as the panel."""
        row = super().row(y)
        strip = row.strip().adjust_cell_length(self._size).apply_style(self._ground)
        return replace(row, segments=tuple(strip))
