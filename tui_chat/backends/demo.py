"""The demo: a backend that needs no server. It replies by script, as fast as a model would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Final

from tui_chat.backends.demo_replies import reply_to, tokens_of
from tui_chat.errors import NoSuchModel
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Model, Role, Usage
from tui_chat.protocol.fields import count_of
from tui_chat.server import DEMO

_SPEED: Final = 60.0
"""Tokens per second."""
_HEAD_START: Final = 24
"""For as many tokens' time it is silent before the first, as a server that loads the model."""
_CONTEXT: Final = 8192


class DemoBackend:
    """A script that replies. Fulfils `Backend`."""

    def __init__(self, speed: float = _SPEED) -> None:
        self.server = DEMO
        self._speed = speed

    async def models(self) -> Sequence[Model]:
        """A model that answers, and one that thinks first."""
        return _MODELS

    async def loaded(self) -> Sequence[Model]:
        """The first of them."""
        return _MODELS[:1]

    async def describe(self, model: str) -> Model:
        """One of them. Raises `NoSuchModel`."""
        return _known(model)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply, as `Backend.reply` says; `num_predict` is the only option that counts."""
        thinks = (
            "thinking" in _known(request.model).capabilities and request.think is not False and not request.prefill
        )
        prompts = [message.text for message in request.messages if message.role is Role.USER]
        reply = reply_to(prompts[-1] if prompts else "")
        events: list[Event] = [
            *(map(Thinking, tokens_of(reply.thinking)) if thinks else ()),
            *map(Delta, tokens_of(reply.text.removeprefix(request.prefill))),
        ]
        said = events[: count_of(request.options, "num_predict")]
        if request.prefill:
            yield Continued(exact=True)
        clock = asyncio.get_running_loop().time
        start = clock() + _HEAD_START / self._speed
        await asyncio.sleep(start - clock())
        yield Accepted()
        for number, event in enumerate(said):
            await asyncio.sleep(max(0.0, start + number / self._speed - clock()))
            yield event
        yield Finished("stop" if said == events else "length", self._usage(request, len(said)))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _usage(self, request: ChatRequest, tokens: int) -> Usage:
        """Times as they should be, not as they were: a demo is the same every time."""
        return Usage(
            prompt_tokens=sum(len(tokens_of(message.text)) for message in request.messages),
            reply_tokens=tokens,
            load_seconds=_HEAD_START / self._speed,
            reply_seconds=tokens / self._speed,
        )


def _model(name: str, *capabilities: str) -> Model:
    return Model(
        name,
        DEMO.label,
        family="script",
        context_window=_CONTEXT,
        window=_CONTEXT,
        capabilities=frozenset(("completion", *capabilities)),
    )


_MODELS: Final = (replace(_model("demo"), loaded=True), _model("demo-think", "thinking"))


def _known(name: str) -> Model:
    for model in _MODELS:
        if model.name == name:
            return model
    raise NoSuchModel(f"The demo does not have the model {name}.")
