"""Standard output of the commands: it may be closed, full, or a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from tui_chat.errors import OutputError


def put(*lines: str) -> None:
    """Print lines, and everything that was printed before, to the end.

    Raises:
        OutputError: standard output is closed, or takes no more.
        BrokenPipeError: nobody reads the pipe any more, as behind `head`.
    """
    out = sys.stdout
    if out is None:
        if lines:
            raise OutputError("Standard output is closed.", "Let it go to a terminal, a file or a pipe.")
        return
    text = "".join(f"{line}\n" for line in lines)
    encoding = out.encoding or "utf-8"  # a text in memory has none
    try:
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out.fileno())  # Python tries once more at the end, and would complain once more
        os.close(null)
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"Cannot write to standard output: {error.strerror}", "Is the disk full?") from error


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream, which is None if it was closed, is a terminal."""
    return stream is not None and stream.isatty()
