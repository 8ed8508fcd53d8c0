"""The relay in a process of its own: uvicorn around it."""

from __future__ import annotations

import logging
import socket

import uvicorn

from tui_chat.relay.app import Relay
from tui_chat.relay.connection import connection

_log = logging.getLogger("tui_chat.relay")
_HEADER_BYTES = 32 * 1024
_CONNECTIONS = 1024
_GOODBYE_SECONDS = 3


class Server(uvicorn.Server):
    """Serves a relay, and on the way out ends its streams first: waiting for them could take half an hour."""

    def __init__(self, relay: Relay) -> None:
        config = uvicorn.Config(
            relay.app,
            http=connection(relay.settings),  # on h11: its limit on headers holds; the other parser has none
            ws="none",
            lifespan="on",
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
        """Begin to serve, and log where."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _log.info(
                "Relay to %s at http://%s:%s", self._relay.upstream, f"[{host}]" if ":" in host else host, port
            )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the server."""
        await self._relay.streams.aclose()
        await super().shutdown(sockets)
        _log.info("The relay has stopped")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        OSError: the address is not this machine's, or taken.
    """
    info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = info[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
