"""The log: one line per request, with who and how it went, and with nothing that was said."""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_chat.relay.authentication import OWNER

_PATHS: Final = ("/api/chat", "/api/streams", "/v1/chat/completions", "/v1/models", "/health")
_log = logging.getLogger("tui_chat.relay")


class AccessLog:
    """Logs what `app` answers when it is done. Paths appear only as far as they are the relay's own words."""

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
            path = next((path for path in _PATHS if f"{scope['path']}/".startswith(f"{path}/")), "elsewhere")
            who = scope.get(OWNER) or "-"
            seconds = time.monotonic() - start
            end = "" if whole else " client left"
            _log.info("%s %s %s %s %.1fs%s", who, scope["method"], path, status or "-", seconds, end)
