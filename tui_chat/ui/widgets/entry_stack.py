"""The messages of the log as rows: laid out where they are needed; the heights of the others are estimated.

Messages keep their source and their height; the rows of the latest ones that were asked for are kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tui_chat.markdown.draw import Row
from tui_chat.markdown.heights import Heights
from tui_chat.messages import Message
from tui_chat.ui.look import Look
from tui_chat.ui.widgets.column import Column
from tui_chat.ui.widgets.entry import Entry, EntryRows

_CACHED: Final = 48
"""Entries whose rows are kept; a screen shows fewer."""
_PIECES: Final = 4
"""Pieces of a message that are laid out at once in any case: most messages are no longer."""
_PATIENCE: Final = 0.01
"""Seconds for which more of them are; five times as much of both where a place in the message is looked for."""


class EntryStack:
    """The entries from top to bottom, their rows and heights, at one width in one look."""

    def __init__(self, look: Look, delayed: Callable[[], None]) -> None:
        """`delayed` is called when an entry is too long to be laid out at once."""
        self.look = look
        self._delayed = delayed
        self._rows: OrderedDict[int, EntryRows] = OrderedDict()
        self.entries: list[Entry] = []
        self.heights = Heights()
        self.unmeasured: set[int] = set()
        """Entries whose heights are estimated."""
        self.unfinished: set[int] = set()
        """Entries of which only a part is laid out."""
        self.width = 0
        """Cells of a row; 0 until it is known, and nothing is measured before."""
        self.column = Column(0, 0)

    def show(self, messages: Iterable[Message], versions: Mapping[str, tuple[int, int]]) -> None:
        """Hold these messages instead."""
        self.entries = []
        for message in messages:
            self.entries.append(Entry(message, self.entries, version=versions.get(message.id)))
        self.resize(self.width, self.column)

    def append(self, entry: Entry) -> int:
        """Put an entry below the others; returns about how many rows it takes."""
        height = entry.estimate(self.width, self.column)
        self.unmeasured.add(len(self.entries))
        self.entries.append(entry)
        self.heights.append(height)
        return height

    def cut(self, kept: int) -> int:
        """Remove all entries but the first ones; returns how many rows they took."""
        before = self.height
        while len(self.entries) > kept:
            self.entries.pop()
            self.heights.pop()
            last = len(self.entries)
            self._rows.pop(last, None)
            self.unmeasured.discard(last)
            self.unfinished.discard(last)
        return before - self.height

    def resize(self, width: int, column: Column) -> None:
        """Lay everything out anew in rows of this width, when it is needed."""
        self.width, self.column = width, column
        self.heights = Heights(entry.estimate(width, column) if width else 0 for entry in self.entries)
        self.unmeasured = set(range(len(self.entries)))
        self.unfinished.clear()
        self._rows.clear()

    def recolour(self, look: Look) -> None:
        """Lay out in another look what is laid out, when it is needed."""
        self.look = look
        self.unmeasured.update(self._rows)
        self.unfinished.clear()
        self._rows.clear()

    def index_of(self, message: str | None) -> int | None:
        """The place of a message by its id."""
        return next((index for index, entry in enumerate(self.entries) if entry.message.id == message), None)

    # Rows

    def rows(self, index: int) -> EntryRows:
        """The rows of an entry, as far as a key can wait for them."""
        rows = self._rows.get(index)
        if rows is not None:
            self._rows.move_to_end(index)
            return rows
        rows = self._rows[index] = self._made(index)
        if len(self._rows) > _CACHED:
            oldest, _ = self._rows.popitem(last=False)
            self.entries[oldest].forget()
            if oldest in self.unfinished:
                self.unfinished.remove(oldest)
                self.unmeasured.add(oldest)
        self.lay_out(index)
        return rows

    def _made(self, index: int, before: EntryRows | None = None) -> EntryRows:
        entry = self.entries[index]
        return EntryRows(entry, self.width, self.look, self.column, first=index == 0, before=before)

    def renew(self, index: int) -> int:
        """Make an entry's rows anew, but for its Markdown, which may be long; returns by how much it grew."""
        if (rows := self._rows.get(index)) is not None:
            self._rows[index] = self._made(index, rows)
            self.lay_out(index)
        return self.measure(index, anew=True)

    def lay_out(self, index: int, *, times: int = 1) -> None:
        """Lay out an entry as far as a key can wait for it; idle moments do the rest."""
        rows = self.rows(index)
        until = time.monotonic() + _PATIENCE * times
        pieces = 0
        while rows.advance():
            pieces += 1
            if pieces >= _PIECES * times and time.monotonic() > until:
                self.unfinished.add(index)
                self._delayed()
                return
        self.unfinished.discard(index)

    def measure(self, index: int, *, anew: bool = False) -> int:
        """Make sure of an entry's height; returns by how much it was off."""
        if not self.width or not (anew or index in self.unmeasured):
            return 0
        self.unmeasured.discard(index)
        return self.heights.set(index, self.rows(index).height)

    def measure_beside(self, top: int, index: int) -> int:
        """Measure an entry; returns by how much that moved what is at row `top`."""
        is_above = self.heights.top(index) < top
        growth = self.measure(index)
        return growth if is_above else 0

    @property
    def height(self) -> int:
        """All rows, measured or not."""
        return self.heights.total

    def row(self, y: int) -> Row:
        """A row of the whole stack, with what is needed to copy from it: laid out even if that takes long."""
        index, inner = self.heights.find(y)
        rows = self.rows(index)
        while inner >= rows.laid_out and rows.advance():
            pass
        return rows.row(inner) if inner < rows.height else Row(())
