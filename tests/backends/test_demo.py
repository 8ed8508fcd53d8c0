"""The demo, spoken to by the backend that speaks to real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.backends.demo import Demo
from tui_chat.backends.demo_replies import reply_to, tokens_of
from tui_chat.backends.http import Http
from tui_chat.backends.ollama import OllamaBackend
from tui_chat.errors import NoSuchModel, Unsupported
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.servers import Server

FAST = float("inf")


@pytest.fixture
async def demo() -> AsyncIterator[Server]:
    async with Demo(FAST) as server:
        yield server


@pytest.fixture
async def backend(demo: Server) -> AsyncIterator[OllamaBackend]:
    ollama = OllamaBackend(demo)
    yield ollama
    await ollama.aclose()


def asked(prompt: str, model: str = "demo") -> ChatRequest:
    return ChatRequest(model, (Message(Role.USER, prompt),))


async def ask(backend: OllamaBackend, request: ChatRequest) -> list[Event]:
    async with aclosing(backend.reply(request)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


@pytest.mark.parametrize("prompt", ["", "Show me", "What is a bounded queue?", "hello", "Tell me a long story"])
async def test_a_reply_is_streamed_and_says_that_it_is_a_demo(prompt: str, backend: OllamaBackend) -> None:
    events = await ask(backend, asked(prompt))
    assert events[0] == Accepted()
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stop"
    assert text_of(events) == reply_to(prompt).text
    assert "demo" in text_of(events)
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_reply_is_the_same_every_time(backend: OllamaBackend) -> None:
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


async def test_the_model_that_thinks_does_so_first_unless_told_not_to(backend: OllamaBackend) -> None:
    request = asked("Hello", "demo-think")
    kinds = [type(event) for event in await ask(backend, request)]
    assert kinds[1] is Thinking
    assert Thinking not in kinds[kinds.index(Delta) :]
    assert not any(isinstance(event, Thinking) for event in await ask(backend, replace(request, think=False)))


async def test_a_cut_reply_goes_on_exactly(backend: OllamaBackend) -> None:
    whole = reply_to("Hello").text
    events = await ask(backend, replace(asked("Hello", "demo-think"), prefill=whole[:30]))
    assert events[0] == Continued(exact=True)
    assert text_of(events) == whole[30:]
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_limit_ends_a_reply_by_length(backend: OllamaBackend) -> None:
    events = await ask(backend, replace(asked("Hello"), options={"num_predict": 3}))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"
    assert len(events) == 5


async def test_the_counts_are_of_the_script(backend: OllamaBackend) -> None:
    last = (await ask(backend, asked("Hello")))[-1]
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.prompt_tokens == 1
    assert last.usage.reply_tokens == len(tokens_of(reply_to("Hello").text))


async def test_a_speed_is_kept_and_told() -> None:
    async with Demo(speed=500) as server:
        backend = OllamaBackend(server)
        start = asyncio.get_running_loop().time()
        last = (await ask(backend, asked("Hello")))[-1]
        seconds = asyncio.get_running_loop().time() - start
        await backend.aclose()
    assert isinstance(last, Finished)
    assert last.usage is not None
    assert last.usage.tokens_per_second == pytest.approx(500)
    assert seconds >= (last.usage.reply_tokens or 0) / 500


async def test_it_lists_and_describes_its_models(backend: OllamaBackend) -> None:
    assert [model.name for model in await backend.models()] == ["demo:latest", "demo-think:latest"]
    assert [model.name for model in await backend.loaded()] == ["demo:latest"]
    assert "thinking" in (await backend.describe("demo-think")).capabilities
    assert (await backend.describe("demo")).context_window == 8192


async def test_it_refuses_as_ollama_does(backend: OllamaBackend) -> None:
    with pytest.raises(NoSuchModel):
        await ask(backend, asked("Hello", "nope"))
    with pytest.raises(NoSuchModel):
        await backend.describe("nope")
    with pytest.raises(Unsupported):
        await ask(backend, replace(asked("Hello"), think=True))


async def test_it_answers_what_programs_ask_an_ollama(demo: Server) -> None:
    http = Http(demo)
    assert (await http.get_json("/")).text == "Ollama is running"
    assert (await http.get_json("/api/version")).json() == {"version": "0.0.0"}
    assert (await http.get_json("/nothing")).status == 404
    loaded = (await http.post_json("/api/chat", {"model": "demo", "messages": []})).json()
    assert isinstance(loaded, dict)
    assert loaded["done_reason"] == "load"
    whole = (
        await http.post_json(
            "/api/chat", {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "stream": False}
        )
    ).json()
    assert isinstance(whole, dict)
    assert whole["message"]["content"] == reply_to("hi").text
    await http.aclose()


async def test_it_notices_at_once_that_the_client_has_left() -> None:
    demo = Demo(speed=200)
    async with demo as server:
        backend = OllamaBackend(server)
        events = backend.reply(asked("Tell me a long story"))
        assert [await anext(events), await anext(events)] == [Accepted(), Delta("#")]
        assert not demo.left.is_set()
        await events.aclose()
        await asyncio.wait_for(demo.left.wait(), 2)
        await backend.aclose()


async def test_several_replies_stream_at_once(backend: OllamaBackend) -> None:
    whole = await asyncio.gather(*(ask(backend, asked("Hello")) for _ in range(8)))
    assert {text_of(events) for events in whole} == {reply_to("Hello").text}
