"""The message log, as far as what walks through it needs to know it."""

from __future__ import annotations

from typing import Protocol

from tui_chat.ui.widgets.entry import Entry, EntryRows


class Log(Protocol):
    """Messages below each other, of which some are in view."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The messages from top to bottom."""

    def rows_at(self, index: int) -> tuple[Entry, EntryRows]:
        """A message and its rows."""

    def place(self) -> tuple[int, int]:
        """The message at the top of the view, and the row in it."""

    def reveal(self, index: int, row: int) -> None:
        """Scroll as little as needed to show a row."""

    def refresh(self) -> object:
        """Draw anew."""
