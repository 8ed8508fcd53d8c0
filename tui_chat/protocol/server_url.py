"""URLs of servers as people paste them, cut down to the base that paths are appended to."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tui_chat.errors import ConfigError
from tui_chat.protocol.ollama_host import is_port, parse_ollama_host, split_address
from tui_chat.text.sanitize import clean_line

_ENDPOINT: Final = re.compile(
    r"(/v1(/(chat/)?completions|/models|/responses|/embeddings)?|/api/v0(/.*)?|/api/[a-z/]+)?/*$", re.IGNORECASE
)
"""What belongs to an API. A bare `/api` stays: at OpenRouter and others it is part of the base."""
_PRIVATE: Final = ("local", "localhost", "lan", "home", "internal", "intranet", "arpa", "test")
_ANYWHERE: Final = ("0.0.0.0", "::")


def base_url(text: str) -> str:
    """The base of a URL, without a trailing slash and without `/v1`, `/v1/chat/completions`, `/api/chat` and such.

    Without a scheme it is read as Ollama reads `OLLAMA_HOST` (http, port 11434), but names of the public
    internet without a port get https.

    Raises:
        ConfigError: it is not a URL of http or https, or its port is impossible (which `OLLAMA_HOST` may be).
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
    """Whether a URL without a scheme has a name of the public internet and no port."""
    host = text.partition("/")[0].rpartition("@")[2].lower()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return "." in host and ":" not in host and last.isalpha() and last not in _PRIVATE
    return False
