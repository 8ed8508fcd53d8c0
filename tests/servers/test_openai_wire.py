"""Chat completions: requests to JSON, and every way in which servers stream a reply."""

from __future__ import annotations

import itertools
import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_chat.errors import Busy, Cut, Garbled, NoSuchModel, ReplyError, ServerFault, TooLong
from tui_chat.events import Delta, Event, Finished, PromptProgress, Thinking, ToolCall, WasThinking
from tui_chat.messages import ChatRequest, Message, Role, Usage
from tui_chat.parameters import PARAMETERS, Parameters
from tui_chat.parts import Blob, attached, parts_of
from tui_chat.server import Flavour
from tui_chat.servers.client import Call
from tui_chat.servers.dialect import Ask
from tui_chat.servers.dialects.openai import chat_body, takes
from tui_chat.servers.dialects.openai_stream import ReplyDecoder

from tests.servers.openai_recordings import STREAMS, recorded

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def read(*chunks: bytes, resumed: bool = False) -> tuple[list[Event], ReplyError | None]:
    """The events of a stream, and the error that ended it; neighbouring pieces of text are joined."""
    events: list[Event] = []
    reply = ReplyDecoder(Ask(Call(""), exact=resumed))
    try:
        for chunk in chunks:
            events.extend(reply.feed(chunk))
        events.extend(reply.close(Cut("The line broke.")))
    except ReplyError as error:
        return joined(events), error
    return joined(events), None


def joined(events: list[Event]) -> list[Event]:
    result: list[Event] = []
    for event in events:
        match result[-1:], event:
            case [Delta(before)], Delta(text):
                result[-1] = Delta(before + text)
            case [Thinking(before)], Thinking(text):
                result[-1] = Thinking(before + text)
            case _:
                result.append(event)
    return result


def sse(*chunks: object) -> bytes:
    return b"".join(
        b"data: " + (json.dumps(c).encode() if isinstance(c, dict) else str(c).encode()) + b"\n\n" for c in chunks
    )


def delta(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def events_of(*chunks: object) -> list[Event]:
    events, error = read(sse(*chunks))
    assert error is None
    return events


def error_of(*chunks: object) -> ReplyError:
    _, error = read(sse(*chunks))
    assert error is not None
    return error


# Streams


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=4, deadline=None)
@given(cuts=st.lists(st.integers(min_value=0, max_value=1 << 20), max_size=10))
def test_a_recording_gives_the_same_reply_however_it_is_cut(name: str, cuts: list[int]) -> None:
    body = recorded(name).body
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    whole, error = read(body)
    assert error is None
    assert isinstance(whole[-1], Finished)
    assert any(isinstance(event, Delta) for event in whole)
    assert read(*(body[a:b] for a, b in itertools.pairwise(edges))) == (whole, None)


