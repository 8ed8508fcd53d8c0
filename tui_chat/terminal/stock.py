"""Textual's own driver for Unix terminals, taught that a terminal can go away, and to read whatever it sends."""

from __future__ import annotations

import errno
import os
import selectors
import termios
from codecs import getincrementaldecoder
from collections.abc import Iterable
from time import monotonic
from typing import Any, Final

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_chat.terminal.colours import wants_colours, without_colours
from tui_chat.terminal.keys import KeyParser
from tui_chat.terminal.pasting import Pasted, Pasting, Typed
from tui_chat.terminal.textual_private import app_of, drop_writer, has_writer, is_debugging
from tui_chat.text.sanitize import clean

_TICK: Final = 0.1
"""Seconds between looks at what only time tells: a lone Escape, a paste that has no end."""
_PASTE_SILENCE: Final = 1.0
_READ: Final = 1 << 16
_FOCUS_PATIENCE: Final = 3.0
"""Seconds after which keys are read even if nothing has the focus: some of them work anyway."""
_FOCUS_TICK: Final = 0.005


class StockDriver(LinuxDriver):
    """The loss of the terminal neither ends the application nor lets it spin or wait for ever.

    What it sends cannot end the application either, and what is pasted stays in one piece.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._hung_up = False
        self._in_colour = wants_colours(app, os.environ)
        if not self._in_colour:
            app.no_color = True  # so that styles tell by attributes what they would tell by colours
            app.ansi_color = True  # else Textual turns `dim` into a colour before we see it

    def in_its_colours(self, data: str) -> str:
        """`data` with the colours that the terminal is to show: all or none."""
        return data if self._in_colour else without_colours(data)

    def detach(self) -> None:
        """Restore the terminal, if it is still there, and have nothing more to do with it."""
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            self.hang_up()
        else:
            self.stop_application_mode()
            self.close()
            self.hang_up()
        self.attrs_before = None  # whoever has the terminal now sets it as he likes

    def hang_up(self) -> None:
        """Stop to read and write: the terminal is gone. May be called in any thread."""
        self._hung_up = True
        self.exit_event.set()  # a terminal that is gone would be "readable" for ever

    def start_application_mode(self) -> None:
        """Take the terminal, if there is one."""
        if not self._hung_up:
            super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Queue data for the terminal, if there is one and another program has not got it."""
        if not self._hung_up and has_writer(self):
            super().write(self.in_its_colours(data))

    def close(self) -> None:
        """Write what is queued, if anybody reads it."""
        if self._hung_up:
            drop_writer(self)
        super().close()
        drop_writer(self)

    def run_input_thread(self) -> None:
        """Read the terminal until told to stop, or until it is gone; not before anything takes the keys."""
        try:
            self._await_focus()
            self._read_input()
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.hang_up()

    def _await_focus(self) -> None:
        """Leave to the terminal what is typed before the first frame: Textual would lose it."""
        until = monotonic() + _FOCUS_PATIENCE
        while monotonic() < until and not self.exit_event.wait(_FOCUS_TICK):
            if app_of(self).screen_stack and app_of(self).focused is not None:
                return

    def _read_input(self) -> None:
        """Textual's loop, but bytes that are not UTF-8 become U+FFFD, and pastes do not go through its parser."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        pasting, heard = Pasting(), monotonic()
        self._parser = KeyParser(is_debugging(self))
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK):
                    data = os.read(self.fileno, _READ)
                    if not data:
                        return  # nobody is at the other end; it would be "readable" for ever
                    self._take(pasting.feed(decode(data)))
                    heard = monotonic()
                elif monotonic() - heard > _PASTE_SILENCE:
                    self._take(pasting.give_up())
                for message in self._parser.tick():
                    self.process_message(message)

    def _take(self, pieces: Iterable[Typed | Pasted]) -> None:
        for piece in pieces:
            if isinstance(piece, Pasted):
                text = piece.text.replace("\r\n", "\n").replace("\r", "\n")
                self.process_message(events.Paste(clean(text)))  # Textual's `Input` draws controls as they are
                continue
            try:
                for message in self._parser.feed(piece.text):
                    if not isinstance(message, events.Paste):  # between the marks it saw nothing
                        self.process_message(message)
            except (ValueError, OverflowError):  # a report whose numbers make no sense
                self._parser = KeyParser(is_debugging(self))
