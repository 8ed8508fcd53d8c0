"""The backend for OpenAI-compatible servers, over real sockets against imitations of every flavour."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tui_chat.errors import (
    Busy,
    Cut,
    Garbled,
    NoSuchModel,
    Refused,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Event,
    Finished,
    PromptProgress,
    Thinking,
    ThinkingCanEnd,
    ThinkingUnset,
)
from tui_chat.messages import ChatRequest, Message, Role, Usage
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Secret, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.dialects import openai_stream

from tests.server import Step, end, reset, stall, wait
from tests.servers.imitations import Imitation, answer, in_order, in_turn, replay, stream

CHAT = "/v1/chat/completions"
ASKED = ChatRequest("tiny", (Message(Role.USER, parts_of("What are queues?")),))
RESUMED = ChatRequest("tiny", ASKED.messages, prefill="Queues are")


def sse(*chunks: object) -> bytes:
    return b"".join(
        b"data: " + (json.dumps(c).encode() if isinstance(c, dict) else str(c).encode()) + b"\n\n" for c in chunks
    )


def piece(**delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
HELLO = stream(sse(piece(role="assistant"), piece(content="Hel")), sse(piece(content="lo"), STOP, "[DONE]"))


def speaking(server: Server) -> HttpBackend:
    return HttpBackend(replace(server, kind=Kind.OPENAI))


async def ask(url: str, request: ChatRequest = ASKED, flavour: Flavour = Flavour.UNKNOWN) -> list[Event]:
    backend = speaking(Server(url, flavour=flavour))
    return [event async for event in backend.reply(request)]


async def error_for(reaction: Step, request: ChatRequest = ASKED, flavour: Flavour = Flavour.VLLM) -> ReplyError:
    async with Imitation({CHAT: reaction}) as server:
        with pytest.raises(ReplyError) as caught:
            await ask(server.url, request, flavour)
    return caught.value


def text_in(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


# Replies


async def test_a_reply_streams_from_accepted_to_finished() -> None:
    async with Imitation({CHAT: HELLO}) as server:
        assert await ask(server.url) == [Accepted(), Delta("Hel"), Delta("lo"), Finished("stop")]
        assert server.bodies(CHAT)[0]["stream"] is True


@pytest.mark.parametrize(
    "name", ["llamacpp-chat-stream.txt", "lcpp-chat-stream-usage.txt", "v1-chat-stream-usage.txt"]
)
async def test_recorded_servers_are_understood(name: str) -> None:
    async with Imitation({CHAT: replay(name)}) as server:
        events = await ask(server.url)
    assert events[0] == Accepted()
    assert text_in(events).startswith(("Most people", "| Name"))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"


async def test_pieces_arrive_while_the_server_still_writes() -> None:
    more = asyncio.Event()
    async with Imitation({CHAT: stream(sse(piece(content="Hel")), last=in_order(wait(more), end()))}) as server:
        events = speaking(Server(server.url)).reply(ASKED)
        assert [await anext(events), await anext(events)] == [Accepted(), Delta("Hel")]
        more.set()
        with pytest.raises(Cut):
            await anext(events)


async def test_stop_closes_the_socket() -> None:
    async with Imitation({CHAT: stream(sse(piece(content="Hel")), last=stall())}) as server:
        events = speaking(Server(server.url)).reply(ASKED)
        assert [await anext(events), await anext(events)] == [Accepted(), Delta("Hel")]
        await events.aclose()
        await asyncio.wait_for(server.left.wait(), 5)


async def test_cancelling_closes_the_socket_also_before_the_first_byte() -> None:
    async with Imitation({CHAT: stall()}) as server:
        task = asyncio.create_task(ask(server.url))
        while CHAT not in server.paths:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), 5)


@pytest.mark.parametrize(
    "broken",
    [
        stream(sse(piece(content="a")), last=reset()),
        stream(sse(piece(content="a"))),
        stream(sse(piece(content="a"), "[DONE]")),
    ],
)
async def test_a_reply_without_a_finish_is_cut_and_keeps_what_came(broken: Step) -> None:
    async with Imitation({CHAT: broken}) as server:
        events = speaking(Server(server.url)).reply(ASKED)
        assert [await anext(events), await anext(events)] == [Accepted(), Delta("a")]
        with pytest.raises(Cut):
            await anext(events)


async def test_a_connection_lost_after_the_finish_does_not_matter() -> None:
    async with Imitation({CHAT: stream(sse(piece(content="a"), STOP), last=reset())}) as server:
        assert await ask(server.url) == [Accepted(), Delta("a"), Finished("stop")]


async def test_a_server_that_never_says_done_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_stream, "GRACE_SECONDS", 0.05)
    async with Imitation({CHAT: stream(sse(piece(content="a"), STOP), last=stall())}) as server:
        assert await asyncio.wait_for(ask(server.url), 5) == [Accepted(), Delta("a"), Finished("stop")]


async def test_comments_keep_the_stream_alive_and_say_nothing() -> None:
    async with Imitation(
        {CHAT: stream(b": OPENROUTER PROCESSING\n\n", b":\n\n", sse(piece(content="a"), STOP))}
    ) as server:
        assert await ask(server.url) == [Accepted(), Delta("a"), Finished("stop")]


async def test_a_whole_completion_instead_of_a_stream_is_a_reply() -> None:
    async with Imitation({CHAT: replay("v1-chat-nostream.txt")}) as server:
        events = await ask(server.url)
    assert text_in(events) == "| Name | Kind | Count |\n"
    assert (events[0], events[-1]) == (Accepted(), Finished("length", Usage(13, 8)))


async def test_llama_cpp_is_asked_for_progress() -> None:
    progress = {"choices": [], "prompt_progress": {"total": 9, "cache": 0, "processed": 4, "time_ms": 1}}
    async with Imitation(
        {CHAT: stream(sse(progress, piece(reasoning_content="hm"), piece(content="a"), STOP))}
    ) as server:
        events = await ask(server.url, flavour=Flavour.LLAMACPP)
        assert server.bodies(CHAT)[0]["return_progress"] is True
    assert events == [Accepted(), PromptProgress(4, 9), Thinking("hm"), Delta("a"), Finished("stop")]


async def test_open_webui_has_paths_of_its_own() -> None:
    async with Imitation(
        {"/api/chat/completions": HELLO, "/api/models": answer({"data": [{"id": "tiny"}]})}
    ) as server:
        assert text_in(await ask(server.url, flavour=Flavour.OPENWEBUI)) == "Hello"
        assert [m.name for m in await speaking(Server(server.url, flavour=Flavour.OPENWEBUI)).models()] == ["tiny"]


async def test_the_key_goes_along_and_into_no_error() -> None:
    async with Imitation({CHAT: answer({"error": {"message": "Incorrect API key"}}, 401)}) as server:
        backend = speaking(Server(server.url, key=Secret("sesame")))
        with pytest.raises(Unauthorized) as caught:
            await anext(backend.reply(ASKED))
        assert server.requests[0].headers["authorization"] == "Bearer sesame"
    assert "sesame" not in f"{caught.value} {caught.value.hint}"


# Errors


@pytest.mark.parametrize(
    ("reaction", "kind", "words"),
    [
        (replay("v1-chat-missing-model.txt"), NoSuchModel, "try pulling it first"),
        (replay("llamacpp-chat-loading.txt"), Busy, "loading"),
        (replay("llamacpp-chat-image.txt"), Unsupported, "image_url"),
        (replay("llamacpp-chat-malformed.txt"), ServerFault, "parse error"),
        (replay("lcpp-chat-malformed.txt"), ServerFault, "Internal Server Error"),
        (replay("lcpp-chat-wrongtype.txt"), ServerFault, "valid list"),
        (replay("lcpp-notfound.txt"), Refused, "Not Found"),
        (answer({"object": "error", "message": "This model's maximum context length is 2048 tokens.", "code": 400}, 400), TooLong, "2048"),
        (answer({"error": {"code": 400, "type": "exceed_context_size_error", "message": "too many tokens"}}, 400), TooLong, "too many"),
        (answer({"detail": [{"loc": ["body", "model"], "msg": "Field required"}]}, 422), Refused, "body.model: Field required"),
        (answer({"detail": "Not authenticated"}, 403), Unauthorized, "Not authenticated"),
        (answer({"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"}), Refused, "Unexpected endpoint"),
        (answer({"error": {"message": "it broke"}}), ServerFault, "it broke"),
        (answer("<html><title>502 Bad Gateway</title></html>", 502, "text/html"), ServerFault, "502 Bad Gateway"),
        (answer("<!doctype html><html></html>", 200, "text/html"), Garbled, "web page"),
        (answer("upstream connect error", 200, "text/plain"), ServerFault, "upstream connect error"),
        (answer({"message": "No credits left", "code": "x"}), ServerFault, "No credits left"),
        (answer("", 200), Garbled, "sent no reply"),
        (stream(b": PROCESSING\n\n"), Garbled, "sent no reply"),
        (stream(sse(piece(role="assistant"), "[DONE]")), Garbled, "sent no reply"),
        (stream(sse(piece(role="assistant")), last=reset()), Cut, "broke off"),
        (answer("", 500), ServerFault, "500"),
        (stream(b"data: nonsense\n\n"), Garbled, "nonsense"),
        (stream(sse(piece(content="a"), {"error": {"message": "CUDA out of memory"}}, "[DONE]")), ServerFault, "CUDA"),
        (stream(b'error: {"code":500,"message":"slot lost"}\n\n', sse("[DONE]")), ServerFault, "slot lost"),
    ],
)  # fmt: skip
async def test_an_error_of_any_shape_has_its_class_and_a_hint(
    reaction: Step, kind: type[ReplyError], words: str
) -> None:
    error = await error_for(reaction)
    assert type(error) is kind
    assert words in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7), ({}, None), ({"Retry-After": "soon"}, None)],
)
async def test_a_busy_server_tells_how_long_to_wait(headers: Mapping[str, str], seconds: float | None) -> None:
    error = await error_for(answer({"error": {"message": "slow down"}}, 429, headers=headers))
    assert isinstance(error, Busy)
    assert error.retry_after == seconds


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with Imitation({}) as server:
        url = server.url
    with pytest.raises(Unreachable):
        await ask(url)


# What servers refuse


@pytest.mark.parametrize(
    ("refusal", "flavour"),
    [
        (answer({"error": {"message": "Unrecognized request argument: stream_options"}}, 400), Flavour.VLLM),
        (
            answer({"detail": [{"loc": ["body", "stream_options"], "msg": "extra fields not permitted"}]}, 422),
            Flavour.VLLM,
        ),
        (answer({"error": "bad request"}, 400), Flavour.UNKNOWN),
    ],
)
async def test_refused_stream_options_are_left_out_from_then_on(refusal: Step, flavour: Flavour) -> None:
    async with Imitation({CHAT: in_turn(refusal, HELLO)}) as server:
        backend = speaking(Server(server.url, flavour=flavour))
        for _ in range(2):
            assert text_in([event async for event in backend.reply(ASKED)]) == "Hello"
        assert ["stream_options" in body for body in server.bodies(CHAT)] == [True, False, False]


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"message": "Unrecognized request argument supplied: reasoning_effort", "code": None}},
        {"error": {"message": "Unsupported value: 'reasoning_effort' does not support 'none' with this model."}},
        {
            "error": {
                "message": "`reasoning_effort` is not supported with this model",
                "type": "invalid_request_error",
            }
        },
        {"detail": [{"loc": ["body", "reasoning_effort"], "msg": "Input should be 'low', 'medium' or 'high'"}]},
    ],
)
@pytest.mark.parametrize("flavour", [Flavour.OPENAI, Flavour.UNKNOWN, Flavour.LMSTUDIO])
async def test_a_model_that_cannot_be_told_not_to_think_replies_anyway(refusal: object, flavour: Flavour) -> None:
    quiet = replace(ASKED, think=False)
    async with Imitation({CHAT: in_turn(answer(refusal, 400), HELLO)}) as server:
        assert text_in(await ask(server.url, quiet, flavour)) == "Hello"
        assert [body.get("reasoning_effort") for body in server.bodies(CHAT)] == ["none", None]
    async with Imitation({CHAT: in_turn(answer({"error": "bad request"}, 400), HELLO)}) as server:
        if flavour is not Flavour.UNKNOWN:
            with pytest.raises(Refused):
                await ask(server.url, quiet, flavour)


async def test_a_level_of_thinking_that_is_refused_is_left_out_and_that_is_told() -> None:
    refusal = answer({"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}}, 400)
    async with Imitation({CHAT: in_turn(refusal, HELLO)}) as server:
        events = await ask(server.url, replace(ASKED, think="high"), Flavour.OPENAI)
        assert events[:2] == [Accepted(), ThinkingUnset()]
        assert [body.get("reasoning_effort") for body in server.bodies(CHAT)] == ["high", None]
    async with Imitation({CHAT: refusal}) as server:
        with pytest.raises(Refused, match="reasoning_effort"):
            await ask(server.url, replace(ASKED, think="high"), Flavour.OPENAI)
        assert len(server.bodies(CHAT)) == 2


@pytest.mark.parametrize("refusal", [answer({"error": {"code": 404, "message": "File Not Found"}}, 404), HELLO])
async def test_a_llama_cpp_that_cannot_end_thinking_is_asked_once_whether_it_can(refusal: Step) -> None:
    async with Imitation({CHAT: HELLO, f"{CHAT}/control": refusal}) as server:
        backend = speaking(Server(server.url, flavour=Flavour.LLAMACPP))
        for _ in range(2):
            events = [event async for event in backend.reply(replace(ASKED, think=True))]
            assert not any(isinstance(event, ThinkingCanEnd) for event in events)
        assert not any("reasoning_control" in body for body in server.bodies(CHAT))
        (asked,) = server.bodies(f"{CHAT}/control")
        assert asked["id"], "an empty one is refused by builds that can"


async def test_a_reply_that_shall_not_think_is_not_asked_whether_its_thinking_can_end() -> None:
    async with Imitation({CHAT: HELLO}) as server:
        await ask(server.url, replace(ASKED, think=False), Flavour.LLAMACPP)
        assert [request.path for request in server.requests] == [CHAT]


async def test_a_refusal_of_something_else_is_told_and_changes_nothing() -> None:
    async with Imitation({CHAT: answer({"error": "bad request"}, 400)}) as server:
        backend = speaking(Server(server.url))
        for _ in range(2):
            with pytest.raises(Refused, match="bad request"):
                await anext(backend.reply(ASKED))
        assert ["stream_options" in body for body in server.bodies(CHAT)] == [True, False] * 2


# Going on with a cut reply


@pytest.mark.parametrize("flavour", [Flavour.VLLM, Flavour.SGLANG, Flavour.LLAMACPP])
async def test_servers_with_templates_go_on_by_their_flags(flavour: Flavour) -> None:
    async with Imitation({CHAT: HELLO}) as server:
        events = await ask(server.url, RESUMED, flavour)
        (body,) = server.bodies(CHAT)
    assert events[:2] == [Continued(exact=True), Accepted()]
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert isinstance(body["messages"], list)
    assert body["messages"][-1] == {"role": "assistant", "content": "Queues are"}


async def test_a_refused_prefill_becomes_a_plea() -> None:
    refusal = answer(
        {"error": {"message": "continue_final_message is set but the template drops the message"}}, 400
    )
    async with Imitation({CHAT: in_turn(refusal, HELLO)}) as server:
        assert (await ask(server.url, RESUMED, Flavour.VLLM))[0] == Continued(exact=False)
        assert "continue_final_message" not in server.bodies(CHAT)[1]


@pytest.mark.parametrize("flavour", [Flavour.UNKNOWN, Flavour.OPENAI, Flavour.LMSTUDIO, Flavour.OPENWEBUI])
async def test_others_are_asked_in_words(flavour: Flavour) -> None:
    path = "/api/chat/completions" if flavour is Flavour.OPENWEBUI else CHAT
    async with Imitation({path: HELLO}) as server:
        events = await ask(server.url, RESUMED, flavour)
        (body,) = server.bodies(path)
    assert events[:2] == [Continued(exact=False), Accepted()]
    assert isinstance(body["messages"], list)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == "Queues are"


# Models


async def test_llama_cpp_tells_its_model_and_the_window_of_one_slot() -> None:
    routes = {"/v1/models": replay("llamacpp-models.txt"), "/props": replay("llamacpp-props.txt")}
    async with Imitation(routes) as server:
        backend = speaking(Server(server.url, "box", flavour=Flavour.LLAMACPP))
        (model,), (loaded,) = await backend.models(), await backend.loaded()
        assert await backend.describe("tiny") == model
    assert (model.name, model.server, model.size, model.parameters) == ("tiny", "box", 2036224, "1.0M")
    assert (model.context_window, model.loaded) == (2048, True)
    assert loaded.window == model.window == 1024


async def test_a_router_of_llama_cpp_tells_the_windows_of_what_is_loaded_by_name_and_loads_nothing() -> None:
    routes = {
        "/v1/models": replay("llamacpp-router-models.txt"),
        "/props": replay("llamacpp-router-props.txt"),
        "/props?model=tiny&autoload=false": replay("llamacpp-router-props-loaded.txt"),
    }
    async with Imitation(routes) as server:
        backend = speaking(Server(server.url, flavour=Flavour.LLAMACPP))
        models, (loaded,) = await backend.models(), await backend.loaded()
        slow = await backend.describe("tiny-slow")
        assert not [path for path in server.paths if path.startswith("/props") and "autoload=false" not in path]
    assert {model.name: model.loaded for model in models} == {
        "tiny": True,
        "tiny-endless": False,
        "tiny-slow": False,
    }
    assert (loaded.name, loaded.window) == ("tiny", 1024)
    assert slow.window == 1024, "as it would be loaded"


async def test_an_older_router_that_lists_no_windows_is_asked_for_each() -> None:
    models = {"data": [{"id": "a/b:Q4", "owned_by": "llamacpp", "status": {"value": "loaded"}, "meta": None}]}
    routes = {
        "/v1/models": answer(models),
        "/props": replay("llamacpp-router-props.txt"),
        "/props?model=a%2Fb%3AQ4&autoload=false": replay("llamacpp-router-props-loaded.txt"),
    }
    async with Imitation(routes) as server:
        (loaded,) = await speaking(Server(server.url, flavour=Flavour.LLAMACPP)).loaded()
    assert loaded.window == 1024


@pytest.mark.parametrize("name", ["llamacpp-router-props.txt", "llamacpp-router-props-unloaded.txt"])
async def test_a_window_of_no_tokens_is_an_unknown_one(name: str) -> None:
    models = {"data": [{"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx": 0, "n_ctx_train": 0}}]}
    async with Imitation({"/v1/models": answer(models), "/props": replay(name)}) as server:
        (loaded,) = await speaking(Server(server.url, flavour=Flavour.LLAMACPP)).loaded()
    assert (loaded.window, loaded.context_window) == (None, None)


async def test_vllm_tells_the_window_it_serves() -> None:
    body = {"data": [{"id": "qwen", "owned_by": "vllm", "max_model_len": 32768, "created": 5, "root": "qwen"}]}
    async with Imitation({"/v1/models": answer(body)}) as server:
        (model,) = await speaking(Server(server.url, flavour=Flavour.VLLM)).models()
    assert (model.name, model.context_window, model.loaded) == ("qwen", 32768, True)


LMSTUDIO = {
    "models": [
        {
            "type": "llm", "key": "qwen3", "architecture": "qwen3", "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 5000, "params_string": "8B", "max_context_length": 40960,
            "loaded_instances": [{"id": "qwen3", "config": {"context_length": 8192}}],
            "capabilities": {"vision": False, "trained_for_tool_use": True},
        },
        {"type": "embedding", "key": "nomic", "loaded_instances": [], "max_context_length": 2048},
    ]
}  # fmt: skip
NOWHERE = answer({"error": "Unexpected endpoint or method. (GET /api/v1/models)"})


async def test_lm_studio_tells_more_in_its_own_api() -> None:
    async with Imitation({"/api/v1/models": answer(LMSTUDIO)}, other=NOWHERE) as server:
        backend = speaking(Server(server.url, flavour=Flavour.LMSTUDIO))
        model, (loaded,) = (await backend.models())[0], await backend.loaded()
    assert (model.name, model.family, model.context_window, model.loaded) == ("qwen3", "qwen3", 40960, True)
    assert model.capabilities == {"completion", "tools"}
    assert loaded.window == 8192


async def test_an_older_lm_studio_is_listed_by_v1() -> None:
    async with Imitation(
        {"/v1/models": answer({"data": [{"id": "a", "owned_by": "organization_owner"}]})}, NOWHERE
    ) as server:
        backend = speaking(Server(server.url, flavour=Flavour.LMSTUDIO))
        assert [model.name for model in await backend.models()] == ["a"]
        assert list(await backend.loaded()) == []


@pytest.mark.parametrize(
    ("reaction", "kind"),
    [
        (answer({"error": {"message": "Invalid API Key"}}, 401), Unauthorized),
        (answer({"error": "Unexpected endpoint or method. (GET /v1/models)"}), Refused),
        (answer("<html></html>", 200, "text/html"), Garbled),
        (answer({"hello": "world"}), Garbled),
        (replay("llamacpp-health-loading.txt"), Busy),
    ],
)
async def test_models_that_cannot_be_had_say_why(reaction: Step, kind: type[ReplyError]) -> None:
    async with Imitation({"/v1/models": reaction}) as server:
        with pytest.raises(kind):
            await speaking(Server(server.url)).models()


async def test_no_models_are_no_error_but_a_missing_one_is() -> None:
    async with Imitation({"/v1/models": answer({"object": "list", "data": None})}) as server:
        backend = speaking(Server(server.url))
        assert list(await backend.models()) == []
        with pytest.raises(NoSuchModel):
            await backend.describe("tiny")


async def test_what_is_loaded_never_raises_and_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.servers.backend.LOADED_SECONDS", 0.05)
    for reaction in (stall(), answer("", 500), answer("{", 200)):
        async with Imitation({}, other=reaction) as server:
            for flavour in Flavour:
                assert list(await speaking(Server(server.url, flavour=flavour)).loaded()) == []
