"""The demo: a backend without a server. Its replies are scripted, at the speed of a model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tui_chat.errors import NoSuchModel
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Model, Role, Usage
from tui_chat.server import DEMO
from tui_chat.untrusted import count_of

_SPEED: Final = 60.0
"""Tokens per second."""
_HEAD_START: Final = 24
"""Delay before the first token, as many tokens long, like a server that loads the model."""
_CONTEXT: Final = 8192
_CHAPTERS: Final = 40
_TOKEN: Final = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")


class DemoBackend:
    """A script that replies. Fulfils `Backend`."""

    def __init__(self, speed: float = _SPEED) -> None:
        self.server = DEMO
        self._speed = speed

    async def models(self) -> Sequence[Model]:
        """A model that answers, and one that also thinks."""
        return _MODELS

    async def loaded(self) -> Sequence[Model]:
        """The first of them."""
        return _MODELS[:1]

    async def describe(self, model: str) -> Model:
        """One of them. Raises `NoSuchModel`."""
        return _known(model)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.reply`; `num_predict` is the only option."""
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
        """Ideal times, so that the demo is the same every time."""
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


@dataclass(frozen=True, slots=True)
class Reply:
    """A scripted reply."""

    thinking: str
    """For the model that thinks first."""
    text: str


def reply_to(prompt: str) -> Reply:
    """The reply to `prompt`: the tour, unless a word asks for another."""
    if re.search(r"\bqueues?\b", prompt, re.I):
        return Reply(
            "A bounded queue. The key is what happens when it is full: the producer waits. Go shows it in one "
            "line, since a buffered channel is exactly that. I should name the trade-off too.",
            _page("demo_queue.md"),
        )
    if re.search(r"\b(long|story|scroll)\b", prompt, re.I):
        return Reply("A long story, so that there is something to scroll. It needs a hero: the cursor.", _story())
    if re.search(r"^\W*(hi|hello|hey|good (morning|evening))\b", prompt, re.I):
        return Reply(
            "A greeting. Greet back, and say what I am.",
            "Hello! 👋 I am tui-chat's built-in **demo**, so my answers are scripted. Ask me for a *tour*, "
            "*what a bounded queue is*, or *a long story*.",
        )
    return Reply(
        "The user wants to see what this terminal can show. There is no model behind me, so I had better be "
        "honest about that. One of each: a heading, lists, code, a table, a quote, a link, a formula. "
        "Short enough to read, long enough to scroll.",
        _page("demo_tour.md"),
    )


def tokens_of(text: str) -> list[str]:
    """Split `text` into pieces like tokens."""
    return _TOKEN.findall(text)


def _page(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _story() -> str:
    chapters = [
        f"## Chapter {number}\n\n"
        f"On day {number} the cursor came to line {number * 24}. It looked back once, and there were "
        f"{number * 24 - 1} lines behind it, each of them shorter than a thought. *Blink*, it said, and went on.\n"
        for number in range(1, _CHAPTERS + 1)
    ]
    ending = "The end. *(And that was tui-chat's demo: scripted, no model was asked.)*\n"
    return "\n".join(["# The long way of a cursor\n", *chapters, ending])
