"""The card where no server can be used: what is wrong, and a way out that is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_chat.config import Config
from tui_chat.server import Kind, Server
from tui_chat.servers.server_file import ServerFile
from tui_chat.ui.widgets.welcome import Welcome

from tests.loopback import Exchange
from tests.server import Step
from tests.servers.imitations import Imitation, answer
from tests.ui.kit import AppDriver, driven
from tests.ui.test_servers import fill_in, open_servers

KEYED = {"data": [{"id": "tiny", "owned_by": "llamacpp"}]}
REFUSED = answer({"error": {"message": "unauthorized"}}, 401)


async def only_with_a_key(exchange: Exchange) -> None:
    fine = exchange.request.headers.get("authorization") == "Bearer sesame"
    await (answer(KEYED) if fine else REFUSED)(exchange)


def card(run: AppDriver) -> str:
    return "\n".join(row.plain for line in run.chat.query_one(Welcome).lines for row in line.rows(76))


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_missing_key_is_said_with_the_keys_that_set_it(size: tuple[int, int]) -> None:
    async with (
        Imitation({"/v1/models": only_with_a_key}) as server,
        driven(Server(server.url), size=size, ready=False) as run,
    ):
        await run.until(lambda: run.status.error)
        await run.pilot.pause()
        assert run.shows("needs a valid API key")
        assert run.shows("F3, then ^R sets the key" if size[1] > 10 else "set the key: ^R on this")
        assert "401: unauthorized" in card(run)
        assert "ollama" not in card(run)


async def test_the_key_that_is_set_there_is_used_at_once(tmp_path: Path) -> None:
    async with (
        Imitation({"/v1/models": only_with_a_key}) as server,
        driven(Server(server.url), ready=False, added=ServerFile(tmp_path / "servers.toml")) as run,
    ):
        await run.until(lambda: run.status.error)
        await open_servers(run)
        await run.pilot.press("ctrl+r")
        await fill_in(run, key="sesame")
        await run.pilot.press("enter")
        await run.until(lambda: run.header.model == "tiny")
        assert run.app.workspace.connection.error is None


@pytest.mark.parametrize(
    ("url", "other", "says", "way"),
    [
        ("{}/foo/bar", answer("404 page not found", 404), "No model server answers", "without /foo/bar"),
        ("{}", answer("It works!", 200, "text/plain"), "No model server answers", "host and port"),
        ("{}", answer("Client sent an HTTP request to an HTTPS server.", 400), "needs https", "https://"),
        ("https{}", answer("x", 400), "does not speak TLS", "http://"),
    ],
)
async def test_a_url_that_leads_elsewhere_is_told_and_ollama_is_not_to_blame(
    url: str, other: Step, says: str, way: str
) -> None:
    async with Imitation({}, other) as server:
        address = url.format(server.url if url.startswith("{") else server.url.removeprefix("http"))
        async with driven(Server(address), ready=False) as run:
            await run.until(lambda: run.status.error)
            assert says in card(run)
            assert way in card(run)
            assert "F3" in card(run)
            assert "ollama serve" not in card(run)


async def test_an_unknown_host_is_told() -> None:
    async with driven(Server("http://no-such-host.invalid"), ready=False) as run:
        await run.until(lambda: run.status.error)
        assert "no-such-host.invalid was not found" in card(run)
        assert "ollama serve" not in card(run)


async def test_a_server_without_models_is_told_how_to_get_one_only_where_that_is_ollama() -> None:
    for kind, path, body in (
        (Kind.OLLAMA, "/api/tags", {"models": []}),
        (Kind.OPENAI, "/v1/models", {"object": "list", "data": []}),
    ):
        async with (
            Imitation({path: answer(body), "/health": answer({"status": "ok"})}) as server,
            driven(Server(server.url, name="box", kind=kind), ready=False) as run,
        ):
            await run.until(lambda: "no models" in card(run))
            assert ("pull qwen3:" in card(run)) is (kind is Kind.OLLAMA)


async def test_the_bar_does_not_repeat_the_card() -> None:
    async with (
        Imitation({"/v1/models": only_with_a_key}) as server,
        driven(Server(server.url), ready=False) as run,
    ):
        await run.until(lambda: run.status.error)
        assert (run.status.text, run.status.hint) == ("key needed", "")
        assert "401: unauthorized" in card(run)
    async with driven(Server("http://127.0.0.1:9"), ready=False) as run:
        await run.until(lambda: run.status.error)
        assert (run.status.text, run.status.hint) == ("no server", "")


async def test_the_words_stand_below_each_other_beside_keys_of_any_length() -> None:
    async with driven(None, config=Config(keys={"command-palette": "shift+f1", "chats": "ctrl+shift+f2"})) as run:
        rows = [row for row in card(run).splitlines() if row.endswith(("all commands", "or search chats", "send"))]
        assert rows == [
            "Enter          send",
            "Ctrl+Shift+F2  open or search chats",
            "Shift+F1       all commands",
        ]
