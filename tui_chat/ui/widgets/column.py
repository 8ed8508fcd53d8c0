"""The column that everything stands in: its edges, and how much air there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui_chat.markdown.draw import PROSE

MARGIN: Final = 2
"""Cells left of all text, where the marks stand, and right of it."""
AIRY: Final = 30
"""Rows of a screen from which on there are blank ones that only make it easier to read."""
WIDE: Final = 130
"""Columns of a screen from which on the column stands in the middle."""


@dataclass(frozen=True, slots=True)
class Column:
    """The column on a screen of this size, in cells."""

    screen: int
    height: int

    @property
    def width(self) -> int:
        """Cells from its left edge to its right one."""
        return PROSE + 2 * MARGIN if self.screen >= WIDE else self.screen

    @property
    def left(self) -> int:
        """Cells left of it."""
        return (self.screen - self.width) // 2

    @property
    def airy(self) -> bool:
        """Whether there are rows to spare."""
        return self.height >= AIRY
