"""Bodies of requests: the sensible, the senseless and the hostile."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.messages import ChatRequest, Role
from tui_chat.relay.problems import Problem
from tui_chat.relay.requests import Ask, ask_of
from tui_chat.relay.settings import Settings
from tui_chat.servers.dialects.ollama import chat_body
from tui_chat.servers.dialects.relay import chat_body as relay_body

from tests.relay.kit import ScriptedBackend, running, until

PNG = b"\x89PNG\r\n\x1a\n..."
USER = [{"role": "user", "content": "x"}]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["message", "messages", "model", "options", "think", "prefill", "stream", "stop", "n", "tools", "temperature"]
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from([*Role]) | JSON, "content": JSON}, optional={"images": JSON}),
    max_size=3,
)
BODIES = st.dictionaries(FIELDS, JSON | MESSAGES, max_size=6)


def asked(data: bytes) -> Ask:
    return ask_of(data, 8192)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_any_body_is_a_request_or_a_problem_that_can_be_said(data: bytes) -> None:
    try:
        ask = asked(data)
    except Problem as problem:
        assert json.loads(json.dumps(problem.body))["error"]["status"] == 400  # noqa: PT017
    else:
        assert ask.request.messages
        json.dumps(chat_body(ask.request), allow_nan=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"messages": [{"role": "user", "content": NaN}]}',
        b'{"messages": ' + b"1" * 10_000 + b"}",
        b'"' + b'\\"' * 10_000_000,
        b'{"messages": "\\',
        b"{}",
        b'{"messages": []}',
        b'{"messages": [[]]}',
        b'{"messages": [{"content": "x"}]}',
        b'{"messages": [{"role": "root", "content": "x"}]}',
        b'{"messages": [{"role": "user", "content": 1}]}',
        b'{"messages": [{"role": "user", "content": [{"type": "video"}]}]}',
        b'{"model": 1, "messages": [{"role": "user", "content": "x"}]}',
    ],
    ids=range(20),
)
def test_nonsense_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(Problem) as caught:
        asked(data)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_gpu", 1), ("use_mmap", True), ("num_ctx", 8193), ("temperature", "hot"), ("stop", [1]), ("seed", True)],
)
def test_options_that_are_not_the_clients_are_refused(name: str, value: object) -> None:
    with pytest.raises(Problem, match=name):
        asked(json.dumps({"message": "x", "options": {name: value}}).encode())


MANY = 100_000
TEXT = {"type": "text", "text": ""}
PICTURE = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "body",
    [
        {"messages": USER * MANY},
        {"messages": [{"role": "user", "content": [TEXT] * MANY}]},
        {"messages": [{"role": "user", "content": "x", "images": [PICTURE] * MANY}]},
        {"messages": USER, "options": {"stop": ["x"] * 100}},
        {"messages": USER, "stop": ["x"] * 100},
        {"messages": USER, "more": [[]] * MANY},
        {"messages": USER, "more": dict.fromkeys(map(str, range(MANY)), 1)},
    ],
    ids=["messages", "parts", "images", "option", "stop", "lists", "fields"],
)
def test_a_body_has_only_so_many_parts(body: object) -> None:
    with pytest.raises(Problem) as caught:
        asked(json.dumps(body).encode())
    assert caught.value.status == 400


def test_a_long_conversation_has_not_too_many_parts() -> None:
    hello = {"role": "user", "content": 'a, "b", [c], {d}\n\\' * 100}
    assert len(asked(json.dumps({"messages": [hello] * 2000, "model": "m"}).encode()).request.messages) == 2000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tools", [{}]),
        ("functions", [{}]),
        ("n", 2),
        ("logprobs", True),
        ("response_format", {"type": "json_object"}),
    ],
)
def test_what_cannot_be_relayed_is_refused_rather_than_left_out(name: str, value: object) -> None:
    with pytest.raises(Problem, match=name) as caught:
        asked(json.dumps({"messages": USER, name: value}).encode())
    assert caught.value.kind == "unsupported"


def test_openais_options_become_ours() -> None:
    body = {
        "messages": USER,
        "temperature": 0.5,
        "max_completion_tokens": 9,
        "stop": ["a"],
        "user": "x",
        "seed": 1,
    }
    ask = asked(json.dumps(body).encode())
    assert ask.request.options == {"temperature": 0.5, "num_predict": 9, "stop": ["a"], "seed": 1}
    assert ask.stream is None


@pytest.mark.parametrize(
    ("extra", "think"),
    [
        ({}, None),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "high"}, "high"),
        ({"reasoning_effort": "max"}, "max"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
    ],
)
def test_openais_ways_to_ask_for_thinking_become_ours(extra: dict[str, object], think: object) -> None:
    assert asked(json.dumps({"messages": USER, **extra}).encode()).request.think == think


def test_images_come_in_either_form_and_only_as_what_they_are() -> None:
    text = base64.b64encode(PNG).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{text}"}}
    asks = [
        asked(json.dumps({"messages": [{"role": "user", "content": "x", "images": [text]}]}).encode()),
        asked(
            json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}).encode()
        ),
    ]
    for ask in asks:
        (message,) = ask.request.messages
        assert message.text == "x"
        assert [(image.mime, image.blob.data) for image in message.files] == [("image/png", PNG)]
    for bad in (
        "http://10.0.0.1/x.png",
        "data:text/html;base64,eHh4",
        "data:image/png;base64,eHh4",
        "file:///etc/passwd",
    ):
        part = {"type": "image_url", "image_url": {"url": bad}}
        with pytest.raises(Problem):
            asked(json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode())


def test_a_request_survives_the_way_through_the_relay() -> None:
    ask = asked(
        json.dumps(
            {"messages": USER, "model": "m", "think": True, "options": {"seed": 1}, "prefill": "p"}
        ).encode()
    )
    again = asked(json.dumps(relay_body(ask.request)).encode())

    def told(request: ChatRequest) -> object:
        said = [(message.role, message.text) for message in request.messages]
        return request.model, request.options, request.think, request.prefill, said

    assert told(again.request) == told(ask.request)


async def test_the_limit_on_bodies_counts_bytes_whatever_the_headers_say(tokens: Path) -> None:
    chunk = b"3e8\r\n" + b" " * 1000 + b"\r\n"
    async with running(ScriptedBackend(), tokens, Settings(body_bytes=10_000)) as relay:
        declared = await relay.client.post("/api/chat", content=b" " * 10_001)
        assert declared.status_code == 413
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(
            b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + 11 * chunk
        )
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 413 ")
        fine = await relay.client.post("/api/chat", content=b'{"message": "x"}'.ljust(10_000))
        assert fine.status_code == 200
        await until(lambda: not relay.relay.streams.places)


async def test_a_request_that_does_not_come_to_its_end_is_given_up(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens, Settings(body_seconds=0.02)) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        assert not relay.relay.streams.places


@settings(max_examples=8, deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=10))
def test_any_bytes_on_the_socket_leave_the_relay_working(datas: list[bytes]) -> None:
    async def throw() -> None:
        async with running(ScriptedBackend(), Path("/nonexistent/tokens")) as relay:
            starts = (b"", b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\n")
            for start, data in itertools.product(starts, datas):
                reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                writer.write(start + data)
                writer.write_eof()
                await reader.read()
                writer.close()
            assert (await relay.client.post("/api/chat", json={"message": "x"})).status_code == 200

    asyncio.run(throw())
