"""The speed of the line to the terminal, estimated from writes that had to wait."""

from __future__ import annotations

from typing import Final

_WAITED: Final = 0.004
"""Shortest write in seconds that counts as held up by the line."""
_FAST: Final = 1_000_000.0
"""Bytes per second that need no pauses."""
_SMOOTHING: Final = 0.3
_HOPE: Final = 1.1
"""Factor by which the estimate grows after a write that did not wait."""
_SHORTEST: Final = 0.05
_LONGEST: Final = 0.2
_LONGEST_REST: Final = 0.5


class LineSpeed:
    """Estimates a line's speed, and from it the time between frames."""

    def __init__(self) -> None:
        self._rate: float | None = None
        """Bytes per second; None for a fast line."""
        self._size = 0.0

    @property
    def frame_interval(self) -> float:
        """Seconds between two frames, 0.05 to 0.2, so that frames use half of the line."""
        if self._rate is None:
            return _SHORTEST
        return min(_LONGEST, max(_SHORTEST, 2 * self._size / self._rate))

    def wrote(self, size: int, seconds: float) -> float:
        """Learn from a write of `size` bytes in `seconds`; returns the seconds to pause now.

        The pause drains the buffers on the way to the terminal, so that the next key's echo comes soon.
        """
        self._size += _SMOOTHING * (size - self._size)
        if seconds > _WAITED:
            sample = size / seconds
            self._rate = sample if self._rate is None else self._rate + _SMOOTHING * (sample - self._rate)
        elif self._rate is not None:
            self._rate *= _HOPE
        if self._rate is None or self._rate > _FAST:
            self._rate = None
            return 0.0
        return min(_LONGEST_REST, size / self._rate)
