"""A server of our own that does as it is told, over real sockets: slowly, wrongly, halfway, or not at all.

    async with ScriptedServer() as server:
        server.script(head(), token("Hel"), wait(gate), token("lo"), done())

Scripts are lists of steps. Those for one path are used in order, the last one again and again. `/api/tags`,
`/api/show`, `/api/ps` and `/api/version` are answered without a script, with one model, `tiny:latest`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from tests.loopback import Exchange, Loopback, Request

NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json; charset=utf-8"
SSE: Final = "text/event-stream"

Step = Callable[[Exchange], Awaitable[None]]

MODEL: Final = {
    "name": "tiny:latest",
    "model": "tiny:latest",
    "modified_at": "2026-11-20T18:19:24.190651296Z",
    "size": 4086639,
    "digest": "8a7b" * 16,
    "details": {"family": "llama", "parameter_size": "1.02M", "quantization_level": "F16"},
    "capabilities": ["completion", "thinking"],
}


class ScriptedServer(Loopback):
    """The server. `async with` starts and stops it. `raw` steps make it speak any other dialect."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        """What was asked for, in order."""
        self.ports: set[int] = set()
        """The other ends of the connections that were made."""
        super().__init__(self._handle, port)
        self._scripts: dict[str, list[tuple[Step, ...]]] = {}
        self._own: dict[str, Step] = {
            "/api/tags": answer(200, {"models": [MODEL]}),
            "/api/ps": answer(200, {"models": []}),
            "/api/version": answer(200, {"version": "0.9.3"}),
            "/api/show": answer(200, {**MODEL, "model_info": {"llama.context_length": 2048}}),
        }

    @property
    def disconnected(self) -> asyncio.Event:
        """Set once a client has left before its script was at the end."""
        return self.left

    def asked(self, path: str = "/api/chat") -> list[Mapping[str, object]]:
        """The JSON bodies of the requests for `path`."""
        return [request.json() for request in self.requests if request.path == path]

    def script(self, *steps: Step, path: str = "/api/chat") -> None:
        """Add a script for the next request of `path`."""
        self._scripts.setdefault(path, []).append(steps)

    async def _handle(self, exchange: Exchange) -> None:
        path = exchange.request.path
        self.requests.append(exchange.request)
        self.ports.add(exchange.writer.get_extra_info("peername")[1])
        scripts = self._scripts.get(path) or [(self._own.get(path, _NOT_FOUND),)]
        for step in scripts.pop(0) if len(scripts) > 1 else scripts[0]:
            await step(exchange)


def answer(
    status: int, body: object = b"", content_type: str = JSON, headers: Sequence[tuple[str, str]] = ()
) -> Step:
    """A whole answer. A `body` that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda exchange: exchange.answer(status, data, content_type, headers)


def head(
    status: int = 200,
    content_type: str = NDJSON,
    headers: Sequence[tuple[str, str]] = (),
    *,
    chunked: bool = True,
) -> Step:
    """Status and headers of a stream. Without `chunked`, closing the connection is its only end."""
    return lambda exchange: exchange.start(status, content_type, headers, chunked=chunked)


def raw(data: bytes) -> Step:
    """Bytes of a stream, one chunk."""
    return lambda exchange: exchange.send(data)


def wire(data: bytes) -> Step:
    """Bytes as they are, with no HTTP around them."""

    async def step(exchange: Exchange) -> None:
        exchange.writer.write(data)
        await exchange.writer.drain()

    return step


def line(value: object) -> Step:
    """A line of NDJSON."""
    return raw(ndjson(value))


def token(text: str) -> Step:
    """A piece of the answer, in Ollama's words."""
    return line(content(text))


def thought(text: str) -> Step:
    """A piece of the thinking, in Ollama's words."""
    return line(
        {"model": "tiny", "message": {"role": "assistant", "content": "", "thinking": text}, "done": False}
    )


def done(reason: str = "stop", **more: object) -> Step:
    """Ollama's final line."""
    return line({**content(""), "done": True, "done_reason": reason, **more})


def end() -> Step:
    """The end of the stream, as HTTP has it."""
    return lambda exchange: exchange.end()


def reply(*tokens: str) -> list[Step]:
    """A whole good stream of Ollama's."""
    usage = {"prompt_eval_count": 10, "eval_count": len(tokens), "eval_duration": 20_000_000 * len(tokens)}
    return [head(), *map(token, tokens), done("stop", **usage), end()]


def pause(seconds: float) -> Step:
    """Silence for a while."""
    return lambda _: asyncio.sleep(seconds)


def wait(gate: asyncio.Event) -> Step:
    """Silence until the test opens `gate`."""

    async def step(_: Exchange) -> None:
        await gate.wait()

    return step


def stall() -> Step:
    """Silence for ever."""
    return wait(asyncio.Event())


def cut() -> Step:
    """The connection closes in the middle, with a FIN."""

    async def step(exchange: Exchange) -> None:
        exchange.writer.close()

    return step


def reset() -> Step:
    """The connection closes in the middle, with a RST."""

    async def step(exchange: Exchange) -> None:
        raw_socket = exchange.writer.get_extra_info("socket")
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.writer.transport.abort()

    return step


def content(text: str) -> dict[str, object]:
    """The JSON of a piece of the answer, in Ollama's words."""
    return {"model": "tiny", "message": {"role": "assistant", "content": text}, "done": False}


def ndjson(value: object) -> bytes:
    """A line of NDJSON, characters as they are."""
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


_NOT_FOUND: Final = answer(404, b"404 page not found", "text/plain")
