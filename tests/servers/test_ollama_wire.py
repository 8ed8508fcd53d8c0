"""Ollama's native API: recordings of the real server, and what others may make of it."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tui_chat.errors import Garbled, ReplyError, ServerFault
from tui_chat.events import Delta, Event, Finished, Thinking, ToolCall
from tui_chat.messages import ChatRequest, Message, Role, Usage
from tui_chat.parts import Blob, attached, parts_of
from tui_chat.servers.dialects.ollama import chat_body, model_of, models_of
from tui_chat.servers.dialects.ollama_stream import body_of, events_of
from tui_chat.servers.lines import Lines

from tests.servers.ollama_recordings import STREAMS, recorded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "message": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "content": JSON,
                "thinking": JSON,
                "tool_calls": JSON | st.lists(st.fixed_dictionaries({"function": JSON})),
            },
        ),
        "response": JSON,
        "done": JSON,
        "done_reason": JSON,
        "eval_count": JSON,
        "eval_duration": JSON,
        "error": JSON,
        "models": JSON | st.lists(st.fixed_dictionaries({"name": st.text(), "details": JSON, "size": JSON})),
        "details": JSON | st.fixed_dictionaries({"family": JSON, "context_length": JSON}),
        "capabilities": JSON,
        "model_info": JSON | st.fixed_dictionaries({"llama.context_length": JSON}),
        "modified_at": JSON,
    },
)


def read(chunks: list[bytes]) -> list[Event]:
    lines = Lines()
    raw = [line for chunk in chunks for line in lines.feed(chunk)] + [lines.rest()]
    return [event for line in raw for event in events_of(line)]


def line(value: object) -> bytes:
    return json.dumps(value).encode()


def events_or_error(body: object) -> Sequence[Event | ReplyError]:
    try:
        return events_of(line(body))
    except ReplyError as error:
        return [error]


def text_in(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def is_safe(text: str, *, lines: bool = True) -> bool:
    allowed, bidi = "\n\t" if lines else "", ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    return all(
        char in allowed
        or (unicodedata.category(char) not in ("Cc", "Cs") and unicodedata.bidirectional(char) not in bidi)
        for char in text
    )


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=30))
def test_a_recording_cut_anywhere_gives_the_same_events(name: str, cuts: list[int]) -> None:
    body = recorded(name).body
    places = sorted(min(cut, len(body)) for cut in cuts)
    chunks = [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]
    whole = read([body])
    assert read(chunks) == whole
    assert isinstance(whole[-1], Finished)
    assert sum(isinstance(event, Finished) for event in whole) == 1


def test_every_recorded_stream_is_tried() -> None:
    assert len(STREAMS) == 13
    assert {"chat-stream.txt", "chat-think.txt", "chat-emoji.txt", "generate-stream.txt"} <= set(STREAMS)


def test_a_recorded_reply_is_read() -> None:
    events = read([recorded("chat-stream.txt").body])
    assert text_in(events).startswith("In short, ")
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stop"


def test_recorded_thinking_comes_apart_from_the_answer_and_before_it() -> None:
    events = read([recorded("chat-think.txt").body])
    kinds = [type(event) for event in events]
    assert kinds[0] is Thinking
    assert kinds[-1] is Finished
    assert kinds.index(Delta) == len([kind for kind in kinds if kind is Thinking])
    assert "<think>" not in text_in(events)


def test_the_final_line_gives_counts_and_seconds() -> None:
    events = read([recorded("chat-length.txt").body])
    assert events == [
        Delta("# Que"),
        Finished("length", Usage(13, 4, 0.002831475, 0.000860981, 0.004270673)),
    ]


def test_an_answer_that_only_loads_ends_with_its_own_reason() -> None:
    assert read([recorded("load-chat.txt").body]) == [Finished("load", None)]


def test_thinking_and_content_in_one_line_come_in_that_order_with_the_end_last() -> None:
    message = {
        "content": "So",
        "thinking": "Hm",
        "tool_calls": [{"function": {"name": "add", "arguments": {"a": 1, "b": "é"}}}],
    }
    assert events_of(line({"message": message, "done": True})) == [
        Thinking("Hm"),
        Delta("So"),
        ToolCall("add", '{"a": 1, "b": "é"}'),
        Finished("stop", None),
    ]


def test_a_line_without_anything_gives_nothing() -> None:
    assert (
        events_of(b"") == events_of(b" \r") == events_of(line({"message": {"content": ""}, "done": False})) == []
    )


def test_only_true_is_an_end_marker() -> None:
    assert events_of(line({"done": "true"})) == []
    assert events_of(line({"done": 1})) == []


def test_bytes_that_are_not_utf8_do_not_end_the_reply() -> None:
    assert events_of(b'{"message":{"content":"caf\xe9"}}') == [Delta("caf�")]


@pytest.mark.parametrize("data", [b"<html>", b"null", b"[]", b"3", b'"text"', b"data: {}", b"{", b"[" * 100_000])
def test_a_line_that_is_not_an_object_is_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        events_of(data)


def test_a_garbled_line_is_quoted_safely_and_shortly() -> None:
    with pytest.raises(Garbled) as caught:
        events_of(b"\x1b]0;owned\x07" + b"x" * 1000)
    assert is_safe(str(caught.value), lines=False)
    assert len(str(caught.value)) < 150


def test_an_error_line_is_a_fault_of_the_server() -> None:
    with pytest.raises(ServerFault, match="boom") as caught:
        events_of(line({"error": "boom\x1b[31m"}))
    assert is_safe(str(caught.value))
    assert caught.value.hint


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS)
@example(
    {"message": {"content": "\x1b[31m\x9b\u202e\ud800", "thinking": "\x07"}, "done": True, "done_reason": "\x1b"}
)
def test_whatever_a_line_holds_the_events_are_safe_to_show(body: dict[str, object]) -> None:
    for event in events_or_error(body):
        match event:
            case ReplyError():
                assert is_safe(str(event) + event.hint, lines=False)
            case Delta(text) | Thinking(text):
                assert is_safe(text)
            case ToolCall(name, arguments):
                assert is_safe(name, lines=False)
                assert is_safe(arguments)
            case Finished(reason, usage):
                assert is_safe(reason, lines=False)
                assert usage is None or usage.reply_tokens is None or usage.reply_tokens >= 0


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS, st.text())
def test_whatever_a_list_holds_the_models_are_safe_to_show(body: dict[str, object], name: str) -> None:
    for model in [*models_of(body), model_of(body, name)]:
        texts = (
            model.name,
            model.family,
            model.parameters,
            model.quantization,
            model.modified,
            *model.capabilities,
        )
        assert all(is_safe(text, lines=False) for text in texts)
        assert model.context_window is None or model.context_window > 0


def test_the_recorded_models_are_listed_newest_first() -> None:
    think, tiny = models_of(body_of(recorded("tags.txt").body), "box")
    assert (think.name, tiny.name) == ("tiny-think:latest", "tiny:latest")
    assert (tiny.size, tiny.family, tiny.parameters, tiny.server) == (4086639, "llama", "1.02M", "box")
    assert tiny.capabilities == frozenset()
    assert not tiny.loaded


def test_a_recorded_model_is_described() -> None:
    model = model_of(body_of(recorded("show-think.txt").body), "tiny-think")
    assert model.context_window == 2048
    assert "completion" in model.capabilities


def test_a_loaded_model_tells_the_window_it_was_loaded_with() -> None:
    (model,) = models_of({"models": [{"name": "m", "context_length": 4096, "size_vram": 0}]}, loaded=True)
    assert model.context_window == 4096
    assert model.loaded
    (recorded_model,) = models_of(body_of(recorded("ps.txt").body), loaded=True)
    assert recorded_model.context_window is None  # 0.9.3 does not tell


def test_a_new_list_tells_window_and_capabilities() -> None:
    (model,) = models_of(
        {
            "models": [
                {"model": "m", "details": {"context_length": 32768}, "capabilities": ["vision", None, "tools"]}
            ]
        }
    )
    assert (model.name, model.context_window, model.capabilities) == ("m", 32768, frozenset({"vision", "tools"}))


@pytest.mark.parametrize("body", [{}, {"models": None}, {"models": "no"}, {"models": [None, {}, {"name": None}]}])
def test_a_list_of_nothing_is_empty(body: dict[str, object]) -> None:
    assert models_of(body) == []


def test_a_request_holds_the_whole_conversation() -> None:
    image = attached("cat.png", "image/png", Blob.of(b"\x89PNG"))
    note = attached("note.txt", "text/plain", Blob.of(b"no image"))
    request = ChatRequest(
        "tiny",
        (
            Message(Role.SYSTEM, parts_of("Be brief.")),
            Message(Role.USER, parts_of("What is it?", files=(image, note))),
            Message(Role.ASSISTANT, parts_of("A cat.", "Whiskers.")),
            Message(Role.USER, parts_of("Sure?")),
        ),
        options={"seed": 1},
        think="high",
    )
    assert chat_body(request) == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": "What is it?\n\nnote.txt:\n```\nno image\n```",
                "images": [base64.b64encode(b"\x89PNG").decode()],
            },
            {"role": "assistant", "content": "A cat.", "thinking": "Whiskers."},
            {"role": "user", "content": "Sure?"},
        ],
        "stream": True,
        "options": {"seed": 1},
        "think": "high",
    }


def test_what_was_not_asked_for_is_left_to_the_server() -> None:
    assert chat_body(ChatRequest("tiny", (Message(Role.USER, parts_of("Hi")),))).keys() == {
        "model",
        "messages",
        "stream",
    }
    assert chat_body(ChatRequest("tiny", (), think=False))["think"] is False
    for kept, sent in [("5m", "5m"), ("-1", -1), ("300", 300)]:
        assert chat_body(ChatRequest("tiny", (), keep_alive=kept))["keep_alive"] == sent
