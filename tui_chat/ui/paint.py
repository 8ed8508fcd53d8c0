"""The paint clock: collects tokens that arrive faster than the screen is painted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import inf

from textual.message_pump import MessagePump


def call_in(owner: MessagePump, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
    """Call a function after a pause, when the widget has its turn.

    Textual's `set_timer` never calls it if starting the timer takes longer than the pause: that is so for
    microseconds, and for milliseconds where the process has to wait for the processor.
    """
    return asyncio.get_running_loop().call_later(seconds, owner.call_next, callback)


class PaintClock:
    """Calls `paint` at once for the first request after a rest, then at most every `interval()` seconds."""

    def __init__(self, owner: MessagePump, paint: Callable[[], None], interval: Callable[[], float]) -> None:
        self._owner = owner
        self._paint = paint
        self._interval = interval
        self._last = -inf
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Paint soon: at once after a rest, else when the interval has passed."""
        if self._timer is not None:
            return
        rest = self._last + self._interval() - time.monotonic()
        if rest <= 0:
            self.flush()
        else:
            self._timer = call_in(self._owner, rest, self.flush)

    def flush(self) -> None:
        """Paint now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._last = time.monotonic()
        self._paint()
