"""A relay over real sockets before a backend that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tui_chat.errors import NoSuchModel, ReplyError
from tui_chat.events import Accepted, Delta, Event, Finished
from tui_chat.messages import ChatRequest, Model, Usage
from tui_chat.relay.app import Relay
from tui_chat.relay.serve import Server, listen
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import Server as Address
from tui_chat.servers.sse import EventDecoder, ServerEvent

USAGE = Usage(prompt_tokens=7, reply_tokens=2, reply_seconds=0.5)
MODEL = Model(
    "tiny:latest",
    size=4086639,
    family="llama",
    parameters="1.02M",
    quantization="F16",
    context_window=2048,
    window=1024,
    capabilities=frozenset({"completion", "thinking"}),
    think_levels=("off", "low"),
    modified="2026-11-20T18:19:24.190651Z",
)

Step = Event | ReplyError | Callable[[], Awaitable[object]]
USUAL = Settings()
HELLO: tuple[Step, ...] = (Accepted(), Delta("Hel"), Delta("lo"), Finished("stop", USAGE))


@dataclass
class ScriptedBackend:
    """Replies by `script`: events to yield, errors to raise, and calls to wait for."""

    script: Sequence[Step] = HELLO
    offered: Sequence[Model] = (MODEL,)
    in_memory: Sequence[Model] = ()
    requests: list[ChatRequest] = field(default_factory=list)
    open: int = 0
    """How many replies are being read."""
    yielded: int = 0
    """How many events were read from it, in all."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a reply has been closed."""
    server: Address = field(default_factory=lambda: Address("http://127.0.0.1:11434"))

    async def models(self) -> Sequence[Model]:
        return self.offered

    async def loaded(self) -> Sequence[Model]:
        return self.in_memory

    async def describe(self, model: str) -> Model:
        for offered in self.offered:
            if offered.name == model:
                return offered
        raise NoSuchModel("The server does not have it.", "Get it.", status=404)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        self.open += 1
        self.closed.clear()
        try:
            for step in self.script:
                if isinstance(step, ReplyError):
                    raise step
                if callable(step):
                    await step()
                else:
                    self.yielded += 1
                    yield step
        finally:
            self.open -= 1
            self.closed.set()

    async def aclose(self) -> None:
        return None


@dataclass
class Running:
    """A relay that runs, and a client for it."""

    relay: Relay
    backend: ScriptedBackend
    port: int
    client: httpx.AsyncClient
    server: Server
    tokens: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def chat(
        self, body: object, path: str = "/api/chat", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        async with self.client.stream("POST", path, json=body, headers=headers) as response:
            yield response


@asynccontextmanager
async def running(
    backend: ScriptedBackend, tokens: Path, settings: Settings = USUAL, *, port: int = 0, demand: bool = False
) -> AsyncIterator[Running]:
    """Run a relay on a loopback port."""
    relay = Relay(backend, settings, TokenFile(tokens), demand=demand)
    server = Server(relay)
    with listen("127.0.0.1", port) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        port = listener.getsockname()[1]
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10
            ) as client:
                yield Running(relay, backend, port, client, server, tokens)
        finally:
            server.should_exit = True
            await serving


async def until(fulfilled: Callable[[], bool]) -> None:
    """Wait for a condition, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not fulfilled():
            await asyncio.sleep(0.002)


async def events_of(response: httpx.Response) -> AsyncGenerator[ServerEvent, None]:
    """The events of an answer as they arrive."""
    decoder = EventDecoder()
    async for chunk in response.aiter_bytes():
        for event in decoder.feed(chunk):
            yield event


async def objects_of(response: httpx.Response) -> list[dict[str, object]]:
    """The JSON of all events of an answer."""
    return [json.loads(event.data) async for event in events_of(response) if event.data != "[DONE]"]


HELLO_BODY = {"message": "Hi", "model": "tiny"}
