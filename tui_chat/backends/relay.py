"""tui-chat's own relay, spoken to in its own dialect, with replies that survive a dropped line.

The relay goes on generating when the line drops, and holds what was not received (`tui_chat/relay/__init__.py`).
So a hang-up stops nothing there: to stop, the stream is deleted.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from tui_chat.backends.http import Answer, Http, Incoming
from tui_chat.errors import Cut, Garbled, ReplyError, Unreachable
from tui_chat.events import Event, Finished
from tui_chat.messages import ChatRequest, Model
from tui_chat.protocol.fields import object_of
from tui_chat.protocol.openai_errors import error_of, retry_after
from tui_chat.protocol.relay import (
    GRACE_HEADER,
    SERVICE,
    STREAM_HEADER,
    chat_body,
    error_in,
    event_in,
    model_in,
    models_in,
)
from tui_chat.protocol.sse import EventDecoder, ServerEvent
from tui_chat.server import Server

MODELS_SECONDS: Final = 5.0
LOADED_SECONDS: Final = 1.5
STOP_SECONDS: Final = 2.0
SILENCE_SECONDS: Final = 40.0
"""The relay says something every 15 s: after so long without a byte the line is dead, whatever TCP believes."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""Seconds before the first new try to connect, and at most; each pause is twice the one before."""
_STREAM: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_GRACE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_PASSING: Final = (408, 429, 500, 502, 503, 504)
"""What proxies say while the relay, or the way to it, is away for a moment."""


def is_relay(health: object) -> bool:
    """Whether the JSON of `GET /health` is a relay's."""
    return isinstance(health, dict) and health.get("service") == SERVICE


@dataclass(slots=True)
class _Place:
    """How far a reply has come, for coming back to it."""

    stream: str = ""
    """Its name at the relay; empty while there is nothing to come back to."""
    last: str = "0"
    """The id of the last event that arrived."""
    grace: float = 0.0
    """For how many seconds the relay keeps it without us."""

    def enter(self, headers: Mapping[str, str]) -> None:
        """Note what the headers of a good answer tell."""
        stream, grace = headers.get(STREAM_HEADER, ""), headers.get(GRACE_HEADER, "")
        self.stream = stream if _STREAM.fullmatch(stream) else ""
        self.grace = float(grace) if _GRACE.fullmatch(grace) else 0.0


