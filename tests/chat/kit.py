"""What the tests of conversations share: a server that replies from a script, and a clock that moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from tui_chat.errors import NoSuchModel
from tui_chat.events import Event
from tui_chat.messages import ChatRequest, Message, Model, Role, State
from tui_chat.server import Server

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
