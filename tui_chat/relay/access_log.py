"""The access log: per request the token's name, the path, the status and the time; never the content."""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_chat.relay.authentication import OWNER

_PATHS: Final = ("/api/chat", "/api/streams", "/v1/chat/completions", "/v1/models", "/health")
_log = logging.getLogger("tui_chat.relay")


def logged(app: ASGIApp) -> ASGIApp:
    """`app`, with a line in the log when a request has ended: its route, not the path that the client wrote."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()
        status = 0
        whole = False

        async def watching(message: Message) -> None:
            nonlocal status, whole
            status = message.get("status", status)
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            await app(scope, receive, watching)
        finally:
            path = next((path for path in _PATHS if f"{scope['path']}/".startswith(f"{path}/")), "(other path)")
            who = scope.get(OWNER) or "-"
            seconds = time.monotonic() - start
            end = "" if whole else " client disconnected"
            _log.info("%s %s %s %s %.1fs%s", who, scope["method"], path, status or "-", seconds, end)

    return handle