class _Patience:
    """Pauses between tries, each twice the one before, until the relay has forgotten the reply."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE
        self._waited = 0.0

    def renew(self) -> None:
        """Begin again: there was progress."""
        self._pause, self._waited = FIRST_PAUSE, 0.0

    async def wait(self, grace: float) -> bool:
        """Pause; False if that would be for longer than `grace` seconds in all."""
        if self._waited + self._pause > grace:
            return False
        await asyncio.sleep(self._pause)
        self._waited += self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        return True


class _Line(Http):
    """HTTP as far as only a relay needs it."""

    def follow(self, path: str) -> AbstractAsyncContextManager[Incoming]:
        """GET a stream; see `Http.stream`."""
        return self._open("GET", path, None)

    async def delete(self, path: str, *, within: float) -> Answer:
        """The whole answer to a DELETE, within so many seconds."""
        return await self._whole("DELETE", path, None, within)


class RelayBackend:
    """One relay. Fulfils `Backend`."""

    def __init__(self, server: Server, silence: float = SILENCE_SECONDS) -> None:
        self._server = server
        self._silence = silence
        self._http = _Line(server)
        self._asking = _Line(_with_header(server, "x-resume", "1"))

    @property
    def server(self) -> Server:
        """The relay that it talks to."""
        return self._server

    async def models(self) -> Sequence[Model]:
        """The models on offer; see `Backend.models`."""
        body = _good(await self._http.get_json("/v1/models", within=MODELS_SECONDS))
        models = models_in(body, self._server.label)
        if models is None:
            raise Garbled("The relay did not answer with a list of models.", "Check the URL.")
        return models

    async def loaded(self) -> Sequence[Model]:
        """The models in memory; see `Backend.loaded`."""
        try:
            async with asyncio.timeout(LOADED_SECONDS):
                return [model for model in await self.models() if model.loaded]
        except (ReplyError, TimeoutError):
            return ()

    async def describe(self, model: str) -> Model:
        """All that the relay tells of one model; see `Backend.describe`."""
        path = f"/v1/models/{quote(model, safe=':')}"
        body = _good(await self._http.get_json(path, within=MODELS_SECONDS))
        return model_in(body if isinstance(body, dict) else {}, self._server.label)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply; see `Backend.reply`. A dropped line is picked up again, without a gap or a repeat."""
        place = _Place()
        async with self._stopping(place), aclosing(self._healing(request, place)) as events:
            async for event in events:
                yield event

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()
        await self._asking.aclose()

    @asynccontextmanager
    async def _stopping(self, place: _Place) -> AsyncIterator[None]:
        """Tells the relay to stop when the block is left before the reply is over."""
        try:
            yield
        finally:
            if place.stream:
                with suppress(ReplyError):
                    await self._http.delete(_path(place), within=STOP_SECONDS)

    async def _healing(self, request: ChatRequest, place: _Place) -> AsyncGenerator[Event, None]:
        patience = _Patience()
        line = self._asking.stream("/api/chat", chat_body(request))
        while True:
            try:
                async with aclosing(self._events(line, place, request.model)) as events:
                    async for event in events:
                        patience.renew()
                        yield event
                return
            except (Cut, Unreachable):
                if not (place.stream and await patience.wait(place.grace)):
                    raise
            line = self._again(place)

    @asynccontextmanager
    async def _again(self, place: _Place) -> AsyncIterator[Incoming]:
        """The stream behind what has arrived of it."""
        http = _Line(_with_header(self._server, "last-event-id", place.last))
        try:
            async with http.follow(_path(place)) as incoming:
                yield incoming
        finally:
            await http.aclose()

    async def _events(
        self, line: AbstractAsyncContextManager[Incoming], place: _Place, model: str
    ) -> AsyncGenerator[Event, None]:
        """The events of one connection, `place` kept up to date.

        Raises:
            Cut: the connection ended before the reply. If `place` still has a stream, that can be come back to.
        """
        decoder = EventDecoder()
        async with line as incoming:
            if not incoming.ok:
                raise _refusal(await incoming.whole(), place, model)
            place.enter(incoming.headers)
            async with aclosing(incoming.chunks()) as chunks:
                while chunk := await self._next(chunks):
                    for said in decoder.feed(chunk):
                        event = _event(said, place)
                        if event is not None:
                            yield event
                        if isinstance(event, Finished):
                            return
        raise Cut("The relay ended the reply before it was whole.", "What came is kept: continue it.")

    async def _next(self, chunks: AsyncGenerator[bytes, None]) -> bytes:
        """The next chunk, empty at the end.

        Raises:
            Cut: the connection broke, or has fallen silent.
        """
        try:
            async with asyncio.timeout(self._silence):
                return await anext(chunks, b"")
        except TimeoutError:
            raise Cut("The line to the relay has fallen silent.", "What came is kept: continue it.") from None


def _event(said: ServerEvent, place: _Place) -> Event | None:
    """What one event says; at the end of the reply, good or bad, `place` has no stream any more."""
    try:
        body = json.loads(said.data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Garbled("The relay sent something that is not its protocol.", "Is this a tui-chat relay?")
    if "done" in body or "error" in body:
        place.stream = ""
    place.last = said.id
    return event_in(body)


def _refusal(answer: Answer, place: _Place, model: str) -> ReplyError:
    """The error for a bad status. While there is a stream to come back to, a proxy's is as good as a cut."""
    if place.stream and answer.status in _PASSING:
        return Cut("The relay is away.", "What came is kept: continue it.")
    place.stream = ""
    return _error(answer, model)


def _good(answer: Answer) -> object:
    if not answer.ok:
        raise _error(answer, "")
    return answer.json()


def _error(answer: Answer, model: str) -> ReplyError:
    with suppress(Garbled):
        body = answer.json()
        error = object_of(body, "error") if isinstance(body, dict) else {}
        if "hint" in error:  # which only the relay's have
            return error_in(error)
    wait = retry_after(answer.headers, datetime.now(UTC))
    return error_of(answer.status, answer.text, model=model, retry_after=wait)


def _path(place: _Place) -> str:
    return f"/api/streams/{place.stream}"


def _with_header(server: Server, name: str, value: str) -> Server:
    return replace(server, headers=(*server.headers, (name, value)))
