"""Who may use the relay: checks the `Host` header, the origin of a web page, and the token.

Pure ASGI: a middleware that wraps streams in its own tasks would delay disconnects.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from tui_chat.errors import ConfigError
from tui_chat.relay.problems import Problem, refused
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.servers.dialects.relay import GRACE_HEADER, STREAM_HEADER

OWNER: Final = "tui_chat.owner"
"""The key in the ASGI scope for the token's name, which is empty where none is required."""
OPEN_PATHS: Final = ("/health",)

_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?)\.?)(?::[0-9]+)?")
"""An IPv6 address or a name, with an optional port."""
_BEARER: Final = re.compile(r"bearer +(\S+)", re.I)
_log = logging.getLogger("tui_chat.relay")


def cross_origin(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """`app` with CORS headers, so that pages of these origins may read its answers."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type", "last-event-id", "x-resume"],
        expose_headers=[STREAM_HEADER, GRACE_HEADER, "retry-after"],
        max_age=3600,
    )


class Authentication:
    """Passes allowed requests to `app`, with `OWNER` in their scope, and refuses others.

    Once a token has existed, one is always required: removing the last one does not open the relay.
    """

    def __init__(self, app: ASGIApp, settings: Settings, tokens: TokenFile, *, demand: bool) -> None:
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._demand = demand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        answer, headers = self._app, Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(headers)
            scope[OWNER] = "" if scope["path"] in OPEN_PATHS else self._owner(headers)
        except Problem as problem:
            answer = problem.response
        await answer(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        """Refuse unknown names in `Host`: a web page can point its own name at this machine (DNS rebinding)."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not _is_host(hosts[0], self._settings.hosts):
            hint = "Start it with --allow-host NAME."
            raise refused("The relay does not answer to that host name.", hint, status=403)

    def _check_origin(self, headers: Headers) -> None:
        """Refuse other origins: otherwise any page in a browser could use the relay."""
        if headers.get("origin", "") not in {"", *self._settings.origins}:
            hint = "Start it with --allow-origin URL."
            raise refused("Web pages from that origin may not use the relay.", hint, status=403)

    def _owner(self, headers: Headers) -> str:
        try:
            self._demand = self._demand or bool(self._tokens.digests)
            if not self._demand:
                return ""
            given = _BEARER.fullmatch(headers.get("authorization", ""))
            owner = self._tokens.owner_of(given[1].encode("latin-1", "replace")) if given else None
        except ConfigError as error:
            _log.error("%s", error)
            unread = "The relay cannot read its token file."
            raise Problem(503, "server_fault", unread, "Its log says why.") from None
        if owner is None:
            hint = "In tui-chat, set it as the server's key in the list of servers."
            raise Problem(401, "unauthorized", "The relay needs a valid token.", hint)
        return owner


def _is_host(value: str, names: frozenset[str]) -> bool:
    """Whether `Host` is one of `names`, an IP address or localhost, none of which a foreign page can own."""
    match = _HOST.fullmatch(value.lower())
    if match is None:
        return False
    host = match[1] or match[2]
    if host in names or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
