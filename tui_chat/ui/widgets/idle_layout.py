"""Lays out in idle moments what no key waits for, in slices between which keys and tokens have their turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tui_chat.ui.paint import call_in

if TYPE_CHECKING:
    from tui_chat.ui.widgets.transcript import Transcript

_SLICE_SECONDS: Final = 0.004
_SLICE_PAUSE: Final = 0.02
_HURRY_SECONDS: Final = 0.008
_HURRY_PAUSE: Final = 0.002
"""The same where the reader sees what is not there yet."""
_PAINT_SECONDS: Final = 0.05
"""Seconds between two paintings of it meanwhile."""


class IdleLayout:
    """Measures the entries of a log that nobody has looked at yet, and lays out those that are long."""

    def __init__(self, log: Transcript) -> None:
        self._log = log
        self._requested = False
        self._painted = 0.0

    def request(self) -> None:
        """Do a slice of the work in an idle moment, if there is any."""
        stack = self._log.stack
        if (stack.unmeasured or stack.unfinished) and not self._requested:
            self._requested = True
            pause = _HURRY_PAUSE if stack.unfinished.intersection(self._log.viewport.in_view()) else _SLICE_PAUSE
            call_in(self._log, pause, self.work)

    def work(self) -> None:
        """Do a slice of the work: long entries first, those in view before others."""
        self._requested = False
        viewport, unfinished = self._log.viewport, self._log.stack.unfinished
        if unfinished:
            seen, (first, _) = viewport.in_view(), viewport.place()
            self._lay_out(min(unfinished, key=lambda index: (index not in seen, abs(index - first))))
        else:
            self._measure()

    def _lay_out(self, index: int) -> None:
        """Lay out more of an unfinished entry."""
        viewport, stack = self._log.viewport, self._log.stack
        rows = stack.rows(index)
        until = time.monotonic() + (_HURRY_SECONDS if index in viewport.in_view() else _SLICE_SECONDS)
        while (more := rows.advance()) and time.monotonic() < until:
            pass
        if not more:
            stack.unfinished.discard(index)
        if not more or time.monotonic() > self._painted + _PAINT_SECONDS:
            viewport.update(index)
            self._painted = time.monotonic()
        if not more:
            viewport.finished(index)
        self.request()

    def _measure(self) -> None:
        """Measure some entries: upwards from the view, then downwards."""
        viewport, stack = self._log.viewport, self._log.stack
        until = time.monotonic() + _SLICE_SECONDS
        before = top = self._log.scroll_offset.y
        first, _ = viewport.place()
        for index in (*range(first, -1, -1), *range(first, len(stack.entries))):
            if index in stack.unmeasured:
                top += stack.measure_beside(top, index)
                if time.monotonic() > until:
                    break
        viewport.settle(shift=top - before)