@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_cut_short_is_never_done(name: str) -> None:
    body = recorded(name).body
    end = body.index(b'"finish_reason":"') if b'"finish_reason":"' in body else body.index(b'"finish_reason": "')
    for place in range(0, end, max(1, end // 40)):
        assert isinstance(read(body[:place])[1], Cut)


def test_llama_cpp_tells_usage_and_times() -> None:
    events, _ = read(recorded("llamacpp-chat-emoji.txt").body)
    assert events[0] == Delta("Hello! 🎉 How can I help you today?")
    assert events[-1] == Finished("stop", Usage(6, 19, None, 0.006477, 0.09008200000000001))


def test_inline_thinking_of_real_servers_is_told_apart() -> None:
    events, _ = read(recorded("llamacpp-chat-system.txt").body)
    assert events[0] == Thinking("I should read the items. Let me think.\n")
    assert isinstance(events[1], Delta)
    assert events[1].text.startswith("# Kites\n\nMost people")


def test_a_role_null_content_and_an_empty_one_are_no_text() -> None:
    assert events_of(delta(role="assistant", content=None), delta(content=""), delta(content="a"), STOP) == [
        Delta("a"),
        Finished("stop"),
    ]


def test_the_usage_chunk_has_no_choices() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    assert events_of(delta(content="a") | {"usage": None}, STOP, usage, "[DONE]")[-1] == Finished(
        "stop", Usage(3, 4)
    )


def test_timings_alone_tell_the_usage_with_the_cache() -> None:
    timings = {
        "timings": {"cache_n": 100, "prompt_n": 5, "predicted_n": 7, "prompt_ms": 50, "predicted_ms": 700.0}
    }
    assert events_of(STOP | timings) == [Finished("stop", Usage(105, 7, None, 0.05, 0.7))]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_thinking_has_two_names(name: str) -> None:
    assert events_of(delta(**{name: "hm"}), delta(content="a"), STOP)[:2] == [Thinking("hm"), Delta("a")]


def test_thinking_by_both_names_counts_once_unless_it_differs() -> None:
    assert events_of(delta(reasoning="hm", reasoning_content="hm"), STOP)[0] == Thinking("hm")
    assert events_of(delta(reasoning="h", reasoning_content="m"), STOP)[0] == Thinking("hm")


def test_thinking_and_answer_may_share_a_chunk() -> None:
    assert events_of(delta(reasoning_content="hm", content="a"), STOP)[:2] == [Thinking("hm"), Delta("a")]


def test_an_opening_tag_in_the_prompt_shows_by_the_closing_one() -> None:
    assert events_of(delta(content="hm\n</th"), delta(content="ink>\n\na"), STOP)[:3] == [
        Delta("hm"),
        WasThinking(),
        Delta("a"),
    ]


def test_a_resumed_answer_has_no_thinking_tags() -> None:
    assert read(sse(delta(content="<think>a"), STOP), resumed=True)[0][0] == Delta("<think>a")


def test_tool_calls_come_in_pieces_by_index() -> None:
    def part(index: int, **function: str) -> dict[str, object]:
        return {"index": index, "function": function}

    events = events_of(
        delta(tool_calls=[{"index": 0, "id": "x", "function": {"name": "look", "arguments": ""}}]),
        delta(tool_calls=[part(0, arguments='{"a"'), part(1, name="go", arguments="{")]),
        delta(tool_calls=[part(0, name="look", arguments=":1}")]),
        delta(tool_calls=[part(1, name="", arguments="}")]),
        STOP,
    )
    assert events == [ToolCall("look", '{"a":1}'), ToolCall("go", "{}"), Finished("stop")]


def test_tool_calls_without_index_are_told_apart_by_id() -> None:
    def call(key: str) -> dict[str, object]:
        return {"id": key, "function": {"name": "look", "arguments": {"a": key}}}

    assert events_of(delta(tool_calls=[call("x"), call("y")]), STOP)[:2] == [
        ToolCall("look", '{"a": "x"}'),
        ToolCall("look", '{"a": "y"}'),
    ]
    assert len(events_of(delta(tool_calls=[call("x")]), delta(tool_calls=[call("y")]), STOP)) == 3


def test_pieces_of_a_tool_call_without_index_are_joined() -> None:
    def part(**function: str) -> dict[str, object]:
        return {"function": function}

    events = events_of(
        delta(tool_calls=[{"index": 1, "function": {"name": "first", "arguments": "{}"}}]),
        delta(tool_calls=[part(name="get", arguments='{"x"')]),
        delta(tool_calls=[part(arguments=": 1}")]),
        STOP,
    )
    assert events == [ToolCall("first", "{}"), ToolCall("get", '{"x": 1}'), Finished("stop")]


def test_tools_called_before_a_cut_are_not_called() -> None:
    events, error = read(sse(delta(tool_calls=[{"index": 0, "function": {"name": "rm", "arguments": '{"pa'}}])))
    assert (events, type(error)) == ([], Cut)


def test_a_missing_done_does_not_matter_but_a_missing_finish_does() -> None:
    assert events_of(delta(content="a"), STOP) == [Delta("a"), Finished("stop")]
    assert isinstance(error_of(delta(content="a"), "[DONE]"), Cut)
    assert isinstance(error_of(delta(content="a")), Cut)
    assert isinstance(error_of(), Cut)


def test_nothing_counts_after_done() -> None:
    assert events_of(delta(content="a"), STOP, " [DONE] ", delta(content="b")) == [Delta("a"), Finished("stop")]


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter", "function_call"])
def test_the_reason_is_the_servers_own(reason: str) -> None:
    assert events_of({"choices": [{"delta": {}, "finish_reason": reason}]}) == [Finished(reason)]


def test_an_aborted_reply_is_cut_and_a_failed_one_a_fault() -> None:
    assert isinstance(error_of({"choices": [{"delta": {}, "finish_reason": "abort"}]}, "[DONE]"), Cut)
    assert isinstance(error_of({"choices": [{"delta": {}, "finish_reason": "error"}]}, "[DONE]"), ServerFault)


def test_only_the_first_choice_counts() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]}
    assert isinstance(error_of(delta(content="a"), other), Cut)


