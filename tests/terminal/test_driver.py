"""The driver in a real pseudo-terminal, beside Textual's own."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tui_chat.terminal.choose import choose_driver
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.stock import StockDriver

from tests.terminal.emulator import Emulator

DEMO = Path(__file__).parent / "demo.py"
PATIENCE = 30.0
WIDTH, HEIGHT = 80, 24
F2, F3, F4, F10 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[21~"


class Terminal:
    """The demo in a pseudo-terminal, and what it shows."""

    def __init__(self, **environ: str) -> None:
        self.master, slave = pty.openpty()
        self.set_size(WIDTH, HEIGHT)
        self.slave = slave
        self.attributes: list[Any] = termios.tcgetattr(slave)
        environ = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PATH": os.environ["PATH"], **environ}
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        self.repaints, told = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, str(DEMO), str(told)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
            start_new_session=True,
            pass_fds=[told],
        )
        os.close(told)
        self.data = ""
        self._changed = threading.Condition()
        self._reading = threading.Event()
        self._reading.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")().decode
        while self._reading.wait():
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            with self._changed:
                self.data += decode(data)
                self._changed.notify_all()
            if not data:
                return

    def set_size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def stop_reading(self) -> None:
        self._reading.clear()

    def wait(self, condition: Callable[[str], object], since: int = 0) -> str:
        """The output since a place, once it fulfils the condition."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not condition(self.data[since:]):
                assert self._changed.wait(deadline - time.monotonic()), self.data[since:][-500:]
            return self.data[since:]

    def screen(self, since: int = 0) -> Emulator:
        """A screen of the present size that was fed with the output since a place."""
        height, width = struct.unpack("HHHH", fcntl.ioctl(self.master, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        screen = Emulator(width, height)
        screen.feed(complete(self.data[since:]))
        return screen

    def wait_for_screen(self, condition: Callable[[Emulator], object], since: int = 0) -> None:
        self.wait(lambda _: condition(self.screen(since)), since)

    def wait_for_repaint(self) -> None:
        """The repaint after F3, of which the demo tells by another way than the terminal."""
        assert select.select([self.repaints], [], [], PATIENCE)[0]
        os.read(self.repaints, 1)

    def quit(self) -> int:
        self.send(F10)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reading.set()
        os.close(self.repaints)
        os.close(self.slave)
        self._reader.join(PATIENCE)
        os.close(self.master)


def complete(data: str) -> str:
    """Without a sequence that was cut off at the end, what lies outside the alternate screen, and random link ids."""
    data = data.rpartition("\x1b[?1049h")[2].partition("\x1b[?1049l")[0]
    data = re.sub(r"\x1b\]8;id=\d+", "\x1b]8;id=1", data)
    return (
        re.sub(r"\x1b(?:\[[0-?]*|\][^\x07\x1b]*)?$", "", data).encode("utf-8", "ignore").decode("utf-8", "ignore")
    )


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def start_one(**environ: str) -> Terminal:
        terminals.append(Terminal(**environ))
        return terminals[-1]

    yield start_one
    for terminal in terminals:
        terminal.close()


def is_ready(screen: Emulator) -> bool:
    return "f10" in screen.text[-1]


def contains(*words: str) -> Callable[[Emulator], bool]:
    return lambda screen: all(any(word in row for row in screen.text) for word in words)


def restoring_modes(data: str) -> tuple[set[str], list[str]]:
    """The modes set until the end, and those of the end in order; mouse and synchronized output apart."""
    modes = re.findall(r"\x1b\[(?:\?(?!100[23]|1015|2026)\d+[hl]|[<>]\d*u)", data)
    return set(modes), modes[modes.index("\x1b[?2004l") :]


def run_session(terminal: Terminal, is_done: Callable[[Emulator], object]) -> str:
    terminal.wait_for_screen(is_ready)
    terminal.send("hello 漢字 ")
    terminal.wait_for_screen(contains("hello 漢字"))
    terminal.send(F3)
    terminal.wait_for_repaint()
    terminal.send(F2)
    terminal.wait_for_screen(is_done)
    assert terminal.quit() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.attributes
    return terminal.wait(lambda data: "\x1b[?1004l" in data)


def test_the_screen_equals_the_stock_one_and_the_terminal_is_restored_alike(
    start: Callable[..., Terminal],
) -> None:
    terminal = start(TUI_CHAT_DRIVER="stock")
    stock = run_session(terminal, contains("on top"))
    picture = terminal.screen().snapshot()
    thrifty = run_session(start(), lambda screen: screen.snapshot() == picture)
    assert restoring_modes(thrifty) == restoring_modes(stock)
    assert thrifty.index("\x1b[?1002l") < thrifty.index("\x1b[?1049l")
    assert len(thrifty) * 2 < len(stock)


def test_the_mouse_reports_drags_but_not_every_motion(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.wait_for_screen(is_ready)
    assert terminal.quit() == 0
    data = terminal.wait(lambda data: "\x1b[?1004l" in data)
    assert "\x1b[?1002h" in data
    assert "\x1b[?1003h" not in data
    assert "\x1b[?1002l" in data
    assert "\x1b[?1000h" in data
    assert "\x1b[?1006h" in data


def test_redraw_and_resume_and_resize_paint_everything(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.wait_for_screen(is_ready)
    terminal.send(F3)
    terminal.wait_for_repaint()

    place = len(terminal.data)
    terminal.send(F4)
    terminal.wait_for_screen(is_ready, place)
    terminal.wait_for_screen(lambda screen: screen.snapshot() == terminal.screen().snapshot(), place)
    picture = terminal.screen().snapshot()

    place = len(terminal.data)
    os.kill(terminal.process.pid, signal.SIGTSTP)
    _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    terminal.wait(lambda data: "\x1b[?1004l" in data, place)
    place = len(terminal.data)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.wait_for_screen(lambda screen: screen.snapshot() == picture, place)

    place = len(terminal.data)
    terminal.set_size(60, 20)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    terminal.wait_for_screen(is_ready, place)

    # A size that came back before Textual looked: Textual paints nothing, the driver does.
    place = len(terminal.data)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    terminal.wait_for_screen(is_ready, place)
    assert terminal.quit() == 0


def test_a_terminal_that_stops_reading_does_not_stop_the_keys(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.wait_for_screen(is_ready)
    terminal.stop_reading()
    for _ in range(60):
        terminal.send(F3)
        terminal.wait_for_repaint()
    assert terminal.quit() == 0


def test_an_idle_application_writes_nothing(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.wait_for_screen(is_ready)
    terminal.send("x")
    terminal.wait_for_screen(lambda screen: "x" in screen.text[-3])
    place = len(terminal.data)
    # Focus reports change nothing on the screen; the letter after them marks the end.
    terminal.send("\x1b[<35;10;10M" * 20 + "y")
    data = terminal.wait(lambda data: "y" in data, place)
    assert len(data) < 120


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TERM": ""},
        {"TERM": "dumb"},
        {"TERM": "unknown"},
        {"TERM": "vt100"},
        {"TERM": "sun-color"},
        {"TERM": "xterm", "TUI_CHAT_DRIVER": "stock"},
    ],
)
def test_where_the_terminal_cannot_be_trusted_the_stock_driver_is_taken(environ: dict[str, str]) -> None:
    assert choose_driver(environ) is StockDriver


@pytest.mark.parametrize(
    ("environ", "erases_in_colour"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux"}, True),
        ({"TERM": "screen", "TMUX": "/tmp/tmux"}, True),
        ({"TERM": "screen.xterm-256color", "STY": "1.pts"}, False),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "xterm", "STY": "1.pts"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "vte-256color"}, True),
        ({"TERM": "of-tomorrow"}, True),
    ],
)
def test_gnu_screen_is_known_to_erase_in_the_default_colour(
    environ: dict[str, str], erases_in_colour: bool
) -> None:
    driver = choose_driver(environ)
    assert issubclass(driver, DiffDriver)
    assert driver.erases_in_colour is erases_in_colour
