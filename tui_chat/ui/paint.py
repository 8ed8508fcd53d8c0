"""The paint clock: collects tokens that arrive faster than the screen is painted."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from textual.message_pump import MessagePump
from textual.timer import Timer


class PaintClock:
    """Calls `paint` at once for the first request after a rest, then at most every `interval()` seconds."""

    def __init__(self, owner: MessagePump, paint: Callable[[], None], interval: Callable[[], float]) -> None:
        self._owner = owner
        self._paint = paint
        self._interval = interval
        self._last = -inf
        self._timer: Timer | None = None

    def request(self) -> None:
        """Paint soon: at once after a rest, else when the interval has passed."""
        if self._timer is not None:
            return
        rest = self._last + self._interval() - time.monotonic()
        if rest <= 0:
            self.flush()
        else:
            self._timer = self._owner.set_timer(rest, self.flush, name="paint")

    def flush(self) -> None:
        """Paint now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._last = time.monotonic()
        self._paint()
