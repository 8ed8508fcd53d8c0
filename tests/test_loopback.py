"""The small HTTP server below the scripted server, spoken to in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.loopback import Exchange, Loopback

GET = b"GET /a?b=1 HTTP/1.1\r\nHost: box\r\n\r\n"


async def echo(exchange: Exchange) -> None:
    request = exchange.request
    await exchange.answer(200, f"{request.method} {request.path} ".encode() + request.body, "text/plain")


@pytest.fixture
async def loopback() -> AsyncIterator[Loopback]:
    async with Loopback(echo) as server:
        yield server


async def connect(loopback: Loopback) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", urlsplit(loopback.url).port)


async def body_from(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))


async def test_a_connection_serves_many_requests(loopback: Loopback) -> None:
    reader, writer = await connect(loopback)
    for _ in range(3):
        writer.write(GET)
        assert await body_from(reader) == b"GET /a?b=1 "
    writer.close()


async def test_a_body_may_come_in_pieces(loopback: Loopback) -> None:
    reader, writer = await connect(loopback)
    for piece in (b"POST / HTTP/1.1\r\nCont", b"ent-Length: 5\r\n\r\nhe", b"llo"):
        writer.write(piece)
        await asyncio.sleep(0.01)
    assert await body_from(reader) == b"POST / hello"
    writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
        b"x" * 200_000,
    ],
)
async def test_what_is_no_request_ends_the_connection(data: bytes, loopback: Loopback) -> None:
    reader, writer = await connect(loopback)
    writer.write(data)
    with suppress(ConnectionError):  # a reset, where it had not read everything
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert writer.is_closing() or reader.at_eof() or reader.exception()
    writer.close()


async def test_a_client_that_leaves_cancels_the_handler() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_: Exchange) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with Loopback(wait) as loopback:
        _, writer = await connect(loopback)
        writer.write(GET)
        await asyncio.wait_for(begun.wait(), 5)
        assert not loopback.left.is_set()
        writer.close()
        await asyncio.wait_for(cancelled.wait(), 5)
        assert loopback.left.is_set()


async def test_stopping_it_ends_what_it_is_doing() -> None:
    begun = asyncio.Event()

    async def wait(_: Exchange) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with Loopback(wait) as loopback:
        reader, writer = await connect(loopback)
        writer.write(GET)
        await asyncio.wait_for(begun.wait(), 5)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert not loopback.left.is_set()
    writer.close()
