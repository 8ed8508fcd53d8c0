"""Backends: the protocol that all of them fulfil, and the one that speaks HTTP in a server's dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from tui_chat.errors import Cut, Garbled, Refused, Remedy, ReplyError, Unreachable, Unsupported
from tui_chat.events import Dropped, Event
from tui_chat.messages import ChatRequest, Model
from tui_chat.server import DEMO, Kind, Server
from tui_chat.servers.address import base_url
from tui_chat.servers.client import Client, Incoming
from tui_chat.servers.dialect import Decoder, Details, Dialect, Progress, missing
from tui_chat.servers.dialects import dialect_of
from tui_chat.servers.probe import identify

LOADED_SECONDS: Final = 1.0
COUNT_SECONDS: Final = 1.5
STOP_SECONDS: Final = 2.0
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""Shortest and longest pause, in seconds, before a reply is picked up again; each is twice the last."""
_PASSING: Final = (408, 429, 500, 502, 503, 504)
"""Statuses of proxies while the server cannot be reached for a moment."""

V = TypeVar("V")


class Backend(Protocol):
    """A server. All texts that it gives are sanitised; all errors are `ReplyError`s."""

    @property
    def server(self) -> Server:
        """The server, with its kind and flavour after the first request."""

    async def models(self) -> Sequence[Model]:
        """The models that the server offers, newest first if it says, within a few seconds.

        If one is marked `loaded`, all loaded ones are, with their windows.

        Raises:
            ReplyError: the server cannot be reached, refuses, or answers nonsense.
        """

    async def loaded(self) -> Sequence[Model]:
        """The models in memory, with the context windows in force; empty if unknown.

        Never raises a `ReplyError` and takes at most about a second: Ollama's `/api/ps` blocks while it loads.
        """

    async def describe(self, model: str) -> Model:
        """All that the server tells of one model.

        Raises:
            ReplyError: as for `models`; `NoSuchModel` if the server does not have it.
        """

    def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply to a conversation: `Accepted` first (but for `Loading`), `Finished` last.

        With `request.prefill` the first event is `Continued`, which says whether the reply goes on exactly.
        To stop, close the generator or cancel the task: the socket closes at once.

        Raises:
            Unreachable: no connection; nothing was sent.
            Cut: the connection or the stream ended in the middle of the reply.
            Garbled: the answer was not a reply.
            ReplyError: anything else that ended the reply.
        """

    async def aclose(self) -> None:
        """Close all connections."""


def connect(server: Server) -> Backend:
    """A backend for `server`. Its first request finds out the kind of server.

    Raises:
        ConfigError: the URL is invalid.
    """
    if server == DEMO:
        from tui_chat.servers.dialects.demo import DemoBackend  # late: most never see it

        return DemoBackend()
    url = base_url(server.url)
    return HttpBackend(replace(server, url=url.removesuffix("/api") if server.kind is Kind.OLLAMA else url))


class HttpBackend:
    """Speaks to a server in its dialect, found out at the first use, and again if it turns out wrong.

    Fulfils `Backend`. Every verb is one function of the dialect's; one that the server does not have raises
    `Unsupported`.
    """

    def __init__(self, server: Server) -> None:
        self.client = Client(server)
        self._given = server
        self._asking = asyncio.Lock()
        self._dialect: Dialect | None = None

    @property
    def server(self) -> Server:
        """See `Backend.server`."""
        return self.client.server

    @property
    def verbs(self) -> frozenset[str]:
        """What can be done with its models (see `Dialect.verbs`); nothing while its kind is not known."""
        return frozenset() if self.server.kind is Kind.AUTO else dialect_of(self.server).verbs

    async def models(self) -> Sequence[Model]:
        """See `Backend.models`."""
        async with self._speaking() as dialect:
            return await dialect.models(self.client)

    async def loaded(self) -> Sequence[Model]:
        """See `Backend.loaded`."""
        with suppress(ReplyError, TimeoutError):
            async with asyncio.timeout(LOADED_SECONDS), self._speaking() as dialect:
                if dialect.loaded is not None:
                    return [model for model in await dialect.loaded(self.client) if model.loaded]
        return ()

    async def describe(self, model: str) -> Model:
        """See `Backend.describe`."""
        async with self._speaking() as dialect:
            if dialect.describe is not None:
                return await dialect.describe(self.client, model)
            for offered in await dialect.models(self.client):
                if offered.name == model:
                    return offered
        raise missing(model)

    async def count(self, request: ChatRequest) -> int | None:
        """The tokens of a prompt by the server's own count, within about a second; None if it does not tell."""
        with suppress(ReplyError, TimeoutError):
            async with asyncio.timeout(COUNT_SECONDS), self._speaking() as dialect:
                return None if dialect.count is None else await dialect.count(self.client, request)
        return None

    async def details(self, model: str) -> Details:
        """All that the server tells of a model, for people."""
        async with self._speaking() as dialect:
            return await self._able(dialect.details)(self.client, model)

    async def unload(self, model: str) -> None:
        """Unload a model from memory."""
        async with self._speaking() as dialect:
            await self._able(dialect.unload)(self.client, model)

    async def copy(self, model: str, name: str) -> None:
        """Give a model a second name."""
        async with self._speaking() as dialect:
            await self._able(dialect.copy)(self.client, model, name)

    async def delete(self, model: str) -> None:
        """Remove a model from the server's disk."""
        async with self._speaking() as dialect:
            await self._able(dialect.delete)(self.client, model)

    def load(self, model: str, settings: Mapping[str, object]) -> AsyncGenerator[Progress, None]:
        """Load a model into memory; to cancel, close the generator or cancel the task (see `Dialect.load`)."""
        return self._steps(lambda dialect: self._able(dialect.load)(self.client, model, settings))

    def pull(self, model: str) -> AsyncGenerator[Progress, None]:
        """Download a model. The next call resumes one that was cut or cancelled."""
        return self._steps(lambda dialect: self._able(dialect.pull)(self.client, model))

    def create(self, model: str, settings: Mapping[str, object]) -> AsyncGenerator[Progress, None]:
        """Make a model of another: `from`, `system`, `template`, `parameters`."""
        return self._steps(lambda dialect: self._able(dialect.create)(self.client, model, settings))

    async def _steps(
        self, work: Callable[[Dialect], AsyncGenerator[Progress, None]]
    ) -> AsyncGenerator[Progress, None]:
        async with self._speaking() as dialect, aclosing(work(dialect)) as steps:
            async for step in steps:
                yield step

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.reply`. A dropped reply is picked up again if the server keeps generating it."""
        async with self._speaking() as dialect:
            async with aclosing(dialect.prepare(self.client, request)) as prepared:
                async for event in prepared:
                    yield event
            ask = await dialect.ask(self.client, request)
            decoder, call, waited = dialect.decoder(ask), ask.call, 0.0
            lost: ReplyError | None = None
            try:
                while True:
                    try:
                        async with self.client.open(call) as incoming:
                            if incoming.ok:
                                async with aclosing(_received(incoming, decoder)) as events:
                                    async for event in events:
                                        yield event
                                        waited = 0.0
                                return
                            if lost is None:
                                decoder.back = None
                                refusal = dialect.judge(await incoming.whole(), request.model)
                                ask = await dialect.instead(self.client, ask, refusal, request)
                                decoder, call = dialect.decoder(ask), ask.call
                                continue
                            if incoming.status not in _PASSING:
                                decoder.back = None  # the server has forgotten the reply
                    except (Cut, Unreachable) as error:
                        if lost is None and isinstance(error, Unreachable):
                            decoder.back = None  # nothing was sent
                        if decoder.back is None:
                            raise
                        lost = lost or error
                    pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, waited))
                    if decoder.back is None or waited + pause > decoder.back.grace:
                        for event in decoder.close(lost):
                            yield event
                        return
                    await asyncio.sleep(pause)
                    waited += pause
                    call = decoder.back.call
                    yield Dropped()
            finally:
                if decoder.back is not None:
                    with suppress(ReplyError):
                        await self.client.fetch(decoder.back.stop, within=STOP_SECONDS)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[Dialect]:
        """The dialect. An answer that does not fit it makes the next use find it out again."""
        async with self._asking:
            if self._dialect is None:
                self.client.server = self._given
                self.client.server = await identify(self.client)
                self._dialect = dialect_of(self.client.server)
                self.client.judge = self._dialect.judge
            dialect = self._dialect
        try:
            yield dialect
        except ReplyError as error:
            if isinstance(error, Garbled) or (type(error) is Refused and error.status == 404):
                self._dialect = None
            raise

    def _able(self, verb: V | None) -> V:
        if verb is None:
            raise Unsupported(f"{self.server.label} cannot do that.", "Use another server, or its own tools.")
        return verb


async def _received(incoming: Incoming, decoder: Decoder) -> AsyncGenerator[Event, None]:
    """The events of one good answer until it ends."""
    for event in decoder.begin(incoming):
        yield event
    lost, silent = None, True
    while not decoder.done:
        try:
            chunk = await incoming.next(decoder.patience)
        except Cut as cut:
            if decoder.back is not None:
                raise
            chunk, lost = b"", cut
        if not chunk:
            break
        silent = False
        for event in decoder.feed(chunk):
            yield event
    if not decoder.done and decoder.back is not None:
        if not silent:
            raise Cut("The server broke off the reply.", "What came is kept.", Remedy.CONTINUE)
        decoder.back = None  # there is no more
    for event in decoder.close(lost):
        yield event
