"""The answer that writes a stream to one client while it is connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from tui_chat.relay.streams import Stream, Streams
from tui_chat.servers.dialects.relay import GRACE_HEADER, STREAM_HEADER


class StreamAnswer(StreamingResponse):
    """Writes a stream to a client until it ends, the client disconnects, or another connection receives it.

    Each write waits until the client has read the last one, so that a slow client slows down the model. A client
    that reads nothing is disconnected (`serve.Connection`).
    """

    def __init__(self, streams: Streams, stream: Stream, after: int | None = None) -> None:
        """`after`: the number of the last event that a returning client has."""
        self._streams = streams
        self._stream = stream
        self._after = after
        headers = {
            "content-type": stream.dialect.media,
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
        }
        if stream.resumable:
            headers |= {STREAM_HEADER: stream.id, GRACE_HEADER: f"{streams.settings.grace:g}"}
        super().__init__(self._pieces(), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Raises:
            Problem: the server refused the request, or the events are no longer held; nothing was sent.
        """
        scope = {**scope, "asgi": {"spec_version": "2.3"}}  # else starlette relies on an error of `send`
        with self._streams.reading(self._stream, self):
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """See `StreamingResponse`, which cancels this when the client disconnects."""
        if self._after is None:
            await self._stream.accepted(self._streams.settings.verdict)
            self._streams.keep(self._stream)
        else:
            self._stream.buffer.rewind(self._after)
        await super().stream_response(send)

    async def _pieces(self) -> AsyncIterator[bytes]:
        stream = self._stream
        while not stream.buffer.finished:
            try:
                async with asyncio.timeout(self._streams.settings.silence):
                    await stream.buffer.news()
            except TimeoutError:
                yield stream.dialect.heartbeat
            if stream.reader is not self:
                return
            if piece := stream.buffer.take():
                yield piece
