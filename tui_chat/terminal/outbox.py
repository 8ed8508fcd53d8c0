"""What is still to be sent: control sequences, all and in order, and the newest frame.

A frame that was not sent yet is replaced by a newer one; since the painter knows what the terminal shows, only the
difference between what was sent and what is wanted ever goes out.
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
"""Shorter frames go out in one piece, so that they cannot be seen half done; the marks are 16 bytes."""
_LEAVES_SCREEN_ALONE: Final = re.compile(
    r"(?:\x07|\x1b\[[?<=>][0-?]*[ -/]*[@-~]|\x1b\[2[23];2t"
    r"|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\|\x1b[\]_^][^\x07\x1b]*(?:\x07|\x1b\\))*",
    re.DOTALL,
)
"""Private modes and queries, the title's stack, OSC, APC, DCS (also what a multiplexer passes on) and the bell:
neither cursor, colours nor cells change."""


class Outbox:
    """The one queue between the application's threads, which fill it, and the line's, which empties it.

    It holds one frame at most, so its size is bounded by the screen and the control sequences people cause.
    """

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._controls: deque[str] = deque()
        # Reentrant, since Textual also writes from signal handlers (Ctrl+Z) on top of whatever runs.
        self._lock = RLock()
        self._has_frame = False
        self._is_open = False
        self.synchronized = False
        """Whether frames are sent as synchronized output (mode 2026)."""

    def open(self) -> None:
        """Send frames from now on, to a screen of which nothing is known."""
        with self._lock:
            self._painter.forget()
            self._is_open = True

    def shut(self) -> None:
        """Send no more frames, also not the one that waits; styling ends."""
        with self._lock:
            self._is_open = False
            self._controls.append(self._painter.plain())

    def show(self, frame: Frame, width: int, height: int) -> None:
        """The newest frame, for a screen of this size in cells."""
        with self._lock:
            self._painter.show(frame, width, height)
            self._has_frame = True

    def forget(self) -> None:
        """The next frame repaints everything."""
        with self._lock:
            self._painter.forget()

    def control(self, sequence: str) -> None:
        """A sequence to pass on unchanged: after the frames that came before it, before those that follow."""
        with self._lock:
            self._controls.append(self._frame() + sequence)
            if not _LEAVES_SCREEN_ALONE.fullmatch(sequence):
                self._painter.forget()

    def take(self, *, frames: bool = True) -> bytes:
        """What to send next: waiting control sequences, else (if `frames`) the frame; empty for nothing."""
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
