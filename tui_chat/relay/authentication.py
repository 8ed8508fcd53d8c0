"""Who gets in: by the name the relay is called by, the web page that calls, and the token.

Pure ASGI, since a middleware that wraps streams in tasks of its own would hold back disconnects.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_chat.errors import ConfigError
from tui_chat.protocol.relay import GRACE_HEADER, STREAM_HEADER
from tui_chat.relay.problems import Problem
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile

OWNER: Final = "tui_chat.owner"
"""Where in the scope the name of the token stands; empty for anybody."""
OPEN_PATHS: Final = ("/health",)

_BEARER: Final = re.compile(r"bearer +(\S+)", re.I)
_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, last-event-id, x-resume",
    "access-control-max-age": "3600",
}
_log = logging.getLogger("tui_chat.relay")


class Authentication:
    """Lets requests through to `app` that may pass, with `OWNER` in their scope.

    Once there was a token, one is demanded for ever: removing the last one opens nothing.
    """

    def __init__(self, app: ASGIApp, settings: Settings, tokens: TokenFile, *, demand: bool) -> None:
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._demand = demand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            origin = self._origin(headers)
        except Problem as problem:
            await refuse(problem)(scope, receive, send)
            return
        if origin:
            send = _allowing(origin, send)
        if origin and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        try:
            owner = "" if scope["path"] in OPEN_PATHS else self._owner(headers)
        except Problem as problem:
            await refuse(problem)(scope, receive, send)
            return
        scope[OWNER] = owner
        await self._app(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        """A page may have its own name lead here (DNS rebinding): then `Host` is that name."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not _is_host(hosts[0], self._settings.hosts):
            raise Problem(
                403, "refused", "The relay does not go by that name.", "Start it with --allow-host NAME."
            )

    def _origin(self, headers: Headers) -> str:
        """The web page that calls, empty where it is none. Unchecked, any page in a browser could call."""
        origin = headers.get("origin", "")
        if origin and origin not in self._settings.origins:
            raise Problem(
                403,
                "refused",
                "Web pages of that origin may not use the relay.",
                "Start it with --allow-origin URL.",
            )
        return origin

    def _owner(self, headers: Headers) -> str:
        try:
            self._demand = self._demand or bool(self._tokens.names)
            if not self._demand:
                return ""
            given = _BEARER.fullmatch(headers.get("authorization", ""))
            owner = self._tokens.owner_of(given[1].encode("latin-1", "replace")) if given else None
        except ConfigError as error:
            _log.error("%s", error)
            raise Problem(
                503, "server_fault", "The relay's file of tokens is of no use.", "Its log says why."
            ) from None
        if owner is None:
            raise Problem(
                401,
                "unauthorized",
                "The relay wants a token, or another one.",
                "Set it as the server's key: in tui-chat with F3, then ^R.",
            )
        return owner


def refuse(problem: Problem) -> Response:
    """The answer that says no."""
    return JSONResponse(problem.body, problem.status, problem.headers)


def _is_host(value: str, names: frozenset[str]) -> bool:
    """Whether `Host` gives one of `names`, an IP address or localhost, which no other page can have as its own."""
    try:
        parts = urlsplit(f"//{value}")
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if parts.netloc != value or parts.username is not None:
        return False
    if host in names or host == "localhost" or host.endswith(".localhost"):
        return bool(host)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _allowing(origin: str, send: Send) -> Send:
    async def allowing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = f"{STREAM_HEADER}, {GRACE_HEADER}, retry-after"
            headers.add_vary_header("origin")
        await send(message)

    return allowing
