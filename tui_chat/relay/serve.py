"""Serves the relay with uvicorn, and closes the connections of clients that send or read too slowly."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tui_chat.relay.app import Relay
from tui_chat.relay.settings import Settings
from tui_chat.tasks import start_task

_log = logging.getLogger("tui_chat.relay")
_HEADER_BYTES = 32 * 1024
_CONNECTIONS = 1024
_GOODBYE_SECONDS = 3


class Connection(H11Protocol):
    """HTTP/1.1 by h11, with deadlines for the head of a request to arrive and for the client to read an answer."""

    def __init__(self, settings: Settings, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._settings = settings
        self._deadlines: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # the first byte that the system cannot take pauses writing
        self._begin("head", self._settings.head, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._meet("head")
        self._meet("taking")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. An incomplete head does not extend the deadline."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._begin("head", self._settings.head, self.transport.close)
        else:
            self._meet("head")

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().pause_writing()
        self._begin("taking", self._settings.stuck, self.transport.abort)  # closing would wait for it

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().resume_writing()
        self._meet("taking")

    def _begin(self, deadline: str, seconds: float, late: Callable[[], None]) -> None:
        """Call `late` in `seconds` unless `_meet` comes first; a deadline that runs is not extended."""
        if deadline not in self._deadlines:
            self._deadlines[deadline] = self.loop.call_later(seconds, late)

    def _meet(self, deadline: str) -> None:
        if timer := self._deadlines.pop(deadline, None):
            timer.cancel()


class Server(uvicorn.Server):
    """Serves a relay; on shutdown it ends the streams first, since waiting for them could take half an hour."""

    def __init__(self, relay: Relay) -> None:
        config = uvicorn.Config(
            relay.app,
            # h11 limits the size of headers; the other parser does not
            http=partial(Connection, relay.settings),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        super().__init__(config)
        self._relay = relay

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and log the address."""
        await super().startup(sockets)
        self._watching = start_task(self._relay.watch_tokens())
        upstream = self._relay.backend.server.label
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _log.info("Relay to %s at http://%s:%s", upstream, f"[{host}]" if ":" in host else host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the server."""
        self._watching.cancel()
        await self._relay.streams.aclose()
        await super().shutdown(sockets)
        await self._relay.backend.aclose()
        _log.info("The relay has stopped")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`.

    Raises:
        OSError: the address is taken, or is not this machine's.
    """
    info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = info[0]
    dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, dualstack_ipv6=dual)
