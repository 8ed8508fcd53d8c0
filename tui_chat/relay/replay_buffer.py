"""A bounded recording between the one who writes a stream and the one who reads it."""

from __future__ import annotations

import asyncio
from collections import deque

from tui_chat.relay.problems import Problem


class ReplayBuffer:
    """Pieces of bytes, numbered from 1, from one writer to one reader at a time.

    At most `ahead` bytes (and a piece) wait to be read, which slows the writer down to the reader; of what was
    read at most `keep` bytes are held, so that a reader who lost them can come back for them.
    """

    def __init__(self, ahead: int, keep: int = 0) -> None:
        self._ahead, self._keep = ahead, keep
        self._unread: deque[bytes] = deque()
        self._read: deque[bytes] = deque()
        self._unread_size = self._read_size = 0
        self.place = 0
        """Number of the last piece that was read."""
        self.closed = False
        """Whether nothing more will be written."""
        self._room, self._news = asyncio.Event(), asyncio.Event()
        self._room.set()

    @property
    def last(self) -> int:
        """Number of the last piece that was written."""
        return self.place + len(self._unread)

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return self._unread_size + self._read_size

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be read."""
        return self.closed and not self._unread

    async def room(self) -> None:
        """Wait until the reader has caught up enough."""
        await self._room.wait()

    def write(self, piece: bytes) -> None:
        """Append a piece, whether there is room or not."""
        self._unread.append(piece)
        self._unread_size += len(piece)
        self._signal()

    def close(self) -> None:
        """Nothing more will be written."""
        self.closed = True
        self._signal()

    async def news(self) -> None:
        """Wait until there is something to take, or never will be."""
        await self._news.wait()

    def take(self) -> bytes:
        """All that was not read yet, as one."""
        taken = b"".join(self._unread)
        self.place += len(self._unread)
        if self._keep:
            self._read.extend(self._unread)
            self._read_size += len(taken)
            while self._read_size > self._keep:
                self._read_size -= len(self._read.popleft())
        self._unread.clear()
        self._unread_size = 0
        self._signal()
        return taken

    def rewind(self, place: int) -> None:
        """Make the piece after `place` the next to be read.

        Raises:
            Problem: it is no longer held, or was never written.
        """
        if not self.place - len(self._read) <= place <= self.last:
            raise Problem(410, "cut", "The relay no longer holds that part of the stream.")
        while self.place > place:
            piece = self._read.pop()
            self._unread.appendleft(piece)
            self._move(len(piece), -1)
        while self.place < place:
            piece = self._unread.popleft()
            self._read.append(piece)
            self._move(-len(piece), 1)
        self._signal()

    def _move(self, size: int, step: int) -> None:
        self._unread_size += size
        self._read_size -= size
        self.place += step

    def _signal(self) -> None:
        _set(self._room, self._unread_size <= self._ahead)
        _set(self._news, bool(self._unread) or self.closed)


def _set(event: asyncio.Event, on: bool) -> None:
    if on:
        event.set()
    else:
        event.clear()
