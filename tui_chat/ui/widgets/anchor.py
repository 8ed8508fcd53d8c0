"""The character that stays at the top of the view when a new width breaks the lines elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui_chat.ui.widgets.entry import EntryRows

_FAR: Final = 1000
"""Rows of a message from which on the place is found by rows and no more by characters."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in a message, as it was laid out at one width."""

    index: int
    """Of the message."""
    row: int
    width: int
    characters: int
    """Characters above the row in the message; 0 where these are many."""

    @classmethod
    def at(cls, index: int, row: int, rows: EntryRows, width: int) -> Anchor:
        """The place at a row of a message."""
        above = 0 if row > _FAR else sum(_letters(rows, y) for y in range(min(row, rows.height)))
        return cls(index, row, width, above)

    def row_in(self, rows: EntryRows, width: int, *, whole: bool) -> int:
        """The row of the place at another width; about, unless the message is laid out to its end."""
        if not whole or self.row > _FAR:
            return self.row * self.width // width
        if not self.characters:
            return self.row
        characters = self.characters
        for y in range(rows.height):
            characters -= _letters(rows, y)
            if characters < 0:
                return y
        return max(0, rows.height - 1)


def _letters(rows: EntryRows, y: int) -> int:
    return sum(not character.isspace() for character in rows.row(y).text)
