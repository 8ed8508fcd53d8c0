"""The thread that writes: slow readers, no readers, readers that leave."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.line import Line
from tui_chat.terminal.outbox import Outbox
from tui_chat.terminal.painter import Painter
from tui_chat.terminal.speed import LineSpeed

from tests.terminal.emulator import Emulator

WIDTH, HEIGHT = 100, 30
PATIENCE = 20.0
"""Seconds until a test gives up; none needs them."""


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: ours (to write) and its own (to read)."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield slave, master
    for fd in (slave, master):
        with suppress(OSError):
            os.close(fd)


class CountingOutbox(Outbox):
    """Counts what was sent."""

    def __init__(self) -> None:
        super().__init__(Painter(erases_in_colour=True))
        self.sent = 0
        self.open()

    def take(self, *, frames: bool = True) -> bytes:
        data = super().take(frames=frames)
        self.sent += len(data)
        return data


def picture(number: int) -> str:
    """A frame of which every cell differs from the one before."""
    letter = chr(ord("a") + number % 26)
    rows = [f"\x1b[{y + 1};1H{letter * WIDTH}" for y in range(HEIGHT)]
    return "\n".join(rows) + f"\x1b[1;1H{number:05}\x1b[1;1H"


def show(outbox: Outbox, data: str) -> None:
    frame = parse_frame(data)
    assert frame is not None
    outbox.show(frame, WIDTH, HEIGHT)


def read_until(master: int, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        data += os.read(master, 65536)
    return data


def test_frames_that_nobody_reads_are_replaced_and_the_last_screen_is_exact(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    outbox = CountingOutbox()
    line = Line(slave, outbox, LineSpeed(), lambda: None)
    for number in range(1000):
        show(outbox, picture(number))
        line.wake()
    # Every frame is 3 kB; without a reader some twenty kilobytes fit into the kernel.
    assert outbox.sent < 100_000
    outbox.control("\x1b]0;end\x07")
    line.wake()
    screen = Emulator(WIDTH, HEIGHT)
    screen.feed(read_until(master, b"end\x07").decode())
    expected = Emulator(WIDTH, HEIGHT)
    expected.feed(picture(999))
    assert screen.snapshot() == expected.snapshot()
    assert line.close(PATIENCE)


def test_control_sequences_are_never_lost_and_stay_between_their_frames(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    outbox = CountingOutbox()
    line = Line(slave, outbox, LineSpeed(), lambda: None)
    for number in range(60):
        show(outbox, picture(number))
        outbox.control(f"\x1b]0;title {number}\x07")
        line.wake()
    data = read_until(master, b"title 59\x07").decode()
    screen = Emulator(WIDTH, HEIGHT)
    for number in range(60):
        before, _, data = data.partition(f"\x1b]0;title {number}\x07")
        screen.feed(before)
        assert screen.text[0].startswith(f"{number:05}")
    assert line.close(PATIENCE)


def test_what_waits_is_flushed_when_the_line_is_closed_but_no_frame(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    outbox = CountingOutbox()
    outbox.control("restore")
    show(outbox, picture(0))
    outbox.shut()
    line = Line(slave, outbox, LineSpeed(), lambda: None)
    assert line.close(PATIENCE)
    os.write(slave, b"$")
    assert read_until(master, b"$") == b"restore\x1b[m$"


def test_closing_gives_up_on_a_terminal_that_does_not_read(terminal: tuple[int, int]) -> None:
    slave, _ = terminal
    outbox = CountingOutbox()
    outbox.control("x" * 1_000_000)
    line = Line(slave, outbox, LineSpeed(), lambda: None)
    assert not line.close(0.05)


def test_a_hang_up_is_noticed_also_while_nothing_is_written(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    hung_up = threading.Event()
    line = Line(slave, CountingOutbox(), LineSpeed(), hung_up.set)
    os.close(master)
    assert hung_up.wait(PATIENCE)
    assert line.close(PATIENCE)


def test_a_hang_up_ends_a_write_quietly(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    hung_up = threading.Event()
    outbox = CountingOutbox()
    outbox.control("x" * 1_000_000)
    Line(slave, outbox, LineSpeed(), hung_up.set)
    os.read(master, 10)
    os.close(master)
    assert hung_up.wait(PATIENCE)


def test_waking_a_closed_line_is_harmless(terminal: tuple[int, int]) -> None:
    line = Line(terminal[0], CountingOutbox(), LineSpeed(), lambda: None)
    assert line.close(PATIENCE)
    line.wake()


def test_a_line_somebody_made_non_blocking_still_gets_everything(terminal: tuple[int, int]) -> None:
    slave, master = terminal
    os.set_blocking(slave, False)
    outbox = CountingOutbox()
    outbox.control("x" * 200_000 + "$")
    line = Line(slave, outbox, LineSpeed(), lambda: None)
    assert len(read_until(master, b"$")) == 200_001
    assert line.close(PATIENCE)


def test_a_fast_line_is_never_rested_and_keeps_the_short_interval() -> None:
    speed = LineSpeed()
    assert [speed.wrote(10_000, 0.0001) for _ in range(5)] == [0.0] * 5
    assert speed.frame_interval == 0.05


def test_a_slow_line_slows_the_frames_down_and_a_recovered_one_does_not() -> None:
    speed = LineSpeed()
    for _ in range(20):
        rest = speed.wrote(2_000, 0.08)  # 25 kB/s
    assert rest == pytest.approx(0.08)
    assert speed.frame_interval == pytest.approx(0.16, rel=0.01)
    for _ in range(20):
        speed.wrote(10_000, 1.0)
    assert speed.frame_interval == 0.2
    for _ in range(80):
        speed.wrote(500, 0.0)
    assert speed.frame_interval == 0.05
    assert speed.wrote(500, 0.0) == 0.0


def test_small_frames_keep_their_rhythm_on_a_slow_line() -> None:
    speed = LineSpeed()
    for _ in range(20):
        speed.wrote(150, 150 / 25_000)
    assert speed.frame_interval == 0.05
