"""The line to the terminal: a thread that sends, so that no other thread waits."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Final

from tui_chat.terminal.outbox import Outbox
from tui_chat.terminal.speed import LineSpeed

_PIECE: Final = 1024
"""Bytes per write call, so that a slow line is noticed early in a long frame."""


class Line:
    """Sends the content of its outbox as fast as the terminal takes it."""

    def __init__(self, fd: int, outbox: Outbox, speed: LineSpeed, on_hang_up: Callable[[], None]) -> None:
        """Start to send. `on_hang_up` is called once, in the line's thread, when the terminal is gone."""
        self._fd = fd
        self._outbox = outbox
        self._speed = speed
        self._on_hang_up = on_hang_up
        self._closing = False
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        self._poll.register(fd, 0)  # errors and hang-ups only
        # A daemon, since a write to a stopped terminal may never return.
        self._thread = Thread(target=self._run, name="terminal-line", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Tell the thread that the outbox has new data. Never blocks."""
        with suppress(OSError):  # enough wake-ups wait already, or the line was closed
            self._waker.send(b"\0")

    def close(self, timeout: float) -> bool:
        """Send queued data except frames, within `timeout` seconds; returns whether all was sent."""
        self._closing = True
        self.wake()
        self._thread.join(timeout)
        done = not self._thread.is_alive()
        if done:
            self._waker.close()
            self._woken.close()
        return done

    def _run(self) -> None:
        try:
            self._send_all()
        except OSError:  # EIO, EPIPE, EBADF: the terminal is gone
            self._on_hang_up()

    def _send_all(self) -> None:
        free_at = monotonic()
        while True:
            rest = free_at - monotonic()
            data = self._outbox.take(frames=rest <= 0 and not self._closing)
            if data:
                started = monotonic()
                self._write(data)
                finished = monotonic()
                free_at = finished + self._speed.wrote(len(data), finished - started)
            elif self._closing:
                return
            else:
                self._sleep(rest if rest > 0 else None)

    def _sleep(self, seconds: float | None) -> None:
        """Wait for `wake`, at most `seconds`; raises OSError when the terminal hangs up."""
        for fd, event in self._poll.poll(None if seconds is None else seconds * 1000 + 1):
            if fd == self._woken.fileno():
                self._woken.recv(4096)
            elif event & select.POLLNVAL:  # macOS cannot poll terminals; there the next write will tell
                self._poll.unregister(fd)
            else:
                raise BrokenPipeError

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest[:_PIECE]) :]
            except BlockingIOError:  # somebody who shares the terminal made it non-blocking
                select.select([], [self._fd], [])
