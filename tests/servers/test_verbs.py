"""What is done with models: pulled, loaded, copied, deleted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from tui_chat.errors import Cut, Garbled, NoSuchModel, Refused, ReplyError, ServerFault, Unsupported
from tui_chat.events import Accepted, Delta, Loading
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.dialect import Progress

from tests.server import MODEL, ScriptedServer, Step, answer, cut, end, head, line, raw, stall

LAYER = "sha256:" + "ab" * 32
ROUTER = Flavour.LLAMACPP


@pytest.fixture
async def ollama(server: ScriptedServer) -> AsyncIterator[HttpBackend]:
    backend = HttpBackend(Server(server.url, kind=Kind.OLLAMA))
    yield backend
    await backend.aclose()


@pytest.fixture
async def router(server: ScriptedServer) -> AsyncIterator[HttpBackend]:
    backend = HttpBackend(Server(server.url, kind=Kind.OPENAI, flavour=ROUTER))
    yield backend
    await backend.aclose()


async def steps_of(work: AsyncGenerator[Progress, None]) -> list[Progress]:
    async with aclosing(work) as steps:
        return [step async for step in steps]


async def test_a_pull_tells_how_far_each_layer_is(server: ScriptedServer, ollama: HttpBackend) -> None:
    told = [
        {"status": "pulling manifest"},
        {"status": "pulling abab", "digest": LAYER, "total": 100},
        {"status": "pulling abab", "digest": LAYER, "total": 100, "completed": 60},
        {"status": "success"},
    ]
    server.script(head(), *map(line, told), end(), path="/api/pull")
    assert await steps_of(ollama.pull("qwen3:0.6b")) == [
        Progress("pulling manifest"),
        Progress("pulling abab", LAYER, None, 100),
        Progress("pulling abab", LAYER, 60, 100),
        Progress("success"),
    ]
    assert server.asked("/api/pull") == [{"model": "qwen3:0.6b", "stream": True}]


@pytest.mark.parametrize(
    ("last", "kind", "says"),
    [
        (line({"error": "pull model manifest: file does not exist"}), NoSuchModel, "file does not exist"),
        (line({"error": "write /models/x: no space left on device"}), ServerFault, "no space left on device"),
        (end(), Cut, "before it was done"),
        (cut(), Cut, "closed the connection"),
        (raw(b"<html>\n"), Garbled, "not Ollama"),
    ],
)
async def test_a_pull_that_fails_after_a_good_status_says_why(
    last: Step, kind: type[ReplyError], says: str, server: ScriptedServer, ollama: HttpBackend
) -> None:
    server.script(head(), line({"status": "pulling manifest"}), last, end(), path="/api/pull")
    with pytest.raises(kind, match=says):
        await steps_of(ollama.pull("x"))


async def test_a_pull_that_is_cancelled_closes_the_socket(server: ScriptedServer, ollama: HttpBackend) -> None:
    server.script(head(), line({"status": "pulling manifest"}), stall(), path="/api/pull")
    async with aclosing(ollama.pull("x")) as steps:
        assert await anext(steps) == Progress("pulling manifest")
    await asyncio.wait_for(server.disconnected.wait(), 2)


async def test_nothing_that_a_pull_says_acts_on_the_terminal(server: ScriptedServer, ollama: HttpBackend) -> None:
    server.script(head(), line({"status": "a\x1b]0;x\x07", "digest": "\x9b2J"}), stall(), path="/api/pull")
    async with aclosing(ollama.pull("x")) as steps:
        step = await anext(steps)
    assert not {"\x1b", "\x07", "\x9b"} & {*step.status, *step.layer}


async def test_a_model_is_made_of_another(server: ScriptedServer, ollama: HttpBackend) -> None:
    server.script(head(), line({"status": "success"}), end(), path="/api/create")
    await steps_of(ollama.create("poet", {"from": "tiny", "system": "Rhyme."}))
    assert server.asked("/api/create") == [{"model": "poet", "from": "tiny", "system": "Rhyme.", "stream": True}]


async def test_a_model_is_loaded_unloaded_copied_and_deleted(server: ScriptedServer, ollama: HttpBackend) -> None:
    for path in ("/api/chat", "/api/copy", "/api/delete"):
        server.script(answer(200, b""), path=path)
    await steps_of(ollama.load("tiny", {}))
    await ollama.unload("tiny")
    await ollama.copy("tiny", "twin")
    await ollama.delete("twin")
    assert [(request.method, request.path, json.loads(request.body)) for request in server.requests] == [
        ("POST", "/api/chat", {"model": "tiny", "messages": []}),
        ("POST", "/api/chat", {"model": "tiny", "messages": [], "keep_alive": 0}),
        ("POST", "/api/copy", {"source": "tiny", "destination": "twin"}),
        ("DELETE", "/api/delete", {"model": "twin"}),
    ]


async def test_a_model_that_is_not_there_cannot_be_deleted(server: ScriptedServer, ollama: HttpBackend) -> None:
    server.script(answer(404, {"error": "model 'nope' not found"}), path="/api/delete")
    with pytest.raises(NoSuchModel):
        await ollama.delete("nope")


async def test_all_of_a_model_is_told(server: ScriptedServer, ollama: HttpBackend) -> None:
    told = {**MODEL, "parameters": "num_ctx 512", "template": "{{ .Prompt }}", "license": "MIT\n\x1b[1m"}
    server.script(answer(200, told), path="/api/show")
    details = await ollama.details("tiny")
    assert (details.model.window, details.parameters, details.system) == (512, "num_ctx 512", "")
    assert details.licence == "MIT\n␛[1m"


def router_event(status: str, value: float | None = None, model: str = "tiny") -> Step:
    progress = (
        {} if value is None else {"progress": {"stages": ["text_model"], "current": "text_model", "value": value}}
    )
    told = {"model": model, "event": "status_change", "data": {"status": status, **progress}}
    return raw(b"data: %b\n\n" % json.dumps(told).encode())


async def test_the_router_tells_how_far_a_model_is_loaded(server: ScriptedServer, router: HttpBackend) -> None:
    server.script(answer(200, {"success": True}), path="/models/load")
    events = [router_event("loading", 0.43), router_event("loaded", model="other"), router_event("loaded")]
    server.script(head(200, "text/event-stream"), *events, stall(), path="/models/sse")
    assert await steps_of(router.load("tiny", {})) == [Progress("loading model", "text_model", 430, 1000)]
    assert server.asked("/models/load") == [{"model": "tiny"}]


async def test_a_model_that_the_router_cannot_load_says_so(server: ScriptedServer, router: HttpBackend) -> None:
    server.script(answer(200, {"success": True}), path="/models/load")
    server.script(head(200, "text/event-stream"), router_event("unloaded"), stall(), path="/models/sse")
    with pytest.raises(ServerFault, match="could not load"):
        await steps_of(router.load("tiny", {}))


async def test_a_model_that_runs_already_is_loaded(server: ScriptedServer, router: HttpBackend) -> None:
    running = {"error": {"code": 400, "message": "model is already running", "type": "invalid_request_error"}}
    server.script(answer(400, running), path="/models/load")
    server.script(head(200, "text/event-stream"), stall(), path="/models/sse")
    assert await steps_of(router.load("tiny", {})) == []
    server.script(answer(400, {"error": {"code": 400, "message": "model is not running"}}), path="/models/unload")
    with pytest.raises(Refused):
        await router.unload("tiny")


async def test_what_a_server_does_not_offer_is_said(router: HttpBackend) -> None:
    with pytest.raises(Unsupported, match="cannot do that"):
        await router.delete("tiny")
    with pytest.raises(Unsupported):
        await steps_of(router.pull("tiny"))


async def test_what_was_asked_to_find_out_the_dialect_is_not_told_again_after_something_changed(
    server: ScriptedServer,
) -> None:
    server.script(answer(200, {"models": [MODEL]}), path="/api/tags")
    server.script(answer(200, {"models": [{**MODEL, "name": "twin:latest"}]}), path="/api/tags")
    server.script(answer(200, b""), path="/api/copy")
    backend = HttpBackend(Server(server.url))
    await backend.copy("tiny", "twin")
    assert [model.name for model in await backend.models()] == ["twin:latest"]
    await backend.aclose()


async def test_a_model_that_the_router_does_not_have_is_missing(
    server: ScriptedServer, router: HttpBackend
) -> None:
    server.script(answer(404, {"error": {"code": 404, "message": "File Not Found"}}), path="/models/unload")
    with pytest.raises(NoSuchModel):
        await router.unload("nope")


async def test_the_router_tells_how_far_a_model_is_loaded_before_a_reply(
    server: ScriptedServer, router: HttpBackend
) -> None:
    listed = {"data": [{"id": "tiny", "owned_by": "llamacpp", "status": {"value": "unloaded"}}]}
    server.script(answer(200, listed), path="/v1/models")
    server.script(answer(200, {"success": True}), path="/models/load")
    events = [router_event("loading", 0.43), router_event("loaded")]
    server.script(head(200, "text/event-stream"), *events, stall(), path="/models/sse")
    chunk = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    replied = [
        head(200, "text/event-stream"),
        raw(b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(chunk).encode()),
        end(),
    ]
    server.script(*replied, path="/v1/chat/completions")
    await router.models()
    request = ChatRequest("tiny", (Message(Role.USER, parts_of("hello")),))
    for loading in ([Loading(43)], []):  # only where the router has told that it is not loaded
        assert [event async for event in router.reply(request)][: len(loading) + 2] == [
            *loading,
            Accepted(),
            Delta("Hi"),
        ]
    assert len(server.asked("/models/load")) == 1


async def test_where_loading_first_fails_the_request_itself_loads_or_says_why(
    server: ScriptedServer, router: HttpBackend
) -> None:
    server.script(answer(404, {"error": {"code": 404, "message": "File Not Found"}}), path="/models/sse")
    server.script(answer(404, {"error": {"code": 404, "message": "File Not Found"}}), path="/models/load")
    server.script(answer(500, {"error": {"code": 500, "message": "no memory"}}), path="/v1/chat/completions")
    router.client.unloaded = {"tiny"}
    with pytest.raises(ServerFault, match="no memory"):
        [event async for event in router.reply(ChatRequest("tiny", (Message(Role.USER, parts_of("hello")),)))]


async def test_only_what_the_server_can_do_is_offered(server: ScriptedServer, router: HttpBackend) -> None:
    ollama = HttpBackend(Server(server.url))
    assert ollama.verbs == frozenset()
    await ollama.models()
    every = {"details", "pull", "create", "load", "keeps", "unload", "copy", "delete"}
    assert ollama.verbs == every
    await ollama.aclose()
    server.script(answer(200, {"data": [{"id": "tiny", "owned_by": "llamacpp"}]}), path="/v1/models")
    server.script(answer(200, {}), path="/props?model=tiny&autoload=false")
    (model,) = await router.models()
    assert router.verbs == {"load", "unload", "count"}
    assert model.fixed  # by a server with one model
