"""Addresses of servers as people write them: pasted URLs, and `OLLAMA_HOST` by Ollama's rules."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from tui_chat.errors import ConfigError
from tui_chat.text.sanitize import clean_line

_ENDPOINT: Final = re.compile(
    r"(/v1(/(chat/)?completions|/models|/responses|/embeddings)?|/api/v0(/.*)?|/api/[a-z/]+)?/*$", re.IGNORECASE
)
"""Paths of APIs. A bare `/api` stays: at OpenRouter and others it belongs to the base."""
_PRIVATE: Final = ("local", "localhost", "lan", "home", "internal", "intranet", "arpa", "test")
_PORT: Final = 11434
_LAST_PORT: Final = 65535
_CLOUD: Final = "ollama.com"
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen on, and the address that reaches such a server."""


def base_url(text: str) -> str:
    """The base of a URL, without a trailing slash and without `/v1`, `/v1/chat/completions`, `/api/chat` and such.

    A URL without a scheme is read like `OLLAMA_HOST` (http, port 11434), but a public host name without a port
    gets https.

    Raises:
        ConfigError: it is not a URL of http or https, or its port is invalid.
    """
    text = text.strip().strip("\"'").strip()
    _check_port(text)
    if "://" not in text:
        text = f"https://{text}" if _is_public(text) else parse_ollama_host(text)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or " " in host or not text.isprintable() or parts.scheme not in ("http", "https"):
        shown = clean_line(text.rpartition("@")[2].partition("?")[0], 80)  # without what may be a password or key
        raise ConfigError(f"{shown} is not the URL of a server.", "It should look like http://host:11434.")
    if host in _ANYWHERE:
        parts = urlsplit(parse_ollama_host(text))
    return urlunsplit((parts.scheme, parts.netloc, _ENDPOINT.sub("", parts.path, count=1).rstrip("/"), "", ""))


def _check_port(text: str) -> None:
    address = (text.partition("://")[2] or text).rpartition("@")[2]  # passwords may hold anything
    _, port = split_address(re.split("[/?#]", address, maxsplit=1)[0])
    if port and not is_port(port):
        raise ConfigError(
            f"{clean_line(port, 40)} is not a port.", "A port is a number up to 65535, as in http://host:11434."
        )


def _is_public(text: str) -> bool:
    """Whether a URL without a scheme has a public host name and no port."""
    host = text.partition("/")[0].rpartition("@")[2].lower()
    last = host.rpartition(".")[2]  # digits in an IP address
    return "." in host and ":" not in host and last.isalpha() and last not in _PRIVATE


def parse_ollama_host(value: str) -> str:
    """The URL of the server at `OLLAMA_HOST=value`, without a trailing slash.

    Spaces and quotes around it are dropped. The default port is 11434 without a scheme, 80 with `http://` and 443
    with `https://`; it replaces an invalid one. A path stays. No host, `0.0.0.0` and `::` mean this machine.
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
    """Whether it is a port number from 1 to 65535."""
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) <= _LAST_PORT


def split_address(address: str) -> tuple[str, str]:
    """Host and port as written, the host without brackets."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, rest.removeprefix(":")
    if address.count(":") > 1:  # IPv6 without brackets has no port
        return address, ""
    host, _, port = address.partition(":")
    return host, port


def _bracketed(host: str) -> str:
    host = _ANYWHERE.get(host, host) or "127.0.0.1"
    return f"[{host}]" if ":" in host else host
