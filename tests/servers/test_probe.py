"""Finding out what a server is, against imitations of every server in the table of probes, and their traps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from tui_chat.errors import Busy, ConfigError, Cut, Garbled, ReplyError, ServerFault, Unauthorized, Unreachable
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Secret, Server
from tui_chat.servers import probe as module
from tui_chat.servers.backend import connect
from tui_chat.servers.probe import detect, discover

from tests.server import Step, stall
from tests.servers.imitations import Imitation, answer, in_turn, replay, stream

ASKED = ChatRequest("tiny", (Message(Role.USER, parts_of("What are queues?")),))
SSE = (
    b'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
NDJSON = (
    b'{"message":{"role":"assistant","content":"Hello"},"done":false}\n'
    b'{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'
)
PAGE = answer("<!doctype html><html><title>Open WebUI</title></html>", 200, "text/html")
NOT_FOUND = answer({"detail": "Not Found"}, 404)
WRONG_PATH = answer(
    {"error": "Unexpected endpoint or method. (GET /api/version)"}, headers={"X-Powered-By": "Express"}
)
TAGS = {
    "models": [{"name": "tiny:latest", "model": "tiny:latest", "digest": "abc", "size": 5, "modified_at": "2026"}]
}
HEALTH = answer({"service": "tui-chat-relay", "status": "ok"})
LLAMA = {"server": "llama.cpp"}


def owned_by(owner: str, **extra: object) -> Step:
    return answer({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": owner, **extra}]})


OLLAMA: Mapping[str, Step] = {
    "/": answer("Ollama is running", 200, "text/plain"),
    "/api/version": answer({"version": "0.9.3"}),
    "/api/tags": answer(TAGS),
    "/v1/models": replay("v1-models.txt"),
    "/api/chat": answer(NDJSON, 200, "application/x-ndjson"),
    "/v1/chat/completions": stream(SSE),
}
LLAMACPP: Mapping[str, Step] = {
    "/v1/models": replay("llamacpp-models.txt"),
    "/props": replay("llamacpp-props.txt"),
    "/health": replay("llamacpp-health.txt"),
    "/v1/chat/completions": stream(SSE),
}

SERVERS: list[tuple[str, Mapping[str, Step], Step | None, Kind, Flavour]] = [
    ("Ollama", OLLAMA, None, Kind.OLLAMA, Flavour.OLLAMA),
    (
        "Ollama without models",
        {"/api/version": answer({"version": "0.9.3"}), "/api/tags": answer({"models": None}), "/v1/models": answer({"object": "list", "data": None})},
        None, Kind.OLLAMA, Flavour.OLLAMA,
    ),
    ("Ollama that does not like the Host header", {}, answer(b"", 403, ""), Kind.OLLAMA, Flavour.OLLAMA),
    ("llama.cpp", LLAMACPP, replay("llamacpp-notfound.txt"), Kind.OPENAI, Flavour.LLAMACPP),
    (
        "llama.cpp with paths of Ollama",
        {**LLAMACPP, "/api/tags": answer(TAGS), "/api/show": answer({}), "/api/chat": stream(SSE)},
        replay("llamacpp-notfound.txt"), Kind.OPENAI, Flavour.LLAMACPP,
    ),
    ("llama.cpp that loads", {}, answer({"error": {"code": 503, "message": "Loading model"}}, 503, headers=LLAMA), Kind.OPENAI, Flavour.LLAMACPP),
    ("llama.cpp that wants a key", {}, answer({"error": {"code": 401, "message": "Invalid API Key"}}, 401, headers=LLAMA), Kind.OPENAI, Flavour.LLAMACPP),
    ("llama-cpp-python", {"/v1/models": replay("lcpp-models.txt")}, NOT_FOUND, Kind.OPENAI, Flavour.UNKNOWN),
    ("vLLM", {"/v1/models": owned_by("vllm", max_model_len=4096), "/version": answer({"version": "0.11"})}, NOT_FOUND, Kind.OPENAI, Flavour.VLLM),
    ("a relay", {"/v1/models": owned_by("tui-chat-relay"), "/health": HEALTH}, NOT_FOUND, Kind.RELAY, Flavour.RELAY),
    ("a relay without models", {"/v1/models": answer({"data": []}), "/health": HEALTH}, NOT_FOUND, Kind.RELAY, Flavour.RELAY),
    (
        "a relay that wants a token",
        {"/v1/models": answer({"error": {"message": "Who are you?", "hint": ""}}, 401), "/health": HEALTH},
        NOT_FOUND, Kind.RELAY, Flavour.RELAY,
    ),
    ("SGLang", {"/v1/models": owned_by("sglang")}, NOT_FOUND, Kind.OPENAI, Flavour.SGLANG),
    ("LM Studio", {"/v1/models": owned_by("organization_owner")}, WRONG_PATH, Kind.OPENAI, Flavour.LMSTUDIO),
    ("LM Studio without models", {"/v1/models": answer({"data": [], "object": "list"})}, WRONG_PATH, Kind.OPENAI, Flavour.LMSTUDIO),
    ("LM Studio that wants a token", {}, WRONG_PATH, Kind.OPENAI, Flavour.LMSTUDIO),
    (
        "Open WebUI",
        {"/api/version": answer({"version": "0.6.5", "deployment_id": ""}), "/api/tags": PAGE},
        PAGE, Kind.OPENAI, Flavour.OPENWEBUI,
    ),
    ("OpenAI", {"/v1/models": answer({"data": [{"id": "gpt", "owned_by": "system"}]}, headers={"openai-version": "2020-10-01"})}, None, Kind.OPENAI, Flavour.OPENAI),
    ("OpenAI without a key", {}, answer({"error": {"message": "Missing bearer authentication"}}, 401), Kind.OPENAI, Flavour.UNKNOWN),
    ("LiteLLM", {"/v1/models": owned_by("openai")}, NOT_FOUND, Kind.OPENAI, Flavour.UNKNOWN),
    ("a proxy that only has /v1 of an Ollama", {"/v1/models": replay("v1-models.txt")}, None, Kind.OPENAI, Flavour.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "other", "kind", "flavour"), [row[1:] for row in SERVERS], ids=[row[0] for row in SERVERS]
)
async def test_every_server_is_told_from_the_others(
    routes: Mapping[str, Step], other: Step | None, kind: Kind, flavour: Flavour
) -> None:
    async with Imitation(routes, other) as server:
        found = await detect(Server(server.url))
        assert {request.method for request in server.requests} == {"GET"}
    assert (found.kind, found.flavour, found.url) == (kind, flavour, server.url)


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (answer("<html>It works!</html>", 200, "text/html"), Garbled),
        (answer("<html>no</html>", 404, "text/html"), Garbled),
        (NOT_FOUND, Garbled),
        (answer({"version": "1.2"}), Garbled),
        (answer("pong", 200, "text/plain"), Garbled),
        (answer("<html>log in</html>", 401, "text/html"), Unauthorized),
        (answer("<html>Bad Gateway</html>", 502, "text/html"), ServerFault),
        (answer({"error": {"message": "Loading model"}}, 503), Busy),
    ],
)
async def test_what_is_no_server_for_language_models_says_so(other: Step, kind: type[ReplyError]) -> None:
    async with Imitation({}, other) as server:
        with pytest.raises(kind) as caught:
            await detect(Server(server.url))
    assert caught.value.hint


async def test_something_else_at_a_path_of_the_url_is_told_with_the_url_to_try() -> None:
    async with Imitation(OLLAMA) as server:
        for path in ("/foo", "/foo/bar/v1"):
            with pytest.raises(Garbled, match="No model server answers") as caught:
                await detect(Server(server.url + path))
            assert f"without {path.removesuffix('/v1')}." in caught.value.hint


@pytest.mark.parametrize(
    "said", ["Client sent an HTTP request to an HTTPS server.\n", "<title>400 The plain HTTP request was sent to HTTPS port</title>"]
)  # fmt: skip
async def test_plain_http_to_a_port_of_https_is_told(said: str) -> None:
    async with Imitation({}, answer(said, 400, "text/html")) as server:
        with pytest.raises(Garbled, match="needs https") as caught:
            await detect(Server(server.url))
    assert "https:// instead of http://" in caught.value.hint


@pytest.mark.parametrize("recording", ["litellm-no-key.txt", "litellm-wrong-key.txt"])
async def test_litellm_without_the_right_key_wants_it(recording: str) -> None:
    async with Imitation({"/v1/models": replay(recording)}, NOT_FOUND) as server:
        found = await detect(Server(server.url))
        assert (found.kind, found.flavour) == (Kind.OPENAI, Flavour.UNKNOWN)
        with pytest.raises(Unauthorized):
            await connect(Server(server.url)).models()


async def test_nothing_there_is_unreachable_and_silence_is_waited_for_only_so_long() -> None:
    async with Imitation({}, stall()) as server:
        with pytest.raises(Cut):
            await detect(Server(server.url), within=0.05)
    with pytest.raises(Unreachable):
        await detect(Server(server.url))


async def test_one_silent_path_does_not_hide_an_ollama() -> None:
    async with Imitation({**OLLAMA, "/v1/models": stall()}) as server:
        assert (await detect(Server(server.url), within=0.2)).kind is Kind.OLLAMA


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/chat/completions", "/api", "/api/chat"])
async def test_a_pasted_path_does_not_matter(path: str) -> None:
    async with Imitation(OLLAMA) as server:
        assert await detect(Server(server.url + path)) == Server(
            server.url, kind=Kind.OLLAMA, flavour=Flavour.OLLAMA
        )


async def test_a_base_that_ends_with_api_is_kept_where_it_answers() -> None:
    async with Imitation({"/api/v1/models": owned_by("someone")}) as server:
        assert (await detect(Server(server.url + "/api/v1"))).url == server.url + "/api"
    async with Imitation({"/v1/models": owned_by("organization_owner")}, WRONG_PATH) as server:
        found = await detect(Server(server.url + "/api/v1"))
        assert (found.flavour, found.url) == (Flavour.LMSTUDIO, server.url)


async def test_keys_go_only_to_servers_that_the_user_named() -> None:
    secrets = {"key": Secret("sesame"), "headers": (("X-Api-Key", "sesame"), ("X-Team", "sesame"))}
    for named in (True, False):
        async with Imitation(LLAMACPP) as server:
            await detect(Server(server.url, named=named, **secrets))  # type: ignore[arg-type]
            assert server.requests
            for request in server.requests:
                assert ("sesame" in str(request.headers)) is named


async def test_a_server_that_wants_a_key_is_no_find() -> None:
    async with Imitation({}, answer({"error": "Unauthorized"}, 401)) as server:
        with pytest.raises(Unauthorized):
            await detect(Server(server.url, named=False))


# Looking around


def port_of(server: Imitation) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


async def test_a_look_around_finds_what_is_there_and_tells_what_it_tried() -> None:
    async with Imitation({}) as gone:
        pass
    async with Imitation(OLLAMA) as first, Imitation({}, PAGE) as second, Imitation(LLAMACPP) as third:
        ports = [port_of(server) for server in (gone, first, second, third)]
        seen = await discover(ports)
    assert [server.flavour for server in seen.found] == [Flavour.OLLAMA, Flavour.LLAMACPP]
    assert [type(attempt.error) for attempt in seen.tried] == [Unreachable, type(None), Garbled, type(None)]
    assert [attempt.server.url for attempt in seen.tried] == [f"http://127.0.0.1:{port}" for port in ports]
    assert not any(server.named for server in seen.found)


async def test_a_dead_server_does_not_delay_the_look_around() -> None:
    async with Imitation({}, stall()) as dead, Imitation(OLLAMA) as alive:
        async with asyncio.timeout(5):
            seen = await discover([port_of(dead), port_of(alive)], within=1.0)
    assert [server.kind for server in seen.found] == [Kind.OLLAMA]
    assert isinstance(seen.tried[0].error, Cut)


def test_the_usual_ports_are_looked_at() -> None:
    assert module.PORTS == (11434, 8080, 9931, 8000, 1234, 30000)
    assert 2 * module.LOOK_SECONDS <= 1.5


# Connecting


@pytest.mark.parametrize(("routes", "path"), [(OLLAMA, "/api/chat"), (LLAMACPP, "/v1/chat/completions")])
async def test_a_connection_asks_on_first_use_and_only_then(routes: Mapping[str, Step], path: str) -> None:
    async with Imitation(routes) as server:
        backend = connect(Server(server.url + "/v1"))
        assert (backend.server.kind, server.requests) == (Kind.AUTO, [])
        for _ in range(2):
            events = [event async for event in backend.reply(ASKED)]
            assert (events[0], events[1], type(events[-1])) == (Accepted(), Delta("Hello"), Finished)
        assert server.paths.count(path) == 2
        assert server.paths.count("/v1/models") == 1
        assert backend.server.kind is not Kind.AUTO
        await backend.aclose()


async def test_two_first_uses_at_once_ask_once() -> None:
    async with Imitation(OLLAMA) as server:
        backend = connect(Server(server.url))
        first, second = await asyncio.gather(backend.models(), backend.models())
        assert [model.name for model in first] == [model.name for model in second] == ["tiny:latest"]
        assert server.paths.count("/api/version") == 1


async def test_a_kind_that_the_user_set_counts() -> None:
    async with Imitation(OLLAMA) as server:
        assert [e async for e in connect(Server(server.url, kind=Kind.OPENAI)).reply(ASKED)][1] == Delta("Hello")
        assert "/v1/chat/completions" in server.paths
        assert "/api/chat" not in server.paths
    async with Imitation(OLLAMA) as server:
        await connect(Server(server.url + "/api", kind=Kind.OLLAMA)).models()
        assert server.paths == ["/api/tags"]
    async with Imitation({"/v1/chat/completions": stream(SSE)}) as server:
        assert [e async for e in connect(Server(server.url, kind=Kind.OPENAI)).reply(ASKED)][1] == Delta("Hello")


async def test_a_failed_question_is_asked_again() -> None:
    ready = in_turn(answer({"error": {"message": "Loading model"}}, 503), replay("llamacpp-models.txt"))
    async with Imitation({**LLAMACPP, "/v1/models": ready}) as server:
        backend = connect(Server(server.url))
        with pytest.raises(Busy):
            await backend.models()
        assert [model.name for model in await backend.models()] == ["tiny"]


async def test_another_server_at_the_same_address_is_noticed() -> None:
    routes = dict(OLLAMA)
    async with Imitation(routes) as server:
        backend = connect(Server(server.url))
        await backend.models()
        routes.clear()
        routes.update(LLAMACPP)
        with pytest.raises(ReplyError):
            await backend.models()
        assert [model.name for model in await backend.models()] == ["tiny"]
        assert backend.server.flavour is Flavour.LLAMACPP


async def test_what_is_loaded_never_raises() -> None:
    async with Imitation({}, PAGE) as server:
        assert list(await connect(Server(server.url)).loaded()) == []


async def test_stop_closes_the_socket_through_the_connection() -> None:
    routes = {**LLAMACPP, "/v1/chat/completions": stream(SSE[:40], SSE[40:80], last=stall())}
    async with Imitation(routes) as server:
        events = connect(Server(server.url)).reply(ASKED)
        assert await anext(events) == Accepted()
        await events.aclose()
        await asyncio.wait_for(server.left.wait(), 5)


def test_a_url_that_is_none_is_told_at_once() -> None:
    with pytest.raises(ConfigError):
        connect(Server("ftp://box"))


async def test_who_was_not_named_is_not_listened_to_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNASKED_BYTES", 100)
    routes = {"/v1/models": owned_by("vllm", note="x" * 200), "/api/version": NOT_FOUND}
    async with Imitation(routes) as server:
        assert (await detect(Server(server.url))).flavour is Flavour.VLLM
        with pytest.raises(Garbled, match="too large"):
            await detect(Server(server.url, named=False))


async def test_what_a_server_says_of_itself_is_small() -> None:
    long = answer({"version": "1", "x": "y" * 300_000})
    async with Imitation({"/api/version": long, "/api/tags": answer(TAGS)}) as server:
        with pytest.raises(Garbled):
            await detect(Server(server.url))
