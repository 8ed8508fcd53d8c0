"""How many questions a start and a reply take, and how many connections."""

from __future__ import annotations

import pytest
from tui_chat.events import Finished
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import connect
from tui_chat.servers.connection import Connection

from tests.server import MODEL, ScriptedServer, answer, reply

LOADED = answer(200, {"models": [{**MODEL, "context_length": 512}]})


@pytest.mark.parametrize("kind", [Kind.AUTO, Kind.OLLAMA])
async def test_a_start_asks_an_ollama_three_things_over_one_connection(kind: Kind) -> None:
    async with ScriptedServer() as server:
        connection = Connection(connect, Server(server.url, kind=kind))
        await connection.look()
        assert [request.path for request in server.requests] == ["/api/tags", "/api/ps", "/api/show"]
        assert len(server.ports) == 1
        await connection.aclose()
    assert connection.model == "tiny:latest"


async def test_a_start_with_a_loaded_model_asks_two() -> None:
    async with ScriptedServer() as server:
        server.script(LOADED, path="/api/ps")
        connection = Connection(connect, Server(server.url))
        await connection.look()
        assert [request.path for request in server.requests] == ["/api/tags", "/api/ps"]
        await connection.aclose()
    assert connection.window == 512


async def test_after_a_reply_only_what_can_have_changed_is_asked() -> None:
    async with ScriptedServer() as server:
        connection = Connection(connect, Server(server.url))
        await connection.look()
        server.requests.clear()
        server.script(*reply("Hi"))
        server.script(LOADED, path="/api/ps")
        for _ in range(3):
            request = ChatRequest(connection.model, (Message(Role.USER, parts_of("Hi")),))
            events = [event async for event in connection.backend.reply(request)]
            assert isinstance(events[-1], Finished)
            await connection.measure()
        assert [request.path for request in server.requests] == ["/api/chat", "/api/ps", "/api/chat", "/api/chat"]
        await connection.aclose()
    assert connection.window == 512


async def test_a_model_that_is_chosen_is_measured_anew() -> None:
    async with ScriptedServer() as server:
        server.script(LOADED, path="/api/ps")
        connection = Connection(connect, Server(server.url))
        await connection.look()
        connection.use("other")
        await connection.measure()
        assert [request.path for request in server.requests][2:] == ["/api/ps", "/api/show"]
        await connection.aclose()
