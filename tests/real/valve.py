"""A valve between tui-chat and a real server: a reply stops where a test wants it to, however fast the model is."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

_HELD: Final = b"POST /api/chat "
"""What a request begins with whose answer is held."""


class Valve:
    """Passes everything on, of a reply only the first bytes until it is opened."""

    def __init__(self, server: str, limit: int) -> None:
        """`limit`: bytes of each reply that pass while it is shut, the HTTP headers among them."""
        parts = urlsplit(server)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._limit = limit
        self._opened = asyncio.Event()
        self.url = ""

    def open(self) -> None:
        """Let everything pass from now on, what was held first."""
        self._opened.set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Carry one connection."""
        start = await reader.read(1 << 16)
        answers, requests = await asyncio.open_connection(self._host, self._port)
        requests.write(start)
        ways = (self._carry(reader, requests), self._carry(answers, writer, held=start.startswith(_HELD)))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
            requests.close()

    async def _carry(self, reader: StreamReader, writer: StreamWriter, *, held: bool = False) -> None:
        passed = 0
        while piece := await reader.read(1 << 12):
            head = piece[: max(0, self._limit - passed)] if held else piece
            writer.write(head)
            passed += len(head)
            if len(head) < len(piece):
                await self._opened.wait()
                writer.write(piece[len(head) :])
                held = False
            await writer.drain()


@asynccontextmanager
async def valve(server: str, limit: int) -> AsyncIterator[Valve]:
    """A valve before the server at a URL."""
    made = Valve(server, limit)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield made