def test_a_whole_completion_is_a_reply() -> None:
    for name in ("v1-chat-nostream.txt", "llamacpp-chat-nostream.txt", "lcpp-chat-nostream.txt"):
        events, error = read(recorded(name).body)
        assert error is None
        assert isinstance(events[0], Delta)
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == "length"
        assert events[-1].usage


def test_a_surrogate_pair_split_between_chunks_is_joined() -> None:
    raw = (
        b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"\\ude80b","reasoning":"\\ud83d"}}]}\n\n'
        b'data: {"choices":[{"delta":{"reasoning":"\\ude80","content":"\\ude80\\ud83d"},"finish_reason":"stop"}]}\n\n'
    )
    events, _ = read(raw)
    text = "".join(event.text for event in events if isinstance(event, Delta))
    assert text == "a🚀b��"
    assert "".join(event.text for event in events if isinstance(event, Thinking)) == "🚀"


def test_prompt_progress_is_told() -> None:
    progress = {"choices": [], "prompt_progress": {"total": 100, "cache": 10, "processed": 40, "time_ms": 5}}
    assert events_of(progress, STOP)[0] == PromptProgress(40, 100)


def test_no_control_character_gets_through() -> None:
    events = events_of(
        delta(content="a\x1b]52;c;x\x07", reasoning="\x9b31m"),
        delta(tool_calls=[{"function": {"name": "\x1b[31m", "arguments": "\x1bc"}}]),
        {"choices": [{"delta": {}, "finish_reason": "\x1b[2J"}]},
    )
    assert not any("\x1b" in repr(event) or "\\x1b" in repr(event) or "\\x9b" in repr(event) for event in events)


# Errors in the stream


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (b'data: {"error":{"message":"out of memory","type":"server_error","code":500}}\n\ndata: [DONE]\n\n', ServerFault, "out of memory"),
        (b'error: {"code":500,"message":"slot lost","type":"server_error"}\n\ndata: [DONE]\n\n', ServerFault, "slot lost"),
        (b'event: error\ndata: {"error":{"message":"model crashed"}}\n\n', ServerFault, "model crashed"),
        (b'event: error\ndata: {"message":"it went away"}\n\n', ServerFault, "it went away"),
        (b"event: error\ndata: it went away\n\n", ServerFault, "it went away"),
        (b'data: {"error":"Model unloaded"}\n\n', ServerFault, "Model unloaded"),
        (b'data: {"error":{}}\n\n', ServerFault, "reported an error"),
        (b'{"error":{"message":"The model `x` does not exist","code":404}}', NoSuchModel, "does not exist"),
        (b'data: {"object":"error","message":"maximum context length is 2048 tokens","code":400}\n\n', TooLong, "2048"),
        (b'data: {"error":{"message":"slow down","code":429}}\n\n', Busy, "slow down"),
        (b'data: {"choices":[{"delta":{},"finish_reason":"error","error":{"message":"provider down","code":502}}]}\n\n', ServerFault, "provider down"),
    ],
)  # fmt: skip
def test_an_error_in_the_middle_keeps_what_came(raw: bytes, kind: type[ReplyError], words: str) -> None:
    events, error = read(sse(delta(content="so far\n</th")) + raw)
    assert events == [Delta("so far\n</th")]
    assert type(error) is kind
    assert words in str(error)
    assert error.hint


