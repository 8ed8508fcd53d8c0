"""Clients that keep a connection and do not do their part."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from pathlib import Path

import pytest
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.relay.serve import Connection
from tui_chat.relay.settings import Settings

from tests.relay.kit import HELLO_BODY, ScriptedBackend, running, until

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET /hea", GET + b"GET /hea"], ids=["silent", "begun", "again"])
async def test_a_connection_without_a_whole_head_is_closed(tokens: Path, sent: bytes) -> None:
    async with running(ScriptedBackend(), tokens, Settings(head=0.05)) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(sent[: len(GET)])
        if sent.startswith(GET):
            await reader.readuntil(b'"}')
        writer.write(sent[len(GET) :])
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        writer.close()


async def test_bytes_that_make_no_head_win_no_time(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens, Settings(head=0.05)) as relay:
        _, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        connections = relay.server.server_state.connections
        await until(lambda: bool(connections))
        async with asyncio.timeout(3):
            writer.write(GET[:-2])
            while connections:
                writer.write(b"x: 1\r\n")
                await asyncio.sleep(0.01)
        writer.close()


async def test_a_request_may_take_longer_than_its_head(tokens: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((Accepted(), go.wait, Finished()))
    settings = Settings(head=0.05, silence=0.03)
    async with running(backend, tokens, settings) as relay, relay.chat(HELLO_BODY) as response:
        chunks = response.aiter_bytes()
        _ = [await anext(chunks) for _ in range(5)]
        go.set()
        assert b'"done"' in b"".join([chunk async for chunk in chunks])


async def test_a_client_that_takes_nothing_loses_its_connection(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend = ScriptedBackend((Accepted(), *[Delta("x" * 10_000)] * 5000, Finished()))
    async with running(backend, tokens, Settings(stuck=0.05)) as relay:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", relay.port))
            body = json.dumps(HELLO_BODY).encode()
            client.send(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body)
            await until(lambda: backend.yielded > 0)
            await until(lambda: not relay.server.server_state.connections)
        await until(lambda: backend.open == 0)
    assert any("client disconnected" in record.getMessage() for record in caplog.records)


async def test_a_client_that_takes_what_it_had_left_keeps_its_connection(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), *[Delta("x" * 10_000)] * 1000, asyncio.Event().wait))
    settings = Settings(stuck=1.0, silence=0.02)
    async with running(backend, tokens, settings) as relay, relay.chat(HELLO_BODY) as response:
        (connection,) = relay.server.server_state.connections
        assert isinstance(connection, Connection)
        await until(lambda: connection.flow.write_paused)
        heartbeats = 0
        async for chunk in response.aiter_bytes():
            heartbeats += chunk.count(b": still here")
            if heartbeats > 60:
                return
    pytest.fail("the connection was broken off")
