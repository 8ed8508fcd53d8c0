"""The demo: a backend that replies by script."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import ConfigError, NoSuchModel
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import DEMO
from tui_chat.servers.backend import connect
from tui_chat.servers.dialects.demo import DemoBackend, reply_to, tokens_of

FAST = float("inf")


@pytest.fixture
def backend() -> DemoBackend:
    return DemoBackend(FAST)


def asked(prompt: str, model: str = "demo") -> ChatRequest:
    return ChatRequest(model, (Message(Role.USER, parts_of(prompt)),))


async def ask(backend: DemoBackend, request: ChatRequest) -> list[Event]:
    async with aclosing(backend.reply(request)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


@pytest.mark.parametrize("prompt", ["", "Show me", "What is a bounded queue?", "hello", "Tell me a long story"])
async def test_a_reply_is_streamed_and_says_that_it_is_a_demo(prompt: str, backend: DemoBackend) -> None:
    events = await ask(backend, asked(prompt))
    assert events[0] == Accepted()
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stop"
    assert text_of(events) == reply_to(prompt).text
    assert "demo" in text_of(events)
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_reply_is_the_same_every_time(backend: DemoBackend) -> None:
    assert await ask(backend, asked("Hello")) == await ask(backend, asked("Hello"))


def test_other_prompts_get_other_replies() -> None:
    prompts = ("Show me", "What is a bounded queue?", "hello", "Tell me a long story")
    assert len({reply_to(prompt) for prompt in prompts}) == 4


def test_the_tour_shows_every_element_of_markdown() -> None:
    text = reply_to("").text
    elements = (
        "# ",
        "## ",
        "**",
        "*",
        "`",
        "```python",
        "1. ",
        "   - ",
        "- [x]",
        "- [ ]",
        "|:--",
        "> > ",
        "](http",
        "$$",
        "~~",
        "---",
    )
    assert [element for element in elements if element not in text] == []


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens_of(text)) == text
    assert all(tokens_of(text))


async def test_the_model_that_thinks_does_so_first_unless_told_not_to(backend: DemoBackend) -> None:
    request = asked("Hello", "demo-think")
    kinds = [type(event) for event in await ask(backend, request)]
    assert kinds[1] is Thinking
    assert Thinking not in kinds[kinds.index(Delta) :]
    assert not any(isinstance(event, Thinking) for event in await ask(backend, replace(request, think=False)))


async def test_a_cut_reply_goes_on_exactly(backend: DemoBackend) -> None:
    whole = reply_to("Hello").text
    events = await ask(backend, replace(asked("Hello", "demo-think"), prefill=whole[:30]))
    assert events[0] == Continued(exact=True)
    assert text_of(events) == whole[30:]
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_limit_ends_a_reply_by_length(backend: DemoBackend) -> None:
    events = await ask(backend, replace(asked("Hello"), options={"num_predict": 3}))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"
    assert len(events) == 5


async def test_the_counts_are_of_the_script(backend: DemoBackend) -> None:
    last = (await ask(backend, asked("Hello")))[-1]
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.prompt_tokens == 1
    assert last.usage.reply_tokens == len(tokens_of(reply_to("Hello").text))


async def test_a_speed_is_kept_and_told() -> None:
    start = asyncio.get_running_loop().time()
    last = (await ask(DemoBackend(speed=500), asked("Hello")))[-1]
    seconds = asyncio.get_running_loop().time() - start
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.tokens_per_second == pytest.approx(500)
    assert seconds >= (last.usage.reply_tokens or 0) / 500


async def test_it_lists_and_describes_its_models(backend: DemoBackend) -> None:
    assert [model.name for model in await backend.models()] == ["demo", "demo-think"]
    assert [model.name for model in await backend.loaded()] == ["demo"]
    assert "thinking" in (await backend.describe("demo-think")).capabilities
    assert (await backend.describe("demo")).context_window == 8192


async def test_it_refuses_a_model_that_it_does_not_have(backend: DemoBackend) -> None:
    with pytest.raises(NoSuchModel):
        await ask(backend, asked("Hello", "nope"))
    with pytest.raises(NoSuchModel):
        await backend.describe("nope")


async def test_it_can_be_stopped_at_any_time() -> None:
    backend = DemoBackend(speed=200)
    events = backend.reply(asked("Tell me a long story"))
    assert [await anext(events), await anext(events)] == [Accepted(), Delta("#")]
    await events.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_it_stops_when_its_task_is_cancelled() -> None:
    task = asyncio.ensure_future(ask(DemoBackend(speed=1), asked("Tell me a long story")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 2)


async def test_its_server_is_no_address_that_anything_connects_to() -> None:
    backend = connect(DEMO)
    assert isinstance(backend, DemoBackend)
    with pytest.raises(ConfigError):
        connect(replace(DEMO, name="another"))


async def test_several_replies_stream_at_once(backend: DemoBackend) -> None:
    whole = await asyncio.gather(*(ask(backend, asked("Hello")) for _ in range(8)))
    assert {text_of(events) for events in whole} == {reply_to("Hello").text}
