"""Proxy, headers and socket options for a server, and the secrets to hide."""

from __future__ import annotations

import ipaddress
import json
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from tui_chat.server import Server, carries_key
from tui_chat.text.overlap import overlap
from tui_chat.text.sanitize import clean_line

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds of silence before the first probe, seconds between probes, and how many may stay unanswered."""
PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_LOCAL: Final = ("localhost", "localhost.localdomain")
_SHORTEST: Final = 4
"""Shorter secrets are not hidden: they occur in any text."""
_LEAST: Final = 4
"""So many characters of a secret that a text was cut in are hidden."""
_SHORTEST_VALUE: Final = 6
"""Shorter values of other headers are not hidden: they are words, like the name of a team."""


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without brackets, is loopback."""
    name = host.lower().rstrip(".")
    if name in _LOCAL or name.endswith(".localhost"):
        return True
    with suppress(OSError, ValueError):  # 127.1 and 2130706433 are spellings that systems resolve
        name = socket.inet_ntoa(socket.inet_aton(name))
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def can_connect(url: str, schemes: tuple[str, ...] = ("http", "https")) -> bool:
    """Whether `url` is valid enough to connect to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:  # a bad port or bracket; UnicodeError for a label that is too long
        return False
    return parts.scheme in schemes and bool(host) and port != 0


def shown_url(url: str) -> str:
    """`url` as a safe line without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return clean_line(url.rpartition("@")[2], 200)
    if not parts.netloc:
        return clean_line(url.rpartition("@")[2].partition("?")[0], 200)
    shown = SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")
    return clean_line(shown.geturl(), 200)


def proxy_for(server: Server) -> str:
    """The URL of the proxy for `server`, empty for none.

    The server's own setting comes first. The environment (`HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) does not count
    for loopback and unix sockets: a proxy would look for Ollama on its own machine.
    """
    if server.proxy or server.uds or not can_connect(server.url):
        return server.proxy
    host = urlsplit(server.url).hostname or ""
    if is_loopback(host):
        return ""
    from urllib.request import getproxies, proxy_bypass  # httpx loads it too; not needed before

    known: Mapping[str, str] = getproxies()
    proxy = known.get(server.url.partition("://")[0].lower()) or known.get("all", "")
    if not proxy or proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def headers_for(server: Server) -> list[tuple[bytes, bytes]]:
    """The headers of every request. `identity`, because a proxy that compresses delays a stream."""
    from tui_chat import __version__

    own = {"user-agent": f"tui-chat/{__version__}", "accept-encoding": "identity"}
    if server.key:
        own["authorization"] = f"Bearer {server.key.reveal()}"
    wanted = [(name.lower(), value) for name, value in server.headers]
    given = {name for name, _ in wanted}
    headers = [*((name, value) for name, value in own.items() if name not in given), *wanted]
    return [
        (name.encode(), value.encode())
        for name, value in headers
        if server.named or not carries_key(name)  # a server found by probing gets no keys
    ]


def secrets_of(server: Server) -> frozenset[str]:
    """The secrets in a server's settings, in all spellings that a server may quote."""
    plain = {*_logins(server.url), *_logins(proxy_for(server))}
    if server.key:
        plain.add(server.key.reveal())
    for name, value in server.headers:
        if carries_key(name):
            plain |= {value, value.rpartition(" ")[2]}  # `Bearer` and its like are no secret
        elif len(value) >= _SHORTEST_VALUE:
            plain.add(value)
    return frozenset(spelt for secret in plain for spelt in _spellings(secret) if len(secret) >= _SHORTEST)


def hidden(text: str, secrets: Set[str]) -> str:
    """`text` with dots instead of `secrets`: servers quote the key that they refuse."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    cut = text.removesuffix("…")
    if cut == text:
        return text
    rest = max((overlap(cut, secret) for secret in secrets), default=0)
    return f"{cut[: len(cut) - rest]}…" if rest >= _LEAST else text


def _logins(url: str) -> Iterator[str]:
    """The password of a URL, plain and as it is sent."""
    with suppress(ValueError):
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if password:
            yield from (parts.password or "", password, b64encode(f"{user}:{password}".encode()).decode())


def _spellings(secret: str) -> tuple[str, ...]:
    """Plain, in a URL, and in JSON with slashes escaped or not."""
    in_json = json.dumps(secret)[1:-1]
    return secret, quote(secret, safe="", errors="replace"), in_json, in_json.replace("/", "\\/")


def socket_options() -> list[tuple[int, int, int]]:
    """TCP keep-alive, if the system has it: it finds a dead peer, since reading has no timeout."""
    known = [(getattr(socket, name), value) for name, value in _KEEPALIVE if hasattr(socket, name)]
    times = [(socket.IPPROTO_TCP, option, value) for option, value in known]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *times]
