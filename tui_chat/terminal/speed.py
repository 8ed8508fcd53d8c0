"""How fast the line to the terminal is, learnt from the writes that had to wait."""

from __future__ import annotations

from typing import Final

_WAITED: Final = 0.004
"""Seconds a write takes at least when the line, not the processor, held it up."""
_FAST: Final = 1_000_000.0
"""Bytes per second from which on nobody need care."""
_SMOOTHING: Final = 0.3
_HOPE: Final = 1.1
"""A write that did not wait means that the line may be so much faster than thought."""
_SHORTEST: Final = 0.05
_LONGEST: Final = 0.2
_LONGEST_REST: Final = 0.5


class LineSpeed:
    """An estimate of a line's speed, and what follows from it for the rhythm of frames."""

    def __init__(self) -> None:
        self._rate: float | None = None
        """Bytes per second; None while the line has never been the slow part."""
        self._size = 0.0

    @property
    def frame_interval(self) -> float:
        """Seconds to leave between two frames, 0.05 to 0.2: frames of the present size take half of the line."""
        if self._rate is None:
            return _SHORTEST
        return min(_LONGEST, max(_SHORTEST, 2 * self._size / self._rate))

    def wrote(self, size: int, seconds: float) -> float:
        """Learn from a write of `size` bytes that took so long; returns the seconds to leave the line alone now.

        The rest lets the buffers between us and the terminal drain, so that the next key's echo finds them short.
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
