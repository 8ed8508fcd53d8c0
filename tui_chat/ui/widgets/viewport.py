"""Where the view of the log is: what the reader looks at stays where it is, or the view sticks to the end.

That is one fact: `follows`, or the row that the reader chose, which stays put whatever grows, shrinks or is
measured above or below it. Textual's own `anchor()` cannot do that: it lets go at a Down or PageDown at the end,
and never takes hold again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from textual.geometry import Size

from tui_chat.ui.widgets.column import Column
from tui_chat.ui.widgets.entry import EntryRows
from tui_chat.ui.widgets.entry_stack import EntryStack
from tui_chat.ui.widgets.scrolling import LineView

_FAR: Final = 1000
"""Rows of a message from which on the place is found by rows and no more by characters."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The character that stays at the top of the view when a new width breaks the lines elsewhere."""

    index: int
    """Of the message."""
    row: int
    width: int
    characters: int
    """Characters above the row in the message; 0 where these are many."""

    @classmethod
    def at(cls, index: int, row: int, rows: EntryRows, width: int) -> _Anchor:
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


class Viewport:
    """The part of a stack of entries that a widget shows, from row 0 at its top."""

    def __init__(
        self, view: LineView, stack: EntryStack, settled: Callable[[], None], below: Callable[[int | None], None]
    ) -> None:
        """`settled` is called when what is in view is measured; other entries may not be.

        `below` is told how many rows came below since the reader left the end; None while the view follows.
        """
        self._view = view
        self._below = below
        self._stack = stack
        self._settled = settled
        self.follows = True
        self._new = 0
        """Rows that came below since the reader left the end."""
        self._moving = False
        """Whether it is us that scroll, not the reader."""
        self._anchor: _Anchor | None = None
        """The reader's place before the last resize, until somebody scrolls."""
        self._wish: Callable[[], None] | None = None
        """The jump to make once the width is known."""

    def in_view(self) -> range:
        """The entries of which rows are in view."""
        top, heights = self._view.scroll_offset.y, self._stack.heights
        return range(heights.find(top)[0], heights.find(top + self._view.size.height - 1)[0] + 1)

    def place(self) -> tuple[int, int]:
        """The entry at the top of the view, and the row in it."""
        return self._stack.heights.find(self._view.scroll_offset.y)

    # Going somewhere

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.follows = True
        self.settle()

    def go(self, index: int, row: int = 0) -> None:
        """Bring a row of an entry to the top of the view, as far as there is enough below."""
        if self.follows:
            self._new = 0
        self.follows = False
        self._stack.measure(index)
        self._move(self._stack.heights.top(index) + row)
        self.settle()
        self._look_where()

    def return_to(self, message: str, row: int) -> None:
        """Go to where `place` was, in a message by its id."""
        self.reach(message, lambda index: self.go(index, row))

    def reach(self, message: str, jump: Callable[[int], None]) -> None:
        """Make a jump to a message by its id: now or, if the width is not known yet, as soon as it is."""

        def reach() -> None:
            if (index := self._stack.index_of(message)) is not None:
                self.rows_at(index)
                jump(index)

        if self._stack.width:
            reach()
        else:
            self._wish = reach

    def reveal(self, index: int, row: int) -> None:
        """Paint anew, with a row in view; scroll as little as needed for that."""
        self._stack.measure(index)
        target = self._stack.heights.top(index) + row
        top, height = self._view.scroll_offset.y, self._view.size.height
        if target < top or target >= top + height:
            self._view.scroll_to(y=max(0, target - height // 3), animate=False)
        self._view.refresh()

    def scrolled(self) -> None:
        """Follow the end, or stop following, if it is the reader who has scrolled."""
        if not self._moving:
            self._look_where()
            self.settle()

    def _look_where(self) -> None:
        self._anchor = None
        at_end = self._view.scroll_offset.y >= self._view.max_scroll_y
        if self.follows and not at_end:
            self._new = 0
        self.follows = at_end
        self._below(None if self.follows else max(0, self._new))

    # Staying there

    def rows_at(self, index: int) -> EntryRows:
        """The rows of an entry, measured; all of them, unless these are too many to wait for."""
        stack = self._stack
        rows = stack.rows(index)
        if index in stack.unfinished:
            stack.lay_out(index, times=5)
            self.update(index)
        elif index in stack.unmeasured:
            self.settle(shift=stack.measure_beside(self._view.scroll_offset.y, index))
        return rows

    def update(self, index: int) -> None:
        """Update an entry's height, and paint its new rows."""
        stack, view = self._stack, self._view
        rows = stack.rows(index)
        first, before = rows.take_changes(), view.scroll_offset.y
        is_above = stack.heights.top(index + 1) <= before
        growth = stack.measure(index, anew=True)
        self.settle(shift=growth if is_above else 0, new=growth if stack.entries[index].live else 0)
        if growth < 0 or (growth and index + 1 < len(stack.entries)):
            view.refresh()
        elif view.scroll_offset.y == before:
            top = stack.heights.top(index)
            start, stop = max(top + first, before), min(top + rows.laid_out, before + view.size.height)
            if start < stop:
                view.refresh_lines(start, stop - start)

    def resize(self, width: int, column: Column) -> None:
        """Lay everything out anew around the character at the top of the view."""
        stack, anchor = self._stack, self._anchor
        if not stack.width or not stack.entries or self.follows:
            anchor = None
        elif anchor is None or anchor.index >= len(stack.entries):
            index, row = self.place()
            anchor = _Anchor.at(index, row, stack.rows(index), stack.width)
        stack.resize(width, column)
        self.settle()
        self._view.refresh()
        if anchor is not None:
            self._return(anchor)
        wish, self._wish = self._wish, None
        if wish is not None:
            wish()

    def finished(self, index: int) -> None:
        """A long message is laid out to its end: now the reader's row in it is known."""
        if self._anchor is not None and self._anchor.index == index:
            self._return(self._anchor)

    def _return(self, anchor: _Anchor) -> None:
        """Go to the character that was at the top of the view; about there, while its row is not known."""
        stack, index = self._stack, anchor.index
        rows = self.rows_at(index)
        self.go(index, anchor.row_in(rows, stack.width, whole=index not in stack.unfinished))
        self._anchor = anchor  # another width finds the same character, not the first one of this row

    def settle(self, *, shift: int = 0, new: int = 0) -> None:
        """Measure what is in view, and put the view where it belongs.

        `shift`: rows by which what is in view has moved; `new`: rows that came below.
        """
        self._new += new
        if not self._stack.width:
            return
        self._move(self._view.scroll_offset.y + shift)
        unmeasured = self._stack.unmeasured
        while unmeasured and (pending := unmeasured.intersection(self.in_view())):
            top = self._view.scroll_offset.y
            for index in sorted(pending, reverse=True):
                top += self._stack.measure_beside(top, index)
            self._move(top)  # others may be in view now
        self._below(None if self.follows else max(0, self._new))
        self._settled()

    def _move(self, row: int) -> None:
        """Set the view's top row, or the end while it follows."""
        view, self._moving = self._view, True
        view.resize_content(Size(self._stack.width, self._stack.height))
        view.scroll_target_y = view.scroll_y = view.max_scroll_y if self.follows else row
        self._moving = False


def _letters(rows: EntryRows, y: int) -> int:
    return sum(not character.isspace() for character in rows.row(y).text)
