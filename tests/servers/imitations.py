"""Servers that answer by path, with the bytes that real ones send, and remember what they were asked."""

from __future__ import annotations

from collections.abc import Mapping

from tests import server
from tests.loopback import Exchange, Loopback, Request
from tests.server import Step
from tests.servers.openai_recordings import recorded


def answer(
    body: object, status: int = 200, content_type: str = server.JSON, headers: Mapping[str, str] | None = None
) -> Step:
    """A whole answer: bytes and text as they are, anything else as JSON."""
    data = body.encode() if isinstance(body, str) else body
    return server.answer(status, data, content_type, [*(headers or {}).items()])


def replay(name: str) -> Step:
    """The answer in a recording."""
    recording = recorded(name)
    kept = {key: value for key, value in recording.headers.items() if key in ("server", "x-request-id")}
    return answer(recording.body, recording.status, recording.headers.get("content-type", ""), kept)


def stream(*chunks: bytes, last: Step | None = None) -> Step:
    """An event stream in pieces, and then its end or what else comes `last`."""
    return in_order(server.head(200, server.SSE), *map(server.raw, chunks), last or server.end())


def in_order(*steps: Step) -> Step:
    """All steps for every request."""

    async def step(exchange: Exchange) -> None:
        for each in steps:
            await each(exchange)

    return step


def in_turn(*steps: Step) -> Step:
    """Another step for every request; the last one from then on."""
    left = list(steps)

    async def step(exchange: Exchange) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return step


class Imitation(Loopback):
    """A server with these paths, with or without their queries; any other gives 404, or `other`.

    `async with` starts and stops it.
    """

    def __init__(self, routes: Mapping[str, Step], other: Step | None = None) -> None:
        self.requests: list[Request] = []
        self._routes = routes
        self._other = other or answer("404 page not found", 404, "text/plain")
        super().__init__(self._handle)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    def bodies(self, path: str) -> list[Mapping[str, object]]:
        """What was posted to `path`."""
        return [request.json() for request in self.requests if request.path == path and request.method == "POST"]

    async def _handle(self, exchange: Exchange) -> None:
        self.requests.append(exchange.request)
        path = exchange.request.path
        bare = self._routes.get(path.partition("?")[0], self._other)
        await self._routes.get(path, bare)(exchange)
