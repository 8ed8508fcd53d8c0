"""Asking many servers at once, and choosing among those that were found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tui_chat.config import Config
from tui_chat.errors import Unreachable
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.backend import connect
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.connection import Backends, Connection
from tui_chat.servers.probe import Attempt, Discovery, detect
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import Origin, ServerEntry, ServerFile

from tests.server import ScriptedServer, answer, stall

DEAD = "http://127.0.0.1:9"


def finds(*servers: ScriptedServer) -> Callable[[], Awaitable[Discovery]]:
    async def discover() -> Discovery:
        found = [await detect(Server(each.url, named=False)) for each in servers]
        return Discovery(tuple(map(Attempt, found)))

    return discover


async def test_everybody_who_answers_is_heard_while_one_stays_silent() -> None:
    async with ScriptedServer() as alive, ScriptedServer() as silent:
        for path in ("/api/tags", "/v1/models", "/api/version"):
            silent.script(stall(), path=path)
        backends = Backends(connect)
        config = Config(servers=(Server(silent.url), Server(alive.url), Server(DEAD)))
        survey = ModelCatalog(ServerRegistry(config, ServerFile()), backends)
        reports: list[ProbeResult] = []
        heard = asyncio.Event()

        def hear(report: ProbeResult) -> None:
            reports.append(report)
            if len(reports) == 2:
                heard.set()

        asking = asyncio.ensure_future(survey.everybody(hear))
        await asyncio.wait_for(heard.wait(), 10)
        assert not asking.done()
        asking.cancel()
        await asyncio.wait([asking])
        await backends.aclose()
        by_url = {report.known.server.url: report for report in reports}
        assert [model.name for model in by_url[alive.url].models] == ["tiny:latest"]
        assert by_url[alive.url].server.flavour is Flavour.OLLAMA
        assert isinstance(by_url[DEAD].error, Unreachable)


async def test_a_silent_server_is_given_up_after_a_while() -> None:
    async with ScriptedServer() as silent:
        for path in ("/api/tags", "/v1/models", "/api/version"):
            silent.script(stall(), path=path)
        backends = Backends(connect)
        survey = ModelCatalog(
            ServerRegistry(Config(servers=(Server(silent.url, name="gpu"),)), ServerFile()), backends
        )
        report = await survey.ask(survey.book.known()[0], within=0.05)
        assert "gpu did not answer" in str(report.error)


async def test_a_server_is_listed_once_however_it_is_spelt_and_found_again() -> None:
    async with ScriptedServer() as server:
        spelt = Server(server.url.replace("127.0.0.1", "localhost"), name="mine")
        book = ServerRegistry(Config(servers=(spelt,)), ServerFile())
        backends = Backends(connect)
        heard: list[ProbeResult] = []
        await ModelCatalog(book, backends, finds(server)).everybody(heard.append)
        await backends.aclose()
        assert [known.server.name for known in book.known()] == ["mine"]
        assert len(heard) == 1
        known = book.at(server.url)
        assert known is not None
        assert known.server == spelt


async def test_of_the_servers_that_are_found_the_first_with_models_is_taken() -> None:
    async with ScriptedServer() as empty, ScriptedServer() as full:
        empty.script(answer(200, {"models": []}), path="/api/tags")
        connection = Connection(connect, Server(DEAD, named=False), discover=finds(empty, full))
        await connection.look()
        assert (connection.server.url, connection.model) == (full.url, "tiny:latest")
        await connection.aclose()


async def test_a_server_without_models_gives_way_only_where_the_user_did_not_name_it() -> None:
    async with ScriptedServer() as empty, ScriptedServer() as full:
        empty.script(answer(200, {"models": []}), path="/api/tags")
        for named, chosen in ((True, empty), (False, full)):
            connection = Connection(connect, Server(empty.url, named=named), discover=finds(empty, full))
            await connection.look()
            assert connection.server.url == chosen.url
            await connection.aclose()


async def test_a_late_answer_of_one_server_is_not_taken_for_anothers() -> None:
    async with ScriptedServer() as slow, ScriptedServer() as quick:
        gate = asyncio.Event()

        async def wait(_: object) -> None:
            await gate.wait()

        slow.script(wait, answer(200, {"models": [{"name": "slow", "model": "slow"}]}), path="/api/tags")
        connection = Connection(connect, Server(slow.url))
        looking = asyncio.ensure_future(connection.look())
        while "/api/tags" not in [request.path for request in slow.requests]:
            await asyncio.sleep(0.01)
        connection.switch(Server(quick.url))
        await connection.look()
        gate.set()
        await looking
        assert (connection.server.url, connection.model) == (quick.url, "tiny:latest")
        await connection.aclose()


def test_a_broken_file_of_servers_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    (tmp_path / "servers.toml").write_text("[[servers")
    book = ServerRegistry(Config(servers=(Server(DEAD),)), ServerFile(tmp_path / "servers.toml"))
    assert [known.origin for known in book.known()] == [Origin.CONFIG]
    assert "not valid TOML" in book.warnings[0]


def test_an_address_of_a_chat_is_known_if_it_was_named_or_is_looked_at_anyway() -> None:
    socket = Server("http://localhost", name="s", uds="/run/my llama.sock")
    book = ServerRegistry(Config(servers=(socket, Server("http://box:8080"))), ServerFile())
    named = [book.at(address) for address in (socket.address, "http://box:8080")]
    assert [known and known.server for known in named] == [socket, Server("http://box:8080")]
    found = book.at("http://localhost:8080")
    assert found is not None
    assert not found.server.named
    assert book.at("http://elsewhere:8080") is None
    assert book.at("http://127.0.0.1:9") is None


def test_an_answer_counts_for_the_server_that_was_found_at_the_same_place() -> None:
    """The server in use knows its kind; the same one, found on this machine, is another value."""
    catalog = ModelCatalog(ServerRegistry(Config(), ServerFile()), Backends(connect))
    asked = ServerEntry(Server("http://127.0.0.1:11434", kind=Kind.OLLAMA), Origin.NAMED)
    catalog.reports[asked.server] = told = ProbeResult(asked, asked.server)
    same = Server("http://127.0.0.1:11434", named=False)
    assert catalog.report(ServerEntry(same, Origin.FOUND)) is told
    assert catalog.report(ServerEntry(same, Origin.CONFIG)) is None
    assert catalog.report(ServerEntry(Server("http://127.0.0.1:8080", named=False), Origin.FOUND)) is None
