"""Finding words in the log: the messages that hold them, the rows where they stand, and how they are marked."""

from __future__ import annotations

from collections.abc import Callable

from tui_chat.text.fold import fold, spans_in
from tui_chat.ui.widgets.entry_stack import EntryStack
from tui_chat.ui.widgets.viewport import Viewport


class Finding:
    """A search in the log: the words, the messages that hold them, and the hit that the reader is at."""

    def __init__(self, stack: EntryStack, viewport: Viewport, refresh: Callable[[], object]) -> None:
        """`refresh` draws the log anew."""
        self._stack = stack
        self._viewport = viewport
        self._refresh = refresh
        self._words: tuple[str, ...] = ()
        self.hits: list[int] = []
        """The messages that hold all the words, from top to bottom."""
        self.at: tuple[int, int] | None = None
        """The hit that the reader is at: a message, and a row of it."""

    @property
    def number(self) -> int:
        """Which of the hits the reader is at, counted from 1; 0 for none."""
        return 0 if self.at is None else self.hits.index(self.at[0]) + 1

    def look_for(self, words: tuple[str, ...]) -> None:
        """Search for these folded words and mark them; without words, end the search."""
        self._words, self.at = words, None
        folded = (fold(entry.said) for entry in self._stack.entries) if words else ()
        self.hits = [index for index, text in enumerate(folded) if all(word in text for word in words)]
        self._refresh()

    def first_in(self, index: int) -> int:
        """Go to the first hit in a message; its row, or 0 without one."""
        if index not in self.hits:
            return 0
        row = self._rows(index)[0]
        self.at = (index, row)
        return row

    def nearest(self) -> None:
        """Go to the first place in view or below it, else to the first of all."""
        here = self._viewport.place()
        for index in self.hits:
            if index >= here[0]:
                for row in self._rows(index):
                    if (index, row) >= here:
                        return self._enter(index, row)
        return self._enter(self.hits[0], self._rows(self.hits[0])[0]) if self.hits else None

    def move(self, direction: int) -> None:
        """Go to the next hit below (1) or above (-1), around the ends."""
        if self.at is None:
            return self.nearest()
        index, row = self.at
        rows = self._rows(index)
        beyond = [other for other in rows if (other - row) * direction > 0]
        if not beyond:
            index = self.hits[(self.hits.index(index) + direction) % len(self.hits)]
            beyond = self._rows(index)
        return self._enter(index, beyond[0 if direction > 0 else -1])

    def spans(self, index: int, row: int) -> tuple[tuple[int, int], ...]:
        """Spans of the words in the text of a row of a message."""
        if not self._words or index not in self.hits:
            return ()
        rows = self._stack.rows(index)
        return spans_in(fold(rows.row(row).strip().text), self._words) if row >= rows.answer_row else ()

    def _enter(self, index: int, row: int) -> None:
        self.at = (index, row)
        self._viewport.reveal(index, row)

    def _rows(self, index: int) -> list[int]:
        """The rows of a message where a word stands; its first where none does: it is wrapped, or in a link."""
        rows = self._viewport.rows_at(index)
        texts = ((row, fold(rows.row(row).text)) for row in range(rows.answer_row, rows.height))
        return [row for row, text in texts if any(word in text for word in self._words)] or [rows.answer_row]
