"""A scroll view over a stack of entries whose heights are measured when they are needed.

Where the view is, is one fact: `follows` (it sticks to the end), or the row that the reader chose, which stays put
whatever grows, shrinks or is measured above or below it. Textual's own `anchor()` cannot do that: it lets go at a
Down or PageDown at the end and never takes hold again.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from textual.geometry import Size
from textual.message import Message

from tui_chat.markdown.heights import Heights
from tui_chat.ui.widgets.lines import LineView

_SLICE_SECONDS: Final = 0.004
_SLICE_PAUSE: Final = 0.02
_HURRY_SECONDS: Final = 0.008
_HURRY_PAUSE: Final = 0.002
"""The same where the reader sees what is not there yet."""
_PAINT_SECONDS: Final = 0.05
"""Seconds between two paintings of it meanwhile."""


class VirtualList(LineView):
    """Scrolls over entries, from 0 at the top; a subclass draws them."""

    class Moved(Message):
        """The view left the end, follows again, or more came below. `below`: new rows; None while it follows."""

        def __init__(self, below: int | None) -> None:
            super().__init__()
            self.below = below

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._heights = Heights()
        self._unmeasured: set[int] = set()
        self._unfinished: set[int] = set()
        """Entries that are too long to be measured at once: of these a part is."""
        self._painted = 0.0
        self._width = 0
        self.follows = True
        self._steering = False
        self._left_at = 0
        self._reported: int | None = None
        self._measuring = False

    @abstractmethod
    def estimated_height(self, index: int) -> int:
        """About how many rows an entry takes, without rendering it."""

    @abstractmethod
    def measured_height(self, index: int) -> int:
        """How many rows an entry takes; about, as long as it is not finished."""

    @abstractmethod
    def measure_more(self, index: int) -> bool:
        """Measure a piece more of an entry, some milliseconds; whether there is more of it."""

    @abstractmethod
    def paint_more(self, index: int) -> None:
        """Update an entry's height, and paint its new rows."""

    def finished(self, index: int) -> None:
        """An entry that was too long to be measured at once is measured now."""

    def shows_thumb(self) -> bool:
        """Whether to show the thumb: not while the view follows the end."""
        return not self.follows

    # Where the reader is

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.follows = True
        self._settle()

    def place(self) -> tuple[int, int]:
        """The entry at the top of the view, and the row in it."""
        return self._heights.find(self.scroll_offset.y)

    def go(self, index: int, row: int = 0) -> None:
        """Bring a row of an entry to the top of the view, as far as there is enough below."""
        if not len(self._heights):
            return
        index = min(index, len(self._heights) - 1)
        if self.follows:
            self._left_at = self._heights.total
        self.follows = False
        self._measure(index)
        with self._steer():
            self._move(self._heights.top(index) + row)
        self._settle()
        self._look_where()

    def reveal(self, index: int, row: int) -> None:
        """Scroll as little as needed to show a row."""
        self._measure(index)
        target = self._heights.top(index) + row
        top, height = self.scroll_offset.y, self.size.height
        if target < top or target >= top + height:
            self.scroll_to(y=max(0, target - height // 3), animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end, or stop following, after the reader has scrolled."""
        super().watch_scroll_y(old_value, new_value)
        if not self._steering and old_value != new_value:
            self._look_where()
            self._settle()

    def _look_where(self) -> None:
        at_end = self.scroll_offset.y >= self.max_scroll_y
        if self.follows and not at_end:
            self._left_at = self._heights.total
        self.follows = at_end
        self._report()

    def _report(self) -> None:
        below = None if self.follows else max(0, self._heights.total - self._left_at)
        if below != self._reported:
            self._reported = below
            self.post_message(self.Moved(below))

    # Heights

    def _relay(self, count: int) -> None:
        """Begin anew with so many entries, none of them measured."""
        below = self._heights.total - self._left_at
        self._heights = Heights(self.estimated_height(index) for index in range(count))
        self._unmeasured = set(range(count))
        self._unfinished.clear()
        self._left_at = self._heights.total - below  # what is new for the reader stays about as much
        self._settle()
        self.refresh()

    def _append(self) -> None:
        """Add an entry at the end."""
        index = len(self._heights)
        self._heights.append(self.estimated_height(index))
        self._unmeasured.add(index)
        self._settle()

    def _pop(self) -> None:
        """Remove the last entry."""
        self._heights.pop()
        self._unmeasured.discard(len(self._heights))
        self._unfinished.discard(len(self._heights))
        self._settle()
        self.refresh()

    def _measure(self, index: int, *, anew: bool = False) -> int:
        """Make sure of an entry's height; returns by how much it was off."""
        if not self._width or not (anew or index in self._unmeasured):
            return 0
        self._unmeasured.discard(index)
        return self._heights.set(index, self.measured_height(index))

    def _settle(self, shift: int = 0) -> None:
        """Measure what is in view, and put the view where it belongs. `shift`: rows by which it moves anyway."""
        if not self._width:
            return
        with self._steer():
            self._move(self.scroll_offset.y + shift)
            while self._unmeasured and self._measure_view():
                pass
        self._report()
        self._await_idleness()

    def _await_idleness(self) -> None:
        """Measure more in an idle moment, if any entry needs it."""
        if (self._unmeasured or self._unfinished) and not self._measuring:
            self._measuring = True
            pause = _HURRY_PAUSE if self._unfinished.intersection(self._in_view()) else _SLICE_PAUSE
            self.set_timer(pause, self._measure_slice)

    def _in_view(self) -> range:
        top = self.scroll_offset.y
        return range(self._heights.find(top)[0], self._heights.find(top + self.size.height - 1)[0] + 1)

    def _measure_view(self) -> bool:
        """Measure the entries in view; whether any was not, so that others may be in view now."""
        top = self.scroll_offset.y
        pending = [index for index in reversed(self._in_view()) if index in self._unmeasured]
        for index in pending:
            top += self._measure_beside(top, index)
        self._move(top)
        return bool(pending)

    def _measure_beside(self, top: int, index: int) -> int:
        """Measure an entry; returns by how much that moved what is at row `top`."""
        above = self._heights.top(index) < top
        growth = self._measure(index)
        self._left_at += growth
        return growth if above else 0

    def _measure_slice(self) -> None:
        """Measure some entries in an idle moment: upwards from the view, then downwards."""
        self._measuring = False
        first, _ = self.place()
        if self._unfinished:
            self._go_on(
                min(self._unfinished, key=lambda index: (index not in self._in_view(), abs(index - first)))
            )
            return
        until = time.monotonic() + _SLICE_SECONDS
        top = self.scroll_offset.y
        for index in (*range(first, -1, -1), *range(first, len(self._heights))):
            if index in self._unmeasured:
                top += self._measure_beside(top, index)
                if time.monotonic() > until:
                    break
        self._settle(top - self.scroll_offset.y)

    def _go_on(self, index: int) -> None:
        """Measure more of an unfinished entry."""
        until = time.monotonic() + (_HURRY_SECONDS if index in self._in_view() else _SLICE_SECONDS)
        while (more := self.measure_more(index)) and time.monotonic() < until:
            pass
        if not more:
            self._unfinished.discard(index)
        if not more or time.monotonic() > self._painted + _PAINT_SECONDS:
            self.paint_more(index)
            self._painted = time.monotonic()
        if not more:
            self.finished(index)
        self._await_idleness()

    def _move(self, row: int) -> None:
        """Set the view's top row, or the end while it follows."""
        self.resize_content(Size(self._width, self._heights.total))
        target = self.max_scroll_y if self.follows else row
        self.scroll_target_y = self.scroll_y = target

    @contextmanager
    def _steer(self) -> Iterator[None]:
        """Mark scrolling as ours, not the reader's."""
        outer, self._steering = self._steering, True
        try:
            yield
        finally:
            self._steering = outer
