"""A whole session of an application: what Textual writes and what we send show the same, frame by frame."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Input, RichLog
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.outbox import Outbox
from tui_chat.terminal.painter import Painter

from tests.terminal.demo import LINES, Demo
from tests.terminal.emulator import Emulator, Glyph


class ComparingDriver(Driver):
    """Shows everything twice, in the stock way and in ours, and compares after every frame."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert size is not None
        self.outbox = Outbox(Painter(erases_in_colour=True))
        self.outbox.open()
        self.sizes = size
        self.frames = self.stock_bytes = self.thrifty_bytes = 0
        self.differences: list[tuple[int, int, list[tuple[int, Glyph, Glyph]]]] = []
        """Frame, row, and each column with what was shown in our way and in the stock way."""
        self.new_screens(size)

    def new_screens(self, size: tuple[int, int]) -> None:
        """After a resize terminals show all sorts of things; stock Textual paints all, and so must we."""
        self.sizes = size
        self.stock, self.thrifty = Emulator(*size), Emulator(*size)
        self.stock.feed("\x1b[?7l")
        self.thrifty.feed("\x1b[?7l" + "\x1b[44m" + "".join(f"\x1b[{y + 1}Hold" for y in range(size[1])))

    def write(self, data: str) -> None:
        frame = parse_frame(data)
        if frame is None:
            self.outbox.control(data)
            self.thrifty.feed(self.outbox.take().decode())
            return
        size = self._app.size
        if size != self.sizes:
            self.new_screens(size)
        self.outbox.show(frame, *size)
        self.stock.feed(data)
        sent = self.outbox.take()
        self.thrifty.feed(sent.decode())
        self.frames += 1
        self.stock_bytes += len(data.encode())
        self.thrifty_bytes += len(sent)
        if any(x + len(cells) > size[0] or y >= size[1] for x, y, cells in frame.patches):
            return  # still of the old size, and stock output writes over the last column; a whole frame follows
        for y, (ours, theirs) in enumerate(zip(self.thrifty.snapshot(), self.stock.snapshot(), strict=True)):
            if ours != theirs:
                self.differences.append(
                    (
                        self.frames,
                        y,
                        [(x, a, b) for x, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b],
                    )
                )
        if (self.thrifty.cursor.x, self.thrifty.cursor.y) != (self.stock.cursor.x, self.stock.cursor.y):
            self.differences.append((self.frames, self.stock.cursor.y, []))

    def start_application_mode(self) -> None:
        assert self._size is not None
        size = Size(*self._size)
        asyncio.get_running_loop().call_soon(self._app.post_message, events.Resize(size, size))

    def stop_application_mode(self) -> None: ...

    def disable_input(self) -> None: ...


@pytest.mark.parametrize(
    ("size", "colours"),
    [((80, 24), "truecolor"), ((40, 10), ""), ((31, 7), "truecolor")],
)
async def test_stock_and_thrifty_output_show_the_same_after_every_frame(
    size: tuple[int, int], colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", colours)
    drivers: list[ComparingDriver] = []

    async def session(pilot: Pilot[object]) -> None:
        app = pilot.app
        assert isinstance(app, Demo)
        driver = app._driver
        assert isinstance(driver, ComparingDriver)
        drivers.append(driver)
        while not app.query(Input):
            await asyncio.sleep(0)
        await pilot.pause()
        for line in LINES * 2:
            app.say([line])
            await pilot.pause()
        for token in ("A", " bounded", " queue", " 漢字", "\n", "and ", "❤️", " more " * 20):
            app.stream(token)
            await pilot.pause()
        await pilot.press(*"hello", "backspace", "left", "x", "enter")
        for key in ("f2", "f3", "f2"):
            await pilot.press(key)
            await pilot.pause()
        log = app.query_one(RichLog)
        for distance in (-1, -1, -3, 2, -7, 30):
            log.scroll_relative(y=distance, animate=False)
            await pilot.pause()
        await pilot.resize_terminal(size[0] + 7, size[1] + 3)
        await pilot.pause()
        app.say(LINES)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press(*"end")
        app.exit()

    app = Demo(driver_class=ComparingDriver)
    await app.run_async(size=size, auto_pilot=session)
    assert app._exception is None
    (driver,) = drivers
    assert driver.differences == []
    assert driver.frames > 25
    assert driver.thrifty_bytes * 3 < driver.stock_bytes
