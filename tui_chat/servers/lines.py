"""Splits bytes into lines, which end with `\\n` only.

`str.splitlines` also splits at U+2028, U+0085 and others, which JSON allows inside of a string.
"""

from __future__ import annotations

from typing import Final

from tui_chat.errors import Garbled

LINE_BYTES: Final = 8 * 1024 * 1024
"""The longest line, as in Ollama's own client."""


class Lines:
    """Turns chunks into lines, in linear time for any size of chunks."""

    def __init__(self, limit: int = LINE_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in `chunk`, without their ends.

        Raises:
            Garbled: a line is longer than the limit.
        """
        *ended, rest = chunk.split(b"\n")
        lines = []
        for piece in ended:
            self._keep(piece)
            lines.append(self.rest())
        self._keep(rest)
        return lines

    def rest(self) -> bytes:
        """Take the bytes after the last `\\n`: at the end of the stream, an unfinished line."""
        line = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return line

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise Garbled(f"The server sent a line of more than {self._limit:,} bytes.", "Check the URL.")
        if piece:
            self._parts.append(piece)
