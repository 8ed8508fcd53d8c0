"""No error that leaves a backend holds a secret, in whatever corner of an answer the server quotes it."""

from __future__ import annotations

import json
from functools import partial

import pytest
from tui_chat.errors import ReplyError
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Secret, Server
from tui_chat.servers.backend import connect
from tui_chat.servers.route import hidden

from tests.server import JSON, SSE, ScriptedServer, Step, answer, end, head, line, raw

KEY = "sk-KEYKEY/KEY123"
AZURE = "azure-0123456789"
PASSWORD = "pass/word"
ASKED = ChatRequest("tiny", (Message(Role.USER, parts_of("Hi")),))


async def told(url: str, kind: Kind) -> str:
    """All that the error of a reply says."""
    login = url.replace("http://", "http://me:pass%2Fword@")
    backend = connect(Server(login, kind=kind, key=Secret(KEY), headers=(("api-key", AZURE), ("X-Team", "blue"))))
    with pytest.raises(ReplyError) as caught:
        [event async for event in backend.reply(ASKED)]
    await backend.aclose()
    return f"{caught.value} {caught.value.hint} {caught.value!r}"


def escaped(value: object) -> bytes:
    """JSON as PHP and others write it."""
    return json.dumps(value).replace("/", "\\/").encode()


QUOTES: list[tuple[Kind, tuple[Step, ...]]] = [
    (
        Kind.OPENAI,
        (head(200, SSE), raw(b'data: {"error":{"message":"bad %b","code":401}}\n\n' % KEY.encode()), end()),
    ),
    (Kind.OPENAI, (head(200, SSE), raw(b"data: what is %b\n\n" % KEY.encode()), end())),
    (Kind.OPENAI, (answer(401, escaped({"error": {"message": f"bad {KEY}"}}), JSON),)),
    (Kind.OPENAI, (answer(400, escaped({"what": f"bad {KEY}"}), JSON),)),
    (Kind.OPENAI, (answer(400, {"error": f"bad api-key {AZURE} of blue"}),)),
    (Kind.OPENAI, (answer(200, f"bad password {PASSWORD}".encode(), "text/plain"),)),
    (Kind.OPENAI, (answer(400, f"{'x' * 391} {KEY}".encode(), "text/plain"),)),
    (Kind.OLLAMA, (head(), line({"error": f"bad token {KEY}"}), end())),
    (Kind.OLLAMA, (answer(302, b"", headers=[("Location", f"https://evil.example/login/{KEY}")]),)),
    (Kind.OLLAMA, (answer(302, b"", headers=[("Location", "https://evil.example/sk-KEYKEY%2FKEY123")]),)),
]


@pytest.mark.parametrize(("kind", "steps"), QUOTES)
async def test_what_a_server_quotes_is_not_shown(kind: Kind, steps: tuple[Step, ...]) -> None:
    async with ScriptedServer() as server:
        for path in ("/api/chat", "/v1/chat/completions"):
            server.script(*steps, path=path)
        said = await told(server.url, kind)
    assert "…" in said
    for secret in ("KEYKEY", "sk-KE", AZURE, "word@", PASSWORD):
        assert secret not in said


async def test_short_words_and_those_that_are_no_secret_stay() -> None:
    async with ScriptedServer() as server:
        server.script(answer(400, {"error": "team blue has no key abc"}))
        backend = connect(Server(server.url, kind=Kind.OLLAMA, key=Secret("abc"), headers=(("X-Team", "blue"),)))
        with pytest.raises(ReplyError, match="team blue has no key abc"):
            await anext(backend.reply(ASKED))
        await backend.aclose()


def test_a_secret_is_hidden_wherever_it_stands() -> None:
    secrets = {"sk-1234", "unrelated"}
    assert (hidden("wait, sk-1234", secrets), hidden("sk-1234 is slow", secrets)) == ("wait, …", "… is slow")


async def test_no_way_to_ask_shows_a_secret() -> None:
    async with ScriptedServer() as server:
        for path in ("/api/tags", "/api/show"):
            server.script(answer(500, {"error": f"bad {KEY}"}), path=path)
        backend = connect(Server(server.url, kind=Kind.OLLAMA, key=Secret(KEY)))
        for ask in (backend.models, partial(backend.describe, "tiny")):
            with pytest.raises(ReplyError, match="bad …"):
                await ask()
        await backend.aclose()


async def test_finding_out_what_a_server_is_shows_no_secret() -> None:
    async with ScriptedServer() as server:
        for path in ("/v1/models", "/api/version", "/api/tags"):
            server.script(answer(500, {"error": {"message": f"bad {KEY}"}}), path=path)
        assert "bad …" in await told(server.url, Kind.AUTO)