@pytest.mark.parametrize("raw", ["{", "[]", "7", "nonsense", "[" * 100_000, '{"a":' + "9" * 5000 + "}"])
def test_what_is_not_the_protocol_is_garbled(raw: str) -> None:
    assert isinstance(error_of(raw), Garbled)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet="a\x1b\x9b\u202e\ud83d<think>/\n", max_size=12),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "content", "reasoning", "tool_calls", "function", "name", "arguments", "id", "index", "usage", "timings", "prompt_n", "prompt_ms", "finish_reason", "error", "message", "code", "detail", "object", "type", "prompt_progress", "total"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    chunks=st.lists(
        JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n")
        | JSON.map(lambda value: b'data: {"choices":[{"delta":' + json.dumps(value).encode() + b"}]}\n\n")
        | st.binary(max_size=30)
        | st.sampled_from(
            [b"data: ", b"error: ", b"event: error\n", b"\n", sse(STOP), sse(delta(content="<th\x1b\x9b"))]
        ),
        max_size=8,
    )
)
def test_hostile_bytes_raise_nothing_but_reply_errors_and_yield_nothing_that_controls(chunks: list[bytes]) -> None:
    events, error = read(*chunks)
    shown = [text for event in events for text in vars_of(event)] + [str(error), error.hint if error else ""]
    for text in shown:
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert error is not None or isinstance(events[-1], Finished)


def vars_of(event: Event) -> list[str]:
    values = [getattr(event, name) for name in event.__slots__ if name != "exact"]  # that is for pipes alone
    return [value for value in values if isinstance(value, str)]


# Requests


USER = Message(Role.USER, parts_of("What are queues?"))


def test_a_conversation_becomes_messages() -> None:
    body = chat_body(
        ChatRequest(
            "m", (Message(Role.SYSTEM, parts_of("Be kind.")), USER, Message(Role.ASSISTANT, parts_of("Lines.")))
        )
    )
    assert body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "What are queues?"},
            {"role": "assistant", "content": "Lines."},
        ],
    }


def test_images_go_as_data_urls_and_texts_in_fences() -> None:
    files = (attached("a.png", "image/png", Blob.of(b"\x89PNG")), attached("a.txt", "text/plain", Blob.of(b"x")))
    body = chat_body(ChatRequest("m", (Message(Role.USER, parts_of("see", files=files)),)))
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see\n\na.txt:\n```\nx\n```"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("flavour", "names"),
    [
        (Flavour.UNKNOWN, {"max_tokens", "temperature", "seed", "stop"}),
        (Flavour.OPENAI, {"max_completion_tokens", "temperature", "seed", "stop"}),
        (Flavour.LLAMACPP, {"max_tokens", "temperature", "seed", "stop", "top_k", "min_p", "repeat_penalty", "n_keep", "return_progress"}),
        (Flavour.VLLM, {"max_tokens", "temperature", "seed", "stop", "top_k", "min_p", "repetition_penalty"}),
        (Flavour.LMSTUDIO, {"max_tokens", "temperature", "seed", "stop", "top_k", "min_p", "repeat_penalty"}),
    ],
)  # fmt: skip
def test_options_have_the_servers_names(flavour: Flavour, names: set[str]) -> None:
    options = {
        "num_predict": 5, "temperature": 0.5, "seed": 1, "stop": ["x"], "top_k": 3, "min_p": 0.1,
        "repeat_penalty": 1.1, "num_keep": 4, "num_ctx": 8192, "num_gpu": 1,
    }  # fmt: skip
    body = chat_body(ChatRequest("m", (USER,), options), flavour)
    assert set(body) - {"model", "messages", "stream", "stream_options"} == names


@pytest.mark.parametrize("flavour", Flavour)
def test_what_a_server_is_said_to_take_is_what_is_sent(flavour: Flavour) -> None:
    own = Parameters(0.5, 0.9, 40, 0.1, 1.1, 7, 512, 64, ("END",), "5m", "low", "json")
    sent = set()
    for name in PARAMETERS:
        only = own.only({name})
        request = ChatRequest(
            "m", (), only.options, only.think, format=only.schema, keep_alive=only.keep_alive or ""
        )
        if chat_body(request, flavour) != chat_body(ChatRequest("m", ()), flavour):
            sent.add(name)
    assert sent == set(takes(flavour))


