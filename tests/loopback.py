"""A small HTTP/1.1 server on this machine. Knows no API: a handler answers.

It notices at once when a client leaves, also while nothing is being sent to it: the handler is cancelled then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

from tui_chat.tasks import start_task

HEAD_BYTES: Final = 64 * 1024
BODY_BYTES: Final = 64 * 1024 * 1024
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for."""

    method: str
    path: str
    """As it was sent, query included."""
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes

    def json(self) -> Mapping[str, object]:
        """The body as a JSON object, empty where it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Exchange:
    """One request and the answer to it: either `answer`, or `start`, then `send` at will, then `end`."""

    def __init__(self, request: Request, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        self.request = request
        self.writer = writer
        self.gone = gone
        """Set when the client has left."""
        self._chunked = False

    async def answer(
        self, status: int, body: bytes, content_type: str, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Send a whole answer."""
        self._head(status, content_type, [("Content-Length", str(len(body))), *headers])
        self.writer.write(body)
        await self.writer.drain()

    async def start(
        self,
        status: int,
        content_type: str,
        headers: Sequence[tuple[str, str]] = (),
        *,
        chunked: bool = True,
    ) -> None:
        """Send the head of a stream. Without `chunked` only the end of the connection ends it."""
        self._chunked = chunked
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")
        self._head(status, content_type, [framing, *headers])
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """Send a piece of a stream."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        await self.writer.drain()

    async def end(self) -> None:
        """End a stream."""
        if self._chunked:
            self.writer.write(b"0\r\n\r\n")
            await self.writer.drain()
        else:
            self.writer.close()

    def _head(self, status: int, content_type: str, headers: Sequence[tuple[str, str]]) -> None:
        lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}", *(f"{name}: {value}" for name, value in headers)]
        if content_type:
            lines.append(f"Content-Type: {content_type}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))


Handler = Callable[[Exchange], Coroutine[Any, Any, None]]


class Loopback:
    """The server. `async with` starts it on a free port, or on `port`, and stops it with all its connections."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self._handler = handler
        self._port = port
        self.left = asyncio.Event()
        """Set once a client has left before its answer was complete."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = _Reader(limit=HEAD_BYTES)

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = start_task(self._serve(reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return asyncio.StreamReaderProtocol(reader, connected)

    async def _serve(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) and not writer.is_closing():
                await self._respond(Exchange(request, writer, reader.gone))
        except ConnectionError:
            pass  # the client left in the middle of something
        finally:
            writer.close()

    async def _respond(self, exchange: Exchange) -> None:
        """Let the handler answer, for as long as the client is there."""
        handling = start_task(self._handler(exchange))
        leaving = start_task(exchange.gone.wait())
        try:
            await asyncio.wait((handling, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                self.left.set()
        finally:
            handling.cancel()
            leaving.cancel()
            results = await asyncio.gather(handling, leaving, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]


class _Reader(asyncio.StreamReader):
    """Tells when the other side has closed, also while nobody reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None at the end of the connection, and for what is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= BODY_BYTES:
            return None
        return Request(method, path, headers, await reader.readexactly(length))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
