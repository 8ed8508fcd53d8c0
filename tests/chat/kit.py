"""What the tests of chats share: a server that replies from a script, a clock that moves when told, and a reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from unittest import mock

from tui_chat.chat.choices import Choices
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.generation import Generation, Hear
from tui_chat.chat.retry import ReplyPlan, RetryKind
from tui_chat.config import Config
from tui_chat.errors import NoSuchModel
from tui_chat.events import Event
from tui_chat.messages import ChatRequest, Message, Model, Role, State
from tui_chat.parts import parts_of
from tui_chat.server import Server
from tui_chat.servers.backend import Backend
from tui_chat.servers.connection import Connection
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile
from tui_chat.store.store import Store
from tui_chat.store.values import ChatFields

Step = Event | Exception | asyncio.Event
"""What a script consists of: an event is sent, an error raised, a gate waited for."""


@dataclass
class ScriptedBackend:
    """A backend. Each reply takes the next script, the last one again and again."""

    scripts: list[list[Step]] = field(default_factory=list)
    offered: list[Model] = field(default_factory=list)
    warm: list[Model] = field(default_factory=list)
    failure: Exception | None = None
    """What asking for models raises."""
    server: Server = field(default_factory=lambda: Server("http://box:11434"))
    requests: list[ChatRequest] = field(default_factory=list)
    closed: int = 0
    """How many replies were ended, by themselves or not."""

    async def models(self) -> Sequence[Model]:
        if self.failure is not None:
            raise self.failure
        return self.offered

    async def loaded(self) -> Sequence[Model]:
        return self.warm

    async def describe(self, model: str) -> Model:
        for offered in self.offered:
            if offered.name == model:
                return offered
        raise NoSuchModel(f"There is no {model}")

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class Clock:
    """Seconds, as many as were waited."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Stands in for `asyncio.sleep`: takes no time but the clock's."""
        self.slept.append(seconds)
        self.now += seconds


def empty_reply(**fields: object) -> Message:
    """A reply of which nothing is there yet."""
    return Message(Role.ASSISTANT, state=State.STREAMING, model="tiny", **fields)  # type: ignore[arg-type]


@dataclass
class Reception:
    """A reply, what was heard of it, and the chat that it is in."""

    generation: Generation
    conversation: Conversation
    heard: list[Event]

    @property
    def message(self) -> Message:
        message = self.generation.message
        assert message is not None
        return message

    async def run(self) -> list[Event]:
        """Receive it to its end: what was heard."""
        await self.generation.run()
        return self.heard


@asynccontextmanager
async def reception(
    backend: Backend | None,
    reply: Message | None = None,
    *,
    prompt: str = "go",
    clock: Callable[[], float] = time.monotonic,
    kind: RetryKind = RetryKind.RETRY,
    store: Store | None = None,
    hear: Hear | None = None,
    checkpoint_seconds: float = 3600,
    config: Config | None = None,
) -> AsyncIterator[Reception]:
    """A reply that is about to be received, as the first of a chat; one that has text already goes on from that.

    None as a backend: there is nothing to answer.
    """
    own = store or await Store.open(None)
    conversation = Conversation(own)
    said = Message(Role.USER, parts_of(prompt))
    reply = replace(reply or empty_reply(), parent=said.id)
    connection = Connection(lambda _: backend or ScriptedBackend(), Server("http://box:11434"), wanted="tiny")
    heard: list[Event] = []

    async def begin() -> ReplyPlan | None:
        return None if backend is None else ReplyPlan(kind, reply, said, ChatFields(draft=""), reply.text)

    async def note(event: Event) -> None:
        heard.append(event)
        if hear is not None:
            await hear(event)

    config = config or Config()
    generation = Generation(
        conversation,
        connection,
        Choices(config, own, ServerRegistry(config, ServerFile())),
        begin,
        hear=note,
        clock=clock,
    )
    try:
        with mock.patch("tui_chat.chat.generation.CHECKPOINT_SECONDS", checkpoint_seconds):
            yield Reception(generation, conversation, heard)
    finally:
        if store is None:
            await own.aclose()


async def ask(conversation: Conversation, text: str) -> Message:
    """Add a prompt without a reply."""
    prompt = conversation.prompt(text)
    await conversation.begin(prompt, settings={}, draft="")
    return prompt
