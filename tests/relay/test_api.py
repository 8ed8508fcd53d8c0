"""What the relay answers, in each of its dialects."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tui_chat.errors import Busy, Cut, NoSuchModel, ReplyError, ServerFault, TooLong, Unauthorized, Unreachable
from tui_chat.events import Accepted, Continued, Delta, Finished, Thinking, WasThinking
from tui_chat.messages import Role
from tui_chat.relay.settings import Settings

from tests.relay.kit import HELLO_BODY, MODEL, ScriptedBackend, events_of, objects_of, running, until


async def test_a_chat_is_answered_as_events_with_ids_in_order(tokens: Path) -> None:
    backend = ScriptedBackend()
    async with running(backend, tokens) as relay, relay.chat({"message": "Hi"}) as response:
        events = [event async for event in events_of(response)]
    assert [json.loads(event.data) for event in events] == [
        {"accepted": True},
        {"delta": "Hel"},
        {"delta": "lo"},
        {"done": True, "reason": "stop", "usage": {"prompt_tokens": 7, "reply_tokens": 2, "reply_seconds": 0.5}},
    ]
    assert [event.id for event in events] == ["1", "2", "3", "4"]
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert "x-stream-id" not in response.headers


async def test_a_message_becomes_a_conversation_with_the_first_model(tokens: Path) -> None:
    backend = ScriptedBackend()
    async with running(backend, tokens) as relay:
        await relay.client.post("/api/chat", json={"message": "Hi"})
    (request,) = backend.requests
    assert request.model == MODEL.name
    assert [(message.role, message.text) for message in request.messages] == [(Role.USER, "Hi")]


async def test_the_configured_model_is_asked_before_the_first(tokens: Path) -> None:
    backend = ScriptedBackend()
    async with running(backend, tokens, Settings(model="mine")) as relay:
        await relay.client.post("/api/chat", json={"message": "Hi"})
    assert backend.requests[0].model == "mine"


async def test_messages_options_thinking_and_prefill_reach_the_server(tokens: Path) -> None:
    backend = ScriptedBackend((Continued(True), Accepted(), Delta("c"), Finished()))
    body = {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "abc"}],
        "options": {"temperature": 0, "num_ctx": 4096},
        "think": "low",
        "prefill": "ab",
    }
    async with running(backend, tokens) as relay, relay.chat(body) as response:
        assert (await objects_of(response))[0] == {"continued": True}
    (request,) = backend.requests
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert (request.options, request.think, request.prefill) == ({"temperature": 0, "num_ctx": 4096}, "low", "ab")


async def test_headers_leave_before_the_first_word_and_silence_is_filled(tokens: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((go.wait, Accepted(), Delta("x"), Finished()))
    settings = Settings(verdict=0.02, silence=0.02)
    async with running(backend, tokens, settings) as relay, relay.chat(HELLO_BODY) as response:
        chunks = response.aiter_bytes()
        heard = b"".join([await anext(chunks) for _ in range(3)])
        assert set(heard.split(b"\n\n")) == {b": still here", b""}
        go.set()
        rest = b"".join([chunk async for chunk in chunks])
    assert b'data: {"delta":"x"}' in rest


async def test_a_refusal_is_a_status_as_long_as_nothing_was_sent(tokens: Path) -> None:
    for error, status, kind, message in (
        (NoSuchModel("No such model.", "Get it.", status=404), 404, "no_such_model", "No such model."),
        (TooLong("Too long.", status=400), 400, "too_long", "Too long."),
        (Busy("Later.", status=429, retry_after=2.5), 503, "busy", "The server behind the relay is busy."),
        (ServerFault("Out of memory."), 502, "server_fault", "The server behind the relay failed."),
    ):
        async with running(ScriptedBackend((error,)), tokens) as relay:
            for path in ("/api/chat", "/v1/chat/completions"):
                answer = await relay.client.post(
                    path, json={**HELLO_BODY, "messages": [{"role": "user", "content": "x"}]}
                )
                assert answer.status_code == status
                told = answer.json()["error"]
                assert (told["type"], told["message"]) == (kind, message)
                assert answer.headers.get("retry-after") == ("3" if kind == "busy" else None)


async def test_what_names_the_server_behind_is_not_passed_on(tokens: Path) -> None:
    errors: tuple[ReplyError, ...] = (
        Unreachable("Nothing answers at http://10.0.0.9:11434."),
        Unauthorized("http://10.0.0.9 wants a key", status=401),
        Cut("http://10.0.0.9 closed the connection."),
        ServerFault("upstream 10.0.0.9: bad key sk-1234567890"),
        Busy("connect error: 10.0.0.9:8000", status=503),
    )
    for error in errors:
        async with running(ScriptedBackend((error,)), tokens) as relay:
            answer = await relay.client.post("/api/chat", json=HELLO_BODY)
            relay.backend.script = (Accepted(), Delta("x"), error)
            late = await relay.client.post("/api/chat", json=HELLO_BODY)
        assert answer.status_code == (503 if isinstance(error, Busy) else 502)
        assert "error" in late.text
        for text in (answer.text, late.text):
            assert "10.0.0.9" not in text
            assert "sk-" not in text


async def test_an_error_after_the_first_word_is_said_in_the_stream(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), Delta("Hel"), ServerFault("It crashed.", "Look.")))
    async with running(backend, tokens) as relay:
        async with relay.chat(HELLO_BODY) as response:
            last = (await objects_of(response))[-1]
        async with relay.chat(
            {"messages": [{"role": "user", "content": "x"}], "stream": True}, "/v1/chat/completions"
        ) as response:
            datas = [event.data async for event in events_of(response)]
    error = last["error"]
    assert isinstance(error, dict)
    assert (error["message"], error["hint"]) == ("The server behind the relay failed.", "Look.")
    assert error["type"] == "server_fault"
    assert json.loads(datas[-2])["error"]["message"] == error["message"]
    assert datas[-1] == "[DONE]"


async def test_a_reply_without_its_end_is_an_error_and_never_done(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), Delta("Hel")))
    async with running(backend, tokens) as relay, relay.chat(HELLO_BODY) as response:
        told = await objects_of(response)
    assert "error" in told[-1]
    assert not any("done" in item for item in told)


async def test_an_error_that_nobody_expected_is_never_an_empty_success(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def surprise() -> None:
        raise OverflowError("secret-number")

    script = (Accepted(), Delta("half"), surprise)
    body = {"messages": [{"role": "user", "content": "x"}]}
    async with running(ScriptedBackend(script), tokens) as relay:
        whole = await relay.client.post("/v1/chat/completions", json=body)
        async with relay.chat(HELLO_BODY) as response:
            told = await objects_of(response)
        assert not relay.relay.streams.places
    assert (whole.status_code, whole.json()["error"]["type"]) == (502, "server_fault")
    assert told[:-1] == [{"accepted": True}, {"delta": "half"}]
    assert "error" in told[-1]
    assert "OverflowError" in caplog.text
    assert "secret" not in caplog.text + whole.text + str(told)


async def test_a_reply_that_was_broken_off_from_within_is_never_an_empty_success(tokens: Path) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    body = {"messages": [{"role": "user", "content": "x"}]}
    async with running(ScriptedBackend((Accepted(), Delta("half"), cancelled)), tokens) as relay:
        answer = await relay.client.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "cut")


async def test_a_reply_that_takes_too_long_is_ended(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), Delta("x"), asyncio.Event().wait))
    async with running(backend, tokens, Settings(duration=0.05)) as relay, relay.chat(HELLO_BODY) as response:
        told = await objects_of(response)
        await until(backend.closed.is_set)
    error = told[-1]["error"]
    assert isinstance(error, dict)
    assert "longer than" in str(error["message"])


@pytest.mark.parametrize("stream", [True, False])
async def test_openai_completions_have_openais_form(tokens: Path, stream: bool) -> None:
    script = (Accepted(), Thinking("Hm"), Delta("Hello"), Finished("length"))
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    backend = ScriptedBackend(script)
    async with running(backend, tokens) as relay, relay.chat(body, "/v1/chat/completions") as response:
        told = await objects_of(response) if stream else [json.loads(await response.aread())]
    assert {item["object"] for item in told} == {"chat.completion.chunk" if stream else "chat.completion"}
    assert {item["model"] for item in told} == {"m"}
    choices = [item["choices"][0] for item in told]  # type: ignore[index]
    assert choices[-1]["finish_reason"] == "length"
    if stream:
        assert [choice["delta"] for choice in choices] == [
            {"role": "assistant", "content": ""},
            {"reasoning": "Hm"},
            {"content": "Hello"},
            {},
        ]
    else:
        (choice,) = choices
        assert choice["message"] == {"role": "assistant", "content": "Hello", "reasoning": "Hm"}


async def test_openai_usage_comes_when_it_is_asked_for(tokens: Path) -> None:
    body: dict[str, object] = {"stream": True, "messages": [{"role": "user", "content": "x"}]}
    async with running(ScriptedBackend(), tokens) as relay:
        async with relay.chat(body, "/v1/chat/completions") as response:
            assert all(item["choices"] for item in await objects_of(response))
        body["stream_options"] = {"include_usage": True}
        async with relay.chat(body, "/v1/chat/completions") as response:
            last = (await objects_of(response))[-1]
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


async def test_an_answer_that_was_thinking_all_along_is_told_apart(tokens: Path) -> None:
    script = (Accepted(), Delta("Hm"), WasThinking(), Delta("Yes"), Finished())
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    async with running(ScriptedBackend(script), tokens) as relay:
        answer = (await relay.client.post("/v1/chat/completions", json=body)).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Yes", "reasoning": "Hm"}


async def test_clients_of_ollama_get_ollamas_lines(tokens: Path) -> None:
    script = (Accepted(), Thinking("Hm"), Delta("Hi"), Finished())
    headers = {"accept": "application/json"}
    async with running(ScriptedBackend(script), tokens) as relay:
        streamed = await relay.client.post("/api/chat", json=HELLO_BODY, headers=headers)
        whole = await relay.client.post("/api/chat", json={**HELLO_BODY, "stream": False}, headers=headers)
    lines = [json.loads(line) for line in streamed.text.splitlines()]
    assert [line["message"].get("thinking", "") for line in lines] == ["Hm", "", ""]
    assert [line["message"]["content"] for line in lines] == ["", "Hi", ""]
    assert [line["done"] for line in lines] == [False, False, True]
    assert whole.json()["message"] == {"role": "assistant", "content": "Hi", "thinking": "Hm"}
    assert whole.json()["done_reason"] == "stop"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/json, text/plain, */*", "text/event-stream"),
        ("application/json, text/event-stream", "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("", "text/event-stream"),
        ("Application/JSON; q=1", "application/x-ndjson"),
        ("application/x-ndjson, application/json", "application/x-ndjson"),
    ],
)
async def test_whoever_takes_more_than_json_gets_events(tokens: Path, accept: str, media: str) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        answer = await relay.client.post("/api/chat", json=HELLO_BODY, headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media


async def test_models_are_listed_and_described(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        (entry,) = (await relay.client.get("/v1/models")).json()["data"]
        assert (await relay.client.get("/v1/models/tiny:latest")).json() == entry
        assert (await relay.client.get("/v1/models/a/b")).status_code == 404
    assert (entry["id"], entry["object"], entry["owned_by"]) == ("tiny:latest", "model", "tui-chat-relay")
    assert entry["created"] == 1795198764


async def test_nothing_else_of_the_server_can_be_reached(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        for method, path in (
            ("POST", "/api/pull"),
            ("DELETE", "/api/delete"),
            ("POST", "/api/create"),
            ("GET", "/api/tags"),
            ("GET", "/api/chat"),
            ("DELETE", "/v1/models/tiny:latest"),
            ("POST", "/v1/completions"),
            ("GET", "/"),
            ("GET", "//api/tags"),
            ("GET", "/v1/models/"),
        ):
            answer = await relay.client.request(method, path)
            assert answer.status_code in (404, 405), (method, path)
            assert "error" in answer.json()
    assert relay.backend.requests == []


async def test_health_tells_what_this_is(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens, demand=True) as relay:
        body = (await relay.client.get("/health")).json()
    assert (body["service"], body["status"]) == ("tui-chat-relay", "ok")
