"""The backend for Ollama against a scripted server, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import astuple, replace

import pytest
from tui_chat.errors import Cut, Garbled, NoSuchModel, Refused, ReplyError, ServerFault, Unreachable
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Message, Model, Role, Usage
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import Backend, HttpBackend
from tui_chat.servers.dialect import CONTINUE

from tests.server import (
    ScriptedServer,
    Step,
    answer,
    cut,
    done,
    end,
    head,
    line,
    ndjson,
    pause,
    raw,
    reply,
    reset,
    stall,
    thought,
    token,
    wait,
    wire,
)
from tests.servers.ollama_recordings import STREAMS, recorded

ASKED = ChatRequest("tiny", (Message(Role.USER, parts_of("What are queues?")),))
RESUMED = ChatRequest("tiny", ASKED.messages, prefill="Queues are")
OPEN = "{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}{{ end }}"
CLOSED = "{{ range .Messages }}{{ .Content }}<end>{{ end }}"


@pytest.fixture
async def backend(server: ScriptedServer) -> AsyncIterator[HttpBackend]:
    ollama = HttpBackend(Server(server.url, name="box", kind=Kind.OLLAMA))
    yield ollama
    await ollama.aclose()


async def ask(backend: Backend, request: ChatRequest = ASKED) -> list[Event]:
    async with aclosing(backend.reply(request)) as events:
        return [event async for event in events]


async def broken(backend: Backend, request: ChatRequest = ASKED) -> tuple[list[Event], ReplyError]:
    """What came before the error, and the error."""
    events: list[Event] = []

    async def collect() -> None:
        async with aclosing(backend.reply(request)) as stream:
            async for event in stream:
                events.append(event)

    with pytest.raises(ReplyError) as caught:
        await collect()
    assert caught.value.hint
    return events, caught.value


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def conversation(body: Mapping[str, object]) -> list[tuple[str, str]]:
    messages = body["messages"]
    assert isinstance(messages, list)
    return [(message["role"], message["content"]) for message in messages]


async def test_a_reply_starts_with_accepted_and_ends_with_finished(
    server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(head(), thought("Hm"), token("Hel"), token("lo"), done("stop", eval_count=2), end())
    assert await ask(backend) == [
        Accepted(),
        Thinking("Hm"),
        Delta("Hel"),
        Delta("lo"),
        Finished("stop", Usage(reply_tokens=2)),
    ]
    (body,) = server.asked()
    assert conversation(body) == [("user", "What are queues?")]


@pytest.mark.parametrize("name", STREAMS)
async def test_a_recording_is_read_off_the_wire(name: str, server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(wire(recorded(name).wire))
    events = await ask(backend)
    assert events[0] == Accepted()
    assert isinstance(events[-1], Finished)


async def test_characters_come_whole_though_their_bytes_come_apart(
    server: ScriptedServer, backend: HttpBackend
) -> None:
    data = ndjson({"message": {"content": "日本語 🙂\u2028é"}, "done": False})
    server.script(head(), *[raw(data[i : i + 1]) for i in range(len(data))], done(), end())
    assert text_of(await ask(backend)) == "日本語 🙂\né"


async def test_tokens_come_while_the_server_still_speaks(server: ScriptedServer, backend: HttpBackend) -> None:
    gate = asyncio.Event()
    server.script(head(), token("one"), wait(gate), token("two"), done(), end())
    async with aclosing(backend.reply(ASKED)) as events:
        assert [await anext(events), await anext(events)] == [Accepted(), Delta("one")]
        gate.set()
        assert await anext(events) == Delta("two")


async def test_a_huge_token_is_read(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(*reply("x" * 2_000_000))
    assert len(text_of(await ask(backend))) == 2_000_000


async def test_a_silent_server_is_waited_for(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(pause(0.3), *reply("late"))
    assert text_of(await ask(backend)) == "late"


async def test_the_reply_ends_with_its_end_marker_though_the_connection_stays(
    server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(head(), token("one"), done(), stall())
    assert isinstance((await asyncio.wait_for(ask(backend), 5))[-1], Finished)


async def test_a_last_line_without_a_newline_counts(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), raw(ndjson({"message": {"content": "one"}, "done": True}).rstrip()), end())
    assert text_of(await ask(backend)) == "one"


@pytest.mark.parametrize(
    "ending",
    [[end()], [cut()], [reset()], [raw(b'{"message":{"content":"tw'), cut()]],
    ids=["no end marker", "closed", "reset", "half a line"],
)
async def test_a_stream_without_its_end_marker_is_cut_and_what_came_stays(
    ending: list[Step], server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(head(), token("one"), pause(0.01), *ending)
    events, error = await broken(backend)
    assert type(error) is Cut
    assert text_of(events) == "one"


async def test_a_close_that_http_takes_for_an_end_is_cut(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(chunked=False), token("one"), cut())
    events, error = await broken(backend)
    assert type(error) is Cut
    assert text_of(events) == "one"


async def test_half_a_line_at_the_end_is_garbled(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), token("one"), raw(b'{"message":'), end())
    assert type((await broken(backend))[1]) is Garbled


async def test_an_error_line_in_the_stream_is_a_fault(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), token("one"), line({"error": "an error was encountered"}), end())
    events, error = await broken(backend)
    assert type(error) is ServerFault
    assert str(error) == "an error was encountered"
    assert text_of(events) == "one"


@pytest.mark.parametrize("data", [b"garbage\n", b"\x00\xff\n", b"[]\n", b"data: {}\n"])
async def test_garbage_in_the_stream_is_garbled(data: bytes, server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), token("one"), raw(data), stall())
    events, error = await broken(backend)
    assert type(error) is Garbled
    assert text_of(events) == "one"
    await asyncio.wait_for(server.disconnected.wait(), 2)


async def test_a_line_without_end_is_garbled(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), *[raw(b"x" * 1_000_000)] * 9, stall())
    assert type((await broken(backend))[1]) is Garbled


async def test_a_missing_model_is_told_with_how_to_get_it(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(answer(404, {"error": "model 'tiny' not found"}))
    events, error = await broken(backend)
    assert events == []
    assert type(error) is NoSuchModel
    assert "tui-chat pull tiny" in error.hint


async def test_a_web_page_in_place_of_a_stream_is_garbled(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(answer(200, b"<!DOCTYPE html>\n<html></html>", "text/html"))
    assert type((await broken(backend))[1]) is Garbled


async def test_nobody_there_is_unreachable_and_the_backend_can_be_used_when_somebody_is() -> None:
    async with ScriptedServer() as server:
        url = server.url
    backend = HttpBackend(Server(url, kind=Kind.OLLAMA))
    assert type((await broken(backend))[1]) is Unreachable
    async with ScriptedServer(int(url.rpartition(":")[2])) as server:
        server.script(*reply("back"))
        assert text_of(await ask(backend)) == "back"
    await backend.aclose()


@pytest.mark.parametrize("steps", [[stall()], [head(), stall()], [head(), token("one"), stall()]])
async def test_cancelling_closes_the_socket_at_once(
    steps: list[Step], server: ScriptedServer, backend: HttpBackend
) -> None:
    begun = asyncio.Event()

    async def begin(_: object) -> None:
        begun.set()

    server.script(begin, *steps)
    task = asyncio.create_task(ask(backend))
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    start = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.disconnected.wait(), 2)
    assert time.monotonic() - start < 1


async def test_closing_the_generator_closes_the_socket(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), token("one"), stall())
    events = backend.reply(ASKED)
    assert [await anext(events), await anext(events)] == [Accepted(), Delta("one")]
    await events.aclose()
    await asyncio.wait_for(server.disconnected.wait(), 2)


async def test_two_replies_stream_side_by_side(server: ScriptedServer, backend: HttpBackend) -> None:
    gate = asyncio.Event()
    server.script(head(), token("slow"), wait(gate), done(), end())
    server.script(*reply("quick"))
    async with aclosing(backend.reply(ASKED)) as slow:
        assert [await anext(slow), await anext(slow)] == [Accepted(), Delta("slow")]
        assert text_of(await ask(backend)) == "quick"
        gate.set()
        assert isinstance([event async for event in slow][-1], Finished)


async def test_the_models_are_listed(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(answer(200, recorded("tags.txt").body), path="/api/tags")
    models = await backend.models()
    assert [model.name for model in models] == ["tiny-think:latest", "tiny:latest"]
    assert {model.server for model in models} == {"box"}


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (answer(403), Refused),
        (answer(404, b"404 page not found", "text/plain"), Refused),
        (answer(200, b"Ollama is running", "text/plain"), Garbled),
        (answer(500, {"error": "broken"}), ServerFault),
        (answer(200, {"error": "Unexpected endpoint or method. (GET /api/tags)"}), Refused),
    ],
)
async def test_a_list_that_is_not_to_be_had_is_an_error(
    step: Step, kind: type[ReplyError], server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(step, path="/api/tags")
    with pytest.raises(kind):
        await backend.models()


async def test_the_loaded_models_are_listed(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(answer(200, {"models": [{"name": "tiny:latest", "context_length": 4096}]}), path="/api/ps")
    (model,) = await backend.loaded()
    assert (model.name, model.context_window, model.loaded) == ("tiny:latest", 4096, True)


@pytest.mark.parametrize("step", [answer(500, {"error": "x"}), answer(200, b"x"), cut(), stall()])
async def test_loaded_models_that_are_not_told_are_none(
    step: Step, server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(step, path="/api/ps")
    assert await asyncio.wait_for(backend.loaded(), 3) == ()


async def test_a_model_is_described(server: ScriptedServer, backend: HttpBackend) -> None:
    model = await backend.describe("tiny")
    assert (model.name, model.context_window, model.capabilities) == (
        "tiny",
        2048,
        frozenset({"completion", "thinking"}),
    )
    server.script(answer(404, {"error": "model 'nope' not found"}), path="/api/show")
    with pytest.raises(NoSuchModel):
        await backend.describe("nope")


@pytest.mark.parametrize(("template", "exact"), [(OPEN, True), (CLOSED, False)])
async def test_the_template_decides_how_a_cut_reply_goes_on(
    template: str, exact: bool, server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(*reply(" lines"))
    server.script(answer(200, {"template": template}), path="/api/show")
    assert (await ask(backend, RESUMED))[:3] == [Continued(exact), Accepted(), Delta(" lines")]
    (body,) = server.asked()
    expected = [("user", "What are queues?"), ("assistant", "Queues are")]
    assert conversation(body) == (expected if exact else [*expected, ("user", CONTINUE)])
    assert body["think"] is False


async def test_a_template_that_is_not_told_is_continued_in_words(
    server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(*reply(" lines"))
    server.script(answer(404, b"404 page not found", "text/plain"), path="/api/show")
    assert (await ask(backend, RESUMED))[0] == Continued(exact=False)


async def test_stopping_while_finding_out_closes_the_socket(server: ScriptedServer, backend: HttpBackend) -> None:
    begun = asyncio.Event()

    async def begin(_: object) -> None:
        begun.set()

    server.script(begin, stall(), path="/api/show")
    task = asyncio.create_task(ask(backend, RESUMED))
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    await asyncio.wait_for(server.disconnected.wait(), 2)


async def test_nothing_of_a_hostile_server_can_act_on_the_terminal(
    server: ScriptedServer, backend: HttpBackend
) -> None:
    attack = "\x1b]52;c;AAAA\x07\x9b2J\u202e\x00"
    message = {"content": attack, "thinking": attack, "tool_calls": [{"function": {"name": attack}}]}
    server.script(head(), line({"message": message}), line({"done": True, "done_reason": attack}), end())
    server.script(answer(200, {"models": [{"name": attack, "details": {"family": attack}}]}), path="/api/tags")
    values = [*await ask(backend), *await backend.models()]
    shown = "".join(text for value in values for text in texts_in(value))
    assert "]52;c;AAAA" in shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00"} & set(shown)


def texts_in(value: Event | Model) -> list[str]:
    value = replace(value, exact="") if isinstance(value, Delta) else value  # that is for pipes alone
    return [field for field in astuple(value) if isinstance(field, str)]


async def test_a_pipe_can_have_what_the_server_really_sent(server: ScriptedServer, backend: HttpBackend) -> None:
    half = raw(b'{"message": {"content": "\\ud800"}}\n')
    server.script(head(), token("plain"), token("a\r\n\x1b[1mb"), half, done(), end())
    _, *deltas, _ = await ask(backend)
    assert [(delta.text, delta.exact) for delta in deltas if isinstance(delta, Delta)] == [
        ("plain", ""),
        ("a\n␛[1mb", "a\r\n\x1b[1mb"),
        ("�", "�"),
    ]


@pytest.mark.parametrize(("ending", "kind"), [(end(), Garbled), (cut(), Cut)])
async def test_an_answer_without_anything_in_it_is_asked_for_again_only_if_the_line_broke(
    ending: Step, kind: type[ReplyError], server: ScriptedServer, backend: HttpBackend
) -> None:
    server.script(head(), raw(b"\n"), ending)
    assert type((await broken(backend))[1]) is kind
