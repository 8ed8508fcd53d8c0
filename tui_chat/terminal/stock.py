"""Textual's own driver for Unix terminals, taught that a terminal can go away."""

from __future__ import annotations

import errno
import termios
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class StockDriver(LinuxDriver):
    """The loss of the terminal neither ends the application nor lets it spin or wait for ever."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._hung_up = False

    @property
    def hung_up(self) -> bool:
        """Whether the terminal is gone; what is written then goes nowhere."""
        return self._hung_up

    def let_go(self) -> None:
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
        if not self._hung_up and self._writer_thread is not None:
            super().write(data)

    def close(self) -> None:
        """Write what is queued, if anybody reads it."""
        if self._hung_up:
            self._writer_thread = None
        super().close()
        self._writer_thread = None

    def run_input_thread(self) -> None:
        """Read the terminal until told to stop, or until it is gone."""
        try:
            super().run_input_thread()
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.hang_up()
