"""The driver that sends only changes and never waits for the terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import FrameType
from typing import Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.message import Message

from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.line import Line
from tui_chat.terminal.notices import restore_title, save_title
from tui_chat.terminal.outbox import SYNC_END, SYNC_START, Outbox
from tui_chat.terminal.painter import Painter
from tui_chat.terminal.sixel import ASK_GRAPHICS
from tui_chat.terminal.speed import LineSpeed
from tui_chat.terminal.stock import StockDriver

_SETTLE: Final = 0.25
"""Seconds after a resize within which Textual repaints by itself, unless the size is the old one."""
_CLOSE_TIMEOUT: Final = 2.0


class DiffDriver(StockDriver):
    """Writes frames as differences, in its own thread; otherwise like Textual's driver.

    Frames are recognised in `write`, the driver's public interface; other data passes unchanged, in order.
    """

    erases_in_colour: ClassVar[bool] = True
    """Erased cells take the background colour in force (terminfo's `bce`)."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        painter = Painter(erases_in_colour=self.erases_in_colour)
        self.sixels = painter.sixels
        """The pictures that it can draw by Sixel, where cells stand for them."""
        self._outbox = Outbox(painter)
        self.speed = LineSpeed()
        self._line: Line | None = None
        self._events = asyncio.get_running_loop()
        self.mouse_lent = False
        """Whether the mouse is the terminal's, so that it selects text as everywhere."""

    def lend_mouse(self, lent: bool) -> None:
        """Leave the mouse to the terminal, or take it back."""
        if lent:
            self._disable_mouse_support()
        self.mouse_lent = lent
        self._enable_mouse_support()

    def redraw(self) -> None:
        """Repaint the whole screen."""
        self._outbox.forget()
        self._wake()

    def write(self, data: str) -> None:
        """Queue a frame or a control sequence; ignored after `close` or a hang-up."""
        if self._line is None or self._hung_up or data == SYNC_END:
            return
        if data == SYNC_START:
            self._outbox.synchronized = True
            return
        frame = parse_frame(self.as_it_can_show(data))
        if frame is None:
            self._outbox.control(data)
        else:
            self._outbox.show(frame, *self.app.size)
        self._line.wake()

    def start_application_mode(self) -> None:
        """Enter the alternate screen and start to read and write, unless the terminal is gone."""
        if self._hung_up:
            return
        self.close()
        assert sys.__stdout__ is not None, "a terminal program has a standard output"
        self._line = Line(sys.__stdout__.fileno(), self._outbox, self.speed, self.hang_up)
        super().start_application_mode()
        super().close()  # the stock writer, started by the base class and not used
        self._watch_size()
        self._outbox.open()
        self.write(save_title(os.environ).decode())
        self._wake()

    def stop_application_mode(self) -> None:
        """Restore the terminal."""
        self.write(restore_title(os.environ).decode())
        self._outbox.shut()
        super().stop_application_mode()

    def close(self) -> None:
        """Flush queued data and stop writing, within two seconds."""
        line, self._line = self._line, None
        if line is not None and not line.close(_CLOSE_TIMEOUT):
            self._hung_up = True
        super().close()

    def process_message(self, message: Message) -> None:
        """Handle a report of the terminal; called in the input thread."""
        if isinstance(message, events.Resize):
            self._events.call_soon_threadsafe(self._resized)
        super().process_message(message)

    def _enable_mouse_support(self) -> None:
        """Report presses, wheel and drags (1000, 1002) in SGR form (1006), but not every motion (1003)."""
        if not self.mouse_lent:
            for mode in (1000, 1002, 1006):
                self.write(f"\x1b[?{mode}h")

    def _disable_mouse_support(self) -> None:
        self.write("\x1b[?1002l")
        super()._disable_mouse_support()

    def _watch_size(self) -> None:
        """Handle resizes before Textual, which ignores one that ends at the old size."""
        textual_handler = signal.getsignal(signal.SIGWINCH)

        def on_resize(number: int, frame: FrameType | None) -> None:
            self._events.call_soon_threadsafe(self._resized)
            if callable(textual_handler):
                textual_handler(number, frame)

        signal.signal(signal.SIGWINCH, on_resize)

    def _resized(self) -> None:
        self._outbox.forget()
        if self.sixels:  # the letters may have another size now
            self._outbox.control(ASK_GRAPHICS)
        self._events.call_later(_SETTLE, self._wake)

    def _wake(self) -> None:
        if self._line is not None:
            self._line.wake()
