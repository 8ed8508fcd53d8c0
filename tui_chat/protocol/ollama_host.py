"""`OLLAMA_HOST` by Ollama's own rules (`envconfig.Host()` and `ConnectableHost()`)."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import quote

_PORT: Final = 11434
_LAST_PORT: Final = 65535
_CLOUD: Final = "ollama.com"
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen on, and where to find what listens there."""


def parse_ollama_host(value: str) -> str:
    """The URL, without a trailing slash, at which the server that `OLLAMA_HOST=value` names is found.

    Spaces and quotes around it are dropped. The port is 11434 without a scheme, 80 and 443 with `http://` and
    `https://`; a port that is none counts as not given. A path stays as prefix. Without a host it is this machine,
    and so it is for `0.0.0.0` and `::`.
    """
    scheme, separator, rest = value.strip().strip("\"'").strip().partition("://")
    if not separator:
        scheme, rest = "http", scheme
    default = {"http": 80, "https": 443}.get(scheme.lower(), _PORT) if separator else _PORT
    authority, _, path = rest.partition("/")
    if not separator and authority == _CLOUD:
        scheme, default = "https", 443
    user, at, address = authority.rpartition("@")
    host, port = split_address(address)
    path = "/" + quote(path.strip("/"), safe="/%:@!$&'()*+,;=~") if path.strip("/") else ""
    return f"{scheme.lower()}://{user}{at}{_bracketed(host)}:{int(port) if is_port(port) else default}{path}"


def is_port(text: str) -> bool:
    """Whether it is the number of a port that can be connected to."""
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) <= _LAST_PORT


def split_address(address: str) -> tuple[str, str]:
    """Host and port as they stand, the host without brackets."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, rest.removeprefix(":")
    if address.count(":") > 1:  # IPv6 without brackets has no port
        return address, ""
    host, _, port = address.partition(":")
    return host, port


def _bracketed(host: str) -> str:
    host = _ANYWHERE.get(host, host) or "127.0.0.1"
    try:
        return f"[{host}]" if ipaddress.ip_address(host.partition("%")[0]).version == 6 else host
    except ValueError:
        return host
