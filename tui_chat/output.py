"""Standard output of the commands, which may be closed, full, or a pipe that nobody reads."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from typing import Final, TextIO

from tui_chat.errors import OutputError

_PIECE: Final = 4096
"""Bytes that a writable pipe takes at once (pipe(7): PIPE_BUF)."""


def put(*lines: str) -> None:
    """Print lines, and flush everything that was printed before.

    Raises:
        OutputError: standard output is closed, or takes no more.
        BrokenPipeError: nobody reads the pipe any more, as behind `head`.
    """
    out = sys.stdout
    if out is None:
        if lines:
            raise OutputError("Standard output is closed.", "Send it to a terminal, a file or a pipe.")
        return
    text = "".join(f"{line}\n" for line in lines)
    encoding = out.encoding or "utf-8"  # a text in memory has none
    try:
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out.fileno())  # Python flushes again at exit, and would complain again
        os.close(null)
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"Cannot write to standard output: {error.strerror}", "Is the disk full?") from error


class Outflow:
    """Standard output for a stream: a slow reader holds up the sender, not the event loop."""

    def __init__(self) -> None:
        """
        Raises:
            OutputError: standard output is closed.
        """
        if sys.stdout is None:
            raise OutputError("Standard output is closed.", "Send it to a terminal, a file or a pipe.")
        self._file = sys.stdout.fileno()
        self._encoding = sys.stdout.encoding or "utf-8"

    async def write(self, text: str) -> None:
        """Write a text when there is room for it.

        Raises:
            OutputError: standard output takes no more.
            BrokenPipeError: nobody reads the pipe any more.
        """
        data = memoryview(text.encode(self._encoding, "backslashreplace"))
        try:
            while data:
                await self._room()
                data = data[os.write(self._file, data[:_PIECE]) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"Cannot write to standard output: {error.strerror}", "Is the disk full?") from error

    async def _room(self) -> None:
        if select.select([], [self._file], [], 0)[1]:
            return
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._file, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._file)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; a closed one is None."""
    return stream is not None and stream.isatty()
