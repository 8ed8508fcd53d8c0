"""A bounded buffer between the writer of a stream and its reader."""

from __future__ import annotations

import asyncio

from tui_chat.relay.problems import Problem


class ReplayBuffer:
    """Pieces of bytes, numbered from 1, from one writer to one reader at a time.

    The writer waits while more than `ahead` bytes are unread. The last `keep` bytes are held after they
    were read, so that a reader who lost them can `rewind`.
    """

    def __init__(self, ahead: int, keep: int = 0) -> None:
        self._ahead, self._keep = ahead, keep
        self._pieces: list[bytes] = []
        """The pieces that are held, read or not."""
        self._dropped = 0
        """How many earlier pieces were dropped."""
        self._unread_size = 0
        self.held = 0
        """Bytes in memory."""
        self.place = 0
        """Number of the last piece that was read."""
        self.closed = False
        """Whether the writer has finished."""
        self._changed = asyncio.Event()

    @property
    def last(self) -> int:
        """Number of the last piece that was written."""
        return self._dropped + len(self._pieces)

    @property
    def finished(self) -> bool:
        """Whether the writer has finished and everything was read."""
        return self.closed and self.place == self.last

    async def room(self) -> None:
        """Wait until at most `ahead` bytes are unread."""
        while self._unread_size > self._ahead:
            await self._changed.wait()

    def write(self, piece: bytes) -> None:
        """Append a piece; does not wait for room."""
        self._pieces.append(piece)
        self.held += len(piece)
        self._unread_size += len(piece)
        self._signal()

    def close(self) -> None:
        """End the stream of pieces."""
        self.closed = True
        self._signal()

    async def news(self) -> None:
        """Wait until there are unread pieces, the buffer is closed, or somebody rewinds it."""
        if self.place == self.last and not self.closed:
            await self._changed.wait()

    def take(self) -> bytes:
        """All unread pieces, joined."""
        taken = b"".join(self._unread())
        self.place, self._unread_size = self.last, 0
        while self.held > self._keep:
            self.held -= len(self._pieces.pop(0))
            self._dropped += 1
        self._signal()
        return taken

    def rewind(self, place: int) -> None:
        """Make the piece after `place` the next to be read.

        Raises:
            Problem: it is no longer held, or was never written.
        """
        if not self._dropped <= place <= self.last:
            raise Problem(410, "cut", "The relay no longer holds that part of the reply.")
        self.place = place
        self._unread_size = sum(map(len, self._unread()))
        self._signal()

    def _unread(self) -> list[bytes]:
        return self._pieces[self.place - self._dropped :]

    def _signal(self) -> None:
        """Wake all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()
