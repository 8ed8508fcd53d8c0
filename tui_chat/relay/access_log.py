"""The access log: per request the token's name, the path, the status and the time; never the content."""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_chat.relay.authentication import OWNER

_PATHS: Final = ("/api/chat", "/api/streams", "/v1/chat/completions", "/v1/models", "/health")
_log = logging.getLogger("tui_chat.relay")


class AccessLog:
    """Logs each request to `app` when it has ended, with its route instead of the path that the client wrote."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        status = 0
        whole = False

        async def watching(message: Message) -> None:
            nonlocal status, whole
            status = message.get("status", status)
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            await self._app(scope, receive, watching)
        finally:
            path = next((path for path in _PATHS if f"{scope['path']}/".startswith(f"{path}/")), "(other path)")
            who = scope.get(OWNER) or "-"
            seconds = time.monotonic() - start
            end = "" if whole else " client disconnected"
            _log.info("%s %s %s %s %.1fs%s", who, scope["method"], path, status or "-", seconds, end)
