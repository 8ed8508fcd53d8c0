"""Answers as ASGI: a stream written to one client while it is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tui_chat.relay.problems import Problem
from tui_chat.relay.replay_buffer import ReplayBuffer
from tui_chat.relay.settings import Settings
from tui_chat.relay.streams import Stream, Streams
from tui_chat.servers.dialects.relay import GRACE_HEADER, STREAM_HEADER
from tui_chat.tasks import start_task


class StreamAnswer:
    """Writes a stream to a client until the stream ends or the client disconnects.

    One task writes data and heartbeats. Each write waits until the client has read the last one, so that a slow
    client slows down the model. A client that reads nothing is disconnected.
    """

    def __init__(self, streams: Streams, stream: Stream, settings: Settings, after: int | None = None) -> None:
        """`after`: the number of the last event that a returning client has."""
        self._streams = streams
        self._stream = stream
        self._settings = settings
        self._after = after
        self._begun = False
        """Whether the headers were sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Raises:
            Problem: the server refused the request; nothing was sent.
        """

        async def follow() -> None:
            async with self._streams.reading(self._stream) as buffer:
                if self._after is not None:
                    buffer.rewind(self._after)
                await self._wait_for_verdict()
                if self._stream.dialect.live:
                    await self._write(buffer, send)
                else:
                    await Response(buffer.take(), headers=self._headers)(scope, receive, send)

        if await while_connected(receive, follow()):
            return
        if not self._begun:
            raise Problem(409, "cut", "Another connection receives the reply now.")
        await send(_body(b"", more=False))

    @property
    def _headers(self) -> dict[str, str]:
        headers = {
            "content-type": self._stream.dialect.media,
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
        }
        if self._stream.resumable:
            headers |= {STREAM_HEADER: self._stream.id, GRACE_HEADER: f"{self._settings.grace:g}"}
        return headers

    async def _wait_for_verdict(self) -> None:
        """Wait until the server accepts or refuses; a live answer waits `Settings.verdict` at most."""
        limit = self._settings.verdict if self._stream.dialect.live else None
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._stream.begun.wait()
        if self._stream.refusal:
            raise self._stream.refusal

    async def _write(self, buffer: ReplayBuffer, send: Send) -> None:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in self._headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        self._begun = True
        self._streams.keep(self._stream)
        while not buffer.finished:
            piece = await self._next(buffer)
            if piece:
                await send(_body(piece))
        await send(_body(b"", more=False))

    async def _next(self, buffer: ReplayBuffer) -> bytes:
        try:
            async with asyncio.timeout(self._settings.silence):
                await buffer.news()
        except TimeoutError:
            return self._stream.dialect.heartbeat
        return buffer.take()


async def while_connected(receive: Receive, work: Coroutine[object, object, None]) -> bool:
    """Do `work`, and cancel it when the client disconnects; False if something else cancelled it.

    The request's body must have been read.
    """
    working = start_task(work)
    watching = start_task(_gone(receive))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.wait((working, watching))
    if working.cancelled():
        return not watching.cancelled()
    working.result()
    return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}
