"""Textual's driver for Unix terminals, made safe against lost terminals and hostile input."""

from __future__ import annotations

import errno
import os
import selectors
import sys
import termios
from codecs import getincrementaldecoder
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic
from types import MappingProxyType
from typing import Any, Final

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui_chat.terminal.colours import Depth, in_depth
from tui_chat.terminal.keys import BackgroundTold, KeyParser
from tui_chat.terminal.pasting import Pasted, Pasting
from tui_chat.terminal.textual_private import drop_writer, has_writer, write_to
from tui_chat.text.sanitize import clean

_TICK: Final = 0.1
"""Seconds between checks for a lone Escape and for a paste without end."""
_PASTE_SILENCE: Final = 1.0
_READ: Final = 1 << 16
_FOCUS_PATIENCE: Final = 3.0
"""Seconds after which keys are read even if nothing has the focus."""
_FOCUS_TICK: Final = 0.005


class StockDriver(LinuxDriver):
    """Textual's driver, which survives the loss of the terminal and any input from it.

    Pastes stay in one piece.
    """

    depth: Depth = Depth.TRUE
    """The colours that the terminal has; a subclass for a terminal says so."""
    italic: bool = True
    """Whether it has italics."""
    glyphs: Mapping[int, int] = MappingProxyType({})
    """Marks that its fonts lack, and what stands for them, as for `str.translate`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if (output := sys.__stdout__) is not None:
            output.reconfigure(errors="backslashreplace")  # as standard error is: any text can be written
            write_to(self, output)
        self.app = app
        self._hung_up = False
        self._early: list[Message] | None = None
        """What was typed before anything took keys; None once something does."""
        self._patient_until = 0.0
        if app.no_color or self.depth is Depth.NONE:
            self.depth = Depth.NONE
            app.no_color = True  # so that styles use attributes instead of colours
            app.ansi_color = True  # else Textual turns `dim` into a colour before we see it

    def as_it_can_show(self, data: str) -> str:
        """`data` in the colours and the glyphs that the terminal has."""
        data = in_depth(data, self.depth, italic=self.italic)
        return data.translate(self.glyphs) if self.glyphs else data

    def detach(self) -> None:
        """Restore the terminal if it is still there, and stop using it."""
        with suppress(termios.error):
            termios.tcgetattr(self.fileno)
            self.stop_application_mode()
            self.close()
        self.hang_up()
        self.attrs_before = None  # another program may have set it since

    def hang_up(self) -> None:
        """Stop reading and writing: the terminal is gone. May be called in any thread."""
        self._hung_up = True
        self.exit_event.set()  # a terminal that is gone would be "readable" for ever

    def start_application_mode(self) -> None:
        """Take the terminal, if there is one."""
        if not self._hung_up:
            super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Queue data for the terminal, unless it is gone or another program has it."""
        if not self._hung_up and has_writer(self):
            super().write(self.as_it_can_show(data))

    def close(self) -> None:
        """Write queued data, unless the terminal is gone."""
        if self._hung_up:
            drop_writer(self)
        super().close()
        drop_writer(self)

    def run_input_thread(self) -> None:
        """Read the terminal until told to stop, or until it is gone."""
        try:
            self._read_input()
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.hang_up()

    def _deliver(self, messages: Iterable[Message]) -> None:
        """Hand on what was read; keys not before anything takes them, for Textual would lose them."""
        if self._early is not None and (
            monotonic() > self._patient_until or (self.app.screen_stack and self.app.focused is not None)
        ):
            messages, self._early = [*self._early, *messages], None
        for message in messages:
            if self._early is None or isinstance(message, BackgroundTold):
                self.process_message(message)
            else:
                self._early.append(message)

    def _read_input(self) -> None:
        """Textual's loop, but invalid UTF-8 becomes U+FFFD, and pastes bypass the parser."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        pasting, heard = Pasting(), monotonic()
        self._parser = KeyParser()
        self._early, self._patient_until = [], monotonic() + _FOCUS_PATIENCE
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK if self._early is None else _FOCUS_TICK):
                    data = os.read(self.fileno, _READ)
                    if not data:
                        return  # the terminal is gone; it would be "readable" for ever
                    self._take(pasting.feed(decode(data)))
                    heard = monotonic()
                elif monotonic() - heard > _PASTE_SILENCE:
                    self._take(pasting.give_up())
                self._deliver(self._parser.tick())

    def _take(self, pieces: Iterable[str | Pasted]) -> None:
        for piece in pieces:
            if isinstance(piece, Pasted):
                text = piece.text.replace("\r\n", "\n").replace("\r", "\n")
                self._deliver([events.Paste(clean(text))])  # Textual's `Input` draws controls as they are
                continue
            try:
                told = self._parser.feed(piece)
                self._deliver(each for each in told if not isinstance(each, events.Paste))  # it saw none of theirs
            except (ValueError, OverflowError):  # a report with absurd numbers
                self._parser = KeyParser()
