"""The data to send: all control sequences in order, and the newest frame.

A newer frame replaces one that was not sent yet: the painter compares it with what the terminal shows.
"""

from __future__ import annotations

import re
from collections import deque
from threading import RLock
from typing import Final

from tui_chat.terminal.frames import Frame
from tui_chat.terminal.painter import Painter

SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"
_SYNC_WORTH: Final = 512
"""Shorter frames arrive in one piece, and need no marks of 16 bytes."""
_LEAVES_SCREEN_ALONE: Final = re.compile(
    r"(?:\x07|\x1b\[[?<=>][0-?]*[ -/]*[@-~]|\x1b\[(?:2[23];2t|16t|c)"
    r"|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\|\x1b[\]_^][^\x07\x1b]*(?:\x07|\x1b\\))*",
    re.DOTALL,
)
"""Private modes, queries, the title's stack, OSC, APC, DCS (also what a multiplexer passes on) and the bell:
neither cursor, colours nor cells change."""


class Outbox:
    """The queue between the application's threads and the line's thread. It holds at most one frame."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._controls: deque[str] = deque()
        # Reentrant, since Textual also writes from signal handlers (Ctrl+Z).
        self._lock = RLock()
        self._has_frame = False
        self._is_open = False
        self.synchronized = False
        """Whether frames are sent as synchronized output (mode 2026)."""

    def open(self) -> None:
        """Send frames from now on, to a screen with unknown content."""
        with self._lock:
            self._painter.forget()
            self._is_open = True

    def shut(self) -> None:
        """Send no more frames, not even the queued one; reset the style."""
        with self._lock:
            self._is_open = False
            self._controls.append(self._painter.plain())

    def show(self, frame: Frame, width: int, height: int) -> None:
        """Queue a frame for a screen of this size in cells."""
        with self._lock:
            self._painter.show(frame, width, height)
            self._has_frame = True

    def forget(self) -> None:
        """Repaint everything with the next frame."""
        with self._lock:
            self._painter.forget()

    def control(self, sequence: str) -> None:
        """Queue a sequence to send unchanged, between the frames before and after it."""
        with self._lock:
            self._controls.append(self._frame() + sequence)
            if not _LEAVES_SCREEN_ALONE.fullmatch(sequence):
                self._painter.forget()

    def take(self, *, frames: bool = True) -> bytes:
        """The next data to send: control sequences, else (if `frames`) the frame; may be empty."""
        with self._lock:
            if self._controls:
                text = "".join(self._controls)
                self._controls.clear()
            else:
                text = self._frame() if frames else ""
        return text.encode("utf-8", "replace")

    def _frame(self) -> str:
        if not (self._is_open and self._has_frame):
            return ""
        text = self._painter.paint()
        return f"{SYNC_START}{text}{SYNC_END}" if self.synchronized and len(text) > _SYNC_WORTH else text
