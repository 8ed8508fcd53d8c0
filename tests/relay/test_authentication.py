"""Who gets in, and what the log says of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from tui_chat.events import Accepted, Delta
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile

from tests.relay.kit import HELLO_BODY, ScriptedBackend, events_of, running, until


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_with_tokens_only_their_owners_get_in(tokens: Path) -> None:
    token = TokenFile(tokens).add("anna")
    wrong: list[Mapping[str, str]] = [{}, bearer("relay-x"), bearer(token + "x"), bearer(token[:-1])]
    wrong += [bearer("schlüssel"), {"authorization": f"Basic {token}"}, {"authorization": "Bearer"}]
    async with running(ScriptedBackend(), tokens) as relay:
        for path in ("/v1/models", "/nowhere", "/api/chat"):
            for headers in wrong:
                raw = [(name.encode(), value.encode()) for name, value in headers.items()]
                answer = await relay.client.get(path, headers=raw)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert (await relay.client.get("/v1/models", headers=bearer(token))).status_code == 200
        lower = {"authorization": f"bearer {token}"}
        assert (await relay.client.get("/v1/models", headers=lower)).status_code == 200
        assert (await relay.client.get("/v1/models", params={"token": token})).status_code == 401


async def test_tokens_come_and_go_while_the_relay_runs_and_the_last_one_opens_nothing(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        assert (await relay.client.get("/v1/models")).status_code == 200
        token = TokenFile(tokens).add("anna")
        assert (await relay.client.get("/v1/models")).status_code == 401
        assert (await relay.client.get("/v1/models", headers=bearer(token))).status_code == 200
        TokenFile(tokens).remove("anna")
        assert (await relay.client.get("/v1/models", headers=bearer(token))).status_code == 401
        tokens.unlink()
        assert (await relay.client.get("/v1/models")).status_code == 401


async def test_a_file_of_tokens_that_others_can_read_lets_nobody_in(tokens: Path) -> None:
    token = TokenFile(tokens).add("anna")
    async with running(ScriptedBackend(), tokens) as relay:
        tokens.chmod(0o644)
        tokens.write_text(tokens.read_text() + "\n")
        assert (await relay.client.get("/v1/models", headers=bearer(token))).status_code == 503


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8100", 200),
        ("127.0.0.1", 200),
        ("[::1]:8100", 200),
        ("192.168.1.9", 200),
        ("localhost", 200),
        ("LocalHost:1", 200),
        ("box.localhost", 200),
        ("chat.example.org", 200),
        ("chat.example.org.:443", 200),
        ("evil.example.org", 403),
        ("localhost.example.org", 403),
        ("127.0.0.1.example.org", 403),
        ("x@localhost", 403),
        ("localhost/x", 403),
        ("localhost:x", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
async def test_the_relay_answers_to_its_own_names_only(tokens: Path, host: str, status: int) -> None:
    settings = Settings(hosts=frozenset({"chat.example.org"}))
    async with running(ScriptedBackend(), tokens, settings) as relay:
        for path in ("/health", "/v1/models"):
            assert (await relay.client.get(path, headers={"host": host})).status_code == status


async def test_web_pages_may_call_only_from_a_configured_origin(tokens: Path) -> None:
    token = TokenFile(tokens).add("anna")
    good = "https://chat.example.org"
    async with running(ScriptedBackend(), tokens, Settings(origins=frozenset({good}))) as relay:
        for origin in ("https://evil.example.org", "null", good + ".evil.org", "http://chat.example.org"):
            for method in ("OPTIONS", "GET"):
                answer = await relay.client.request(
                    method, "/v1/models", headers={"origin": origin, **bearer(token)}
                )
                assert answer.status_code == 403
                assert "access-control-allow-origin" not in answer.headers
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        preflight = await relay.client.options("/api/chat", headers={"origin": good, **asked})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == good
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        for headers, status in ((bearer(token), 200), ({}, 401)):
            answer = await relay.client.post("/api/chat", json=HELLO_BODY, headers={"origin": good, **headers})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == good
            assert "x-stream-id" in answer.headers["access-control-expose-headers"]
            assert "origin" in answer.headers["vary"].lower()


async def test_without_a_configured_origin_there_is_no_cors(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        answers = [
            await relay.client.get("/v1/models"),
            await relay.client.options("/v1/models"),
            await relay.client.get("/v1/models", headers={"origin": "https://chat.example.org"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 405, 403]
    assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)


async def test_the_log_holds_names_but_no_tokens_and_nothing_that_was_said(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = TokenFile(tokens).add("anna")
    body = {"message": "secret-prompt", "model": "secret-model"}
    async with running(ScriptedBackend(), tokens) as relay:
        caplog.clear()
        for logger in ("httpx", "httpcore"):  # the client's, which this is not about
            logging.getLogger(logger).setLevel(logging.WARNING)
        await relay.client.post("/api/chat?secret-query=1", json=body, headers=bearer(token))
        await relay.client.post("/api/chat", content=b"secret-prompt", headers=bearer(token))
        await relay.client.get("/secret-path", headers=bearer(token))
        await relay.client.get("/v1/models/secret-model", headers=bearer(token))
        await relay.client.get("/v1/models", headers=bearer(token + "x"))
    lines = [record.getMessage() for record in caplog.records if record.filename == "access_log.py"]
    assert [line.rpartition(" ")[0] for line in lines] == [
        "anna POST /api/chat 200",
        "anna POST /api/chat 400",
        "anna GET (other path) 404",
        "anna GET /v1/models 404",
        "- GET /v1/models 401",
    ]
    assert "secret" not in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize("headers", [{}, {"x-resume": "1"}], ids=["plain", "resumable"])
async def test_the_log_tells_who_left_from_who_stayed(
    tokens: Path, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    caplog.set_level(logging.INFO)
    backend = ScriptedBackend((Accepted(), Delta("x"), asyncio.Event().wait))

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.filename == "access_log.py"]

    async with running(backend, tokens) as relay:
        async with relay.chat(HELLO_BODY, headers=headers) as response:
            await anext(events_of(response))
        await until(lambda: len(lines()) == 1)
        await relay.client.get("/v1/models")
    assert [line.endswith(" client disconnected") for line in lines()] == [True, False]
