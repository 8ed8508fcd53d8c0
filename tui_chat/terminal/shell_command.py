"""Shell commands of the user (`!command`), and their output as a block to send.

A command has no terminal: its standard input is empty, and in a session of its own it finds none to ask for a
password on. Of a long output the middle is left out, since what failed is said at the end. One that floods is
slowed down by its full pipe.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from tui_chat.errors import ConfigError
from tui_chat.servers.content import fenced
from tui_chat.tasks import start_task
from tui_chat.text.sanitize import clean, clean_line

HEAD, TAIL = 8_000, 24_000
"""Bytes of output that are kept of its start and of its end: some 8,000 tokens."""
_LAST: Final = 4_000
"""Bytes in which the last lines are looked for."""
_PIPE: Final = 1_048_576
"""The largest pipe in bytes (pipe(7): /proc/sys/fs/pipe-max-size)."""
_TICK: Final = 0.05
"""Seconds between two looks at the pipe."""
_GRACE: Final = 1.0
"""Seconds from SIGTERM to SIGKILL."""
_GONE: Final = (ProcessLookupError, PermissionError)
"""What a signal to nobody raises; the latter where only zombies are left, on macOS."""
_CONTROLS: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])|[^\n]\x08", re.DOTALL
)
"""Control sequences (ECMA-48), and characters that are struck over."""


class CommandOutput:
    """What a command has printed, within the caps."""

    def __init__(self) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self.size = 0
        """Bytes that were printed."""

    def feed(self, data: bytes) -> None:
        """Add what was printed next."""
        self.size += len(data)
        room = HEAD - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]

    @property
    def text(self) -> str:
        """The output, safe to show; its middle is left out if it is long."""
        if self.size <= HEAD + TAIL:
            return as_printed(self._head + self._tail)
        head, tail = self._head, self._tail[-TAIL:]
        first = as_printed(head[: head.rfind(b"\n") + 1] or head + b"\n")
        last = as_printed(tail[tail.find(b"\n") + 1 :] or tail)
        return f"{first}[… the middle is left out: {self.size:,} bytes in all …]\n{last}"

    def last_lines(self, count: int) -> list[str]:
        """At most so many lines from its end, safe to show."""
        return as_printed((self._head + self._tail)[-_LAST:]).rstrip("\n").split("\n")[-count:]


def as_printed(data: bytes | bytearray) -> str:
    """Output as a terminal would leave it: of a line that is written over, the last version."""
    lines = _CONTROLS.sub("", data.decode("utf-8", "replace")).split("\n")
    return clean("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended."""

    code: int
    """Its exit code; negative, the number of the signal that ended it."""
    seconds: float
    stopped: bool = False
    """Whether the user stopped it."""
    size: int = 0
    """Bytes that it has printed."""

    def __str__(self) -> str:
        how = f"exit code {self.code}" if self.code >= 0 else f"ended by signal: {signal.strsignal(-self.code)}"
        if self.stopped:
            how = "stopped"
        cut = f"; of {self.size:,} bytes the middle is left out" if self.size > HEAD + TAIL else ""
        return f"{how} after {self.seconds:.1f} s{cut}"


def quoted_block(command: str, output: str, end: CommandEnd) -> str:
    """A command, its output and its end as Markdown; nothing in them ends the fence."""
    return f"{fenced(f'$ {clean(command)}{chr(10)}{output}'.rstrip(), 'console')}\n({end})"


class ShellCommand:
    """A command of the user's shell, in a process group of its own.

    Stopping it, or cancelling `run`, ends the whole group. What it leaves in the background when it ends by itself
    runs on, unheard.
    """

    def __init__(
        self, command: str, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.command = command
        self.output = CommandOutput()
        self._environ = environ
        self._clock = clock
        self._started = clock()
        self._stopped = False

    @property
    def seconds(self) -> float:
        """Seconds since its start."""
        return self._clock() - self._started

    def stop(self) -> None:
        """End it and what it has started: SIGTERM at once, SIGKILL a second later. `run` returns then."""
        self._stopped = True

    async def run(self, grown: Callable[[], None] = lambda: None) -> CommandEnd:
        """Run it to its end; `grown` is called, some times a second, when there is more output.

        Raises:
            ConfigError: the shell cannot be started.
        """
        pipe, process = await self._start()
        exited = start_task(process.wait())
        try:
            while not (exited.done() or self._stopped):
                if self._hear(pipe):
                    grown()
                await asyncio.wait([exited], timeout=_TICK)
        finally:
            try:
                if not exited.done():
                    await _end_group(process.pid)
                    await asyncio.wait([exited], timeout=_GRACE)
                self._hear(pipe)
            finally:
                os.close(pipe)
                exited.cancel()
        code = -signal.SIGKILL if process.returncode is None else process.returncode
        return CommandEnd(code, self.seconds, self._stopped, self.output.size)

    async def _start(self) -> tuple[int, Process]:
        """Start it; returns the end of the pipe to read from, and the process."""
        shell = self._environ.get("SHELL") or "/bin/sh"
        try:
            with ExitStack() as ours, ExitStack() as theirs:
                pipe, end = os.pipe()
                ours.callback(os.close, pipe)
                theirs.callback(os.close, end)
                os.set_blocking(pipe, False)
                process = await asyncio.create_subprocess_exec(
                    *(shell, "-c", self.command),
                    stdin=DEVNULL,
                    stdout=end,
                    stderr=end,
                    start_new_session=True,
                    env={**self._environ, "TERM": "dumb"},
                )
                ours.pop_all()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "a command has no NUL in it"
            raise ConfigError(f"{clean_line(shell, 100)} cannot run it: {reason}", "Check SHELL.") from None
        return pipe, process

    def _hear(self, pipe: int) -> bool:
        """Read what is in the pipe; whether there was anything."""
        before = self.output.size
        with suppress(BlockingIOError):
            while self.output.size < before + _PIPE and (data := os.read(pipe, 65_536)):
                self.output.feed(data)
        return self.output.size > before


async def _end_group(group: int) -> None:
    """End all processes of a group: SIGTERM, then SIGKILL, at once if this is cancelled."""
    left, deadline = True, time.monotonic() + _GRACE
    try:
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            await asyncio.sleep(_TICK)
            os.killpg(group, 0)
    except _GONE:
        left = False
    finally:
        if left:
            with suppress(*_GONE):
                os.killpg(group, signal.SIGKILL)
