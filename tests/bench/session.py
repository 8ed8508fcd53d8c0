"""A program in a pty: its screen, its keys, its processor time and memory."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

from tests.bench.screen import Screen

COLUMNS: Final = 120
ROWS: Final = 40
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_QUERIES: Final = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
}
"""What a modern terminal answers."""


class Watcher(Protocol):
    """Is shown the screen after every read that changed it."""

    def __call__(self, moment: float, screen: Screen) -> None:
        """`moment`: when the bytes were read, by `time.monotonic`."""


class Session:
    """Starts a program and reads what it writes: all at once, or at the rate of a slow line (bytes per second).

    One thread does everything: nothing is read but in `run` and `until`.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], rate: float | None = None) -> None:
        self.screen = Screen(COLUMNS, ROWS)
        self.received = bytearray()
        self.watchers: list[Watcher] = []
        self.on_idle: Callable[[], None] | None = None
        """Called between reads, for sampling."""
        self.changed = 0.0
        """When the screen changed last."""
        self._rate = rate
        self._allowed, self._counted = 0.0, time.monotonic()
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                _set_size(0)
                os.execvpe(argv[0], list(argv), dict(environ))
            finally:
                os._exit(127)
        _set_size(self._fd)
        self._alive = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._alive:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    @property
    def total(self) -> int:
        """How many bytes were received."""
        return len(self.received)

    def cpu(self) -> float:
        """Seconds of processor time used so far, in steps of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS

    def memory(self) -> float:
        """Resident megabytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 1e6

    def key(self, keys: str) -> float:
        """Press keys; returns when."""
        moment = time.monotonic()
        os.write(self._fd, keys.encode())
        return moment

    def resized(self, columns: int = COLUMNS) -> None:
        """Tell the program that the window changed, if only to the same size: it has to paint everything anew."""
        _set_size(self._fd, columns)
        os.kill(self.pid, signal.SIGWINCH)

    def run(self, seconds: float) -> None:
        """Read for so long."""
        self.until(lambda: False, seconds)

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Read until the condition holds; whether it did within the time."""
        ends = time.monotonic() + seconds
        while not condition():
            left = ends - time.monotonic()
            if left <= 0 or not self._alive:
                return False
            self._read(min(left, 0.02))
        return True

    def sees(self, text: str) -> bool:
        """Whether a row has this text."""
        return any(text in row for row in self.screen.text())

    def settle(self, quiet: float = 0.4, seconds: float = 20.0) -> None:
        """Read until nothing has come for a while."""
        ends, count = time.monotonic() + seconds, -1
        while count != self.total and time.monotonic() < ends:
            count = self.total
            self.run(quiet)

    def _read(self, patience: float) -> None:
        if self.on_idle is not None:
            self.on_idle()
        room = 65536 if self._rate is None else self._room(self._rate)
        if not room:
            time.sleep(0.002)
            return
        if not select.select([self._fd], [], [], patience)[0]:
            return
        try:
            data = os.read(self._fd, room)
        except OSError:  # EIO: the program has ended
            data = b""
        moment = time.monotonic()
        if not data:
            os.waitpid(self.pid, 0)
            self._alive = False
            return
        self._allowed -= len(data)
        self._answer(data)
        self.received += data
        self.screen.feed(data)
        if self.screen.dirty:
            self.changed = moment
            for watcher in self.watchers:
                watcher(moment, self.screen)
            self.screen.dirty.clear()

    def _room(self, rate: float) -> int:
        """How many bytes have come over the line since it was last asked; a line does not save up."""
        now = time.monotonic()
        self._allowed = min(self._allowed + (now - self._counted) * rate, rate * 0.01)
        self._counted = now
        return int(self._allowed)

    def _answer(self, data: bytes) -> None:
        for query, answer in _QUERIES.items():
            if query in data:
                os.write(self._fd, answer)


def _set_size(fd: int, columns: int = COLUMNS) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