def test_ollamas_negative_values_for_no_limit_are_left_out() -> None:
    body = chat_body(ChatRequest("m", (USER,), {"num_predict": -1, "seed": -1, "temperature": None}))
    assert set(body) == {"model", "messages", "stream", "stream_options"}


def test_thinking_is_switched_in_the_template_where_there_is_one() -> None:
    def asked(think: bool | str | None, flavour: Flavour) -> dict[str, object]:
        body = chat_body(ChatRequest("m", (USER,), think=think), flavour)
        return {key: body[key] for key in ("chat_template_kwargs", "reasoning_effort") if key in body}

    assert asked(None, Flavour.VLLM) == {}
    assert asked(False, Flavour.VLLM) == {"chat_template_kwargs": {"enable_thinking": False}}
    assert asked("low", Flavour.LLAMACPP) == {"chat_template_kwargs": {"reasoning_effort": "low"}}
    assert asked("low", Flavour.OPENAI) == {"reasoning_effort": "low"}
    for flavour in (Flavour.OPENAI, Flavour.OPENWEBUI, Flavour.UNKNOWN):
        assert asked(False, flavour) == {"reasoning_effort": "none"}
        assert asked(True, flavour) == asked(None, flavour) == {}
    assert asked(False, Flavour.LMSTUDIO) == {"reasoning_effort": "none"}
    assert asked(True, Flavour.LMSTUDIO) == {"reasoning_effort": "medium"}
    assert asked(None, Flavour.LMSTUDIO) == {}


@pytest.mark.parametrize(
    ("flavour", "names"),
    [
        (Flavour.VLLM, {"reasoning_content", "reasoning"}),
        (Flavour.LLAMACPP, {"reasoning_content"}),
        (Flavour.SGLANG, {"reasoning_content"}),
        (Flavour.OPENAI, set()),
        (Flavour.UNKNOWN, set()),
    ],
)
def test_earlier_thinking_goes_by_the_names_that_the_server_reads(flavour: Flavour, names: set[str]) -> None:
    thought = Message(Role.ASSISTANT, parts_of("Yes.", "hm"))
    (message,) = json.loads(json.dumps(chat_body(ChatRequest("m", (thought,)), flavour)))["messages"]
    assert message == {"role": "assistant", "content": "Yes.", **dict.fromkeys(names, "hm")}


def test_a_prefill_goes_last_with_the_flags_of_servers_with_templates() -> None:
    request = ChatRequest("m", (USER,), prefill="Queues are")
    for flavour, flags in ((Flavour.VLLM, True), (Flavour.LLAMACPP, True), (Flavour.OPENAI, False)):
        body = chat_body(request, flavour)
        assert isinstance(body["messages"], list)
        assert body["messages"][-1] == {"role": "assistant", "content": "Queues are"}
        assert (body.get("continue_final_message"), body.get("add_generation_prompt")) == (
            (True, False) if flags else (None, None)
        )


@pytest.mark.parametrize(
    "failure",
    [
        "what",
        {"error": {"message": "CUDA out of memory"}},
        {"choices": [{"delta": {}, "finish_reason": "error"}]},
    ],
)
def test_what_was_held_back_comes_before_an_error(failure: object) -> None:
    events, error = read(sse(delta(content="abc <thi"), failure))
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "abc <thi"
    assert isinstance(error, Garbled | ServerFault)


def test_an_answer_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "reference"}, {"type": "text", "text": "lo"}]
    assert events_of(delta(content=parts), STOP) == [Delta("Hello"), Finished("stop")]


@pytest.mark.parametrize(
    ("form", "flavour", "wanted"),
    [
        ("", Flavour.LLAMACPP, None),
        ("json", Flavour.LLAMACPP, {"type": "json_object"}),
        ("json", Flavour.UNKNOWN, {"type": "json_object"}),
        (
            "json",
            Flavour.LMSTUDIO,
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            },
        ),
        (
            {"type": "array"},
            Flavour.OPENAI,
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "array"}, "strict": True},
            },
        ),
    ],
)
def test_a_format_is_asked_for_in_the_servers_words(
    form: str | dict[str, object], flavour: Flavour, wanted: object
) -> None:
    assert chat_body(ChatRequest("m", (USER,), format=form), flavour).get("response_format") == wanted
