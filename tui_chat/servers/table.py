"""Reads a server from a table of TOML, and its key from where the table says."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from tui_chat.errors import ConfigError
from tui_chat.key_command import first_line, printed_key
from tui_chat.server import Kind, Secret, Server
from tui_chat.servers.address import base_url
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import nearest, user_path

DEFAULT_URL: Final = "http://127.0.0.1:11434"
_SERVER_KEYS: Final = (
    "name", "url", "kind", "key", "key_env", "key_file", "key_command", "headers", "verify", "ca_file", "socket",
    "proxy",
)  # fmt: skip
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_OURS: Final = ("host", "content-length", "transfer-encoding")
"""Headers that every request sets itself."""


def server_at(url: str, **settings: Any) -> Server:
    """The server at a URL as a person writes it; `http+unix:/run/llama.sock` is a unix socket.

    Raises:
        ConfigError: it is not the URL of a server.
    """
    scheme, _, path = url.strip().partition(":")
    if scheme == "http+unix":
        socket = "/" + unquote(path).lstrip("/")
        name = settings.pop("name", "") or clean_line(socket, 200)
        return Server(url="http://localhost", name=name, uds=socket, **settings)
    return Server(url=base_url(url), **settings)


def first_server(url: str, servers: Sequence[Server]) -> Server:
    """The server to start on: the listed one of that name or URL, else that URL, else Ollama on this machine."""
    if not url:
        return Server(DEFAULT_URL, named=False)
    named = next((server for server in servers if server.name == url), None)
    if named is not None:
        return named
    wanted = server_at(url)
    return next((server for server in servers if (server.url, server.uds) == (wanted.url, wanted.uds)), wanted)


def read_toml(path: Path) -> dict[str, Any] | None:
    """The TOML in a file; None if there is no file.

    Raises:
        ConfigError: it cannot be read, is not valid, or beyond the parser's limits of digits and nesting.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}", "Check its permissions.") from error
    except (ValueError, RecursionError) as error:
        what = str(error).partition("; use sys.")[0]  # what follows is for programmers
        raise ConfigError(f"{path} is not valid TOML: {what}", "Fix that line, or move the file away.") from error


def server_from(where: str, table: Mapping[str, object]) -> Server:
    """The server that a table describes, without its key; `where` names the table in errors.

    Raises:
        ConfigError: a setting is unknown or wrong, or there is no URL.
    """
    for key in table:
        if key not in _SERVER_KEYS:
            raise ConfigError(f"{where}: unknown setting {key!r}", nearest(key, _SERVER_KEYS))

    def text(key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise ConfigError(f"{where}: {key} must be a string", "Put it in quotes.")
        return value

    socket = text("socket")
    if not (text("url") or socket):
        raise ConfigError(f"{where} has no url", 'Add a line like url = "http://127.0.0.1:8080".')
    kind = text("kind") or "auto"
    if kind not in set(Kind):
        raise ConfigError(f"{where}: unknown kind {kind!r}", nearest(kind, [known.value for known in Kind]))
    verify = table.get("verify", True)
    if not isinstance(verify, bool):
        raise ConfigError(f"{where}: verify must be true or false", "Leave the quotes out. A path is for ca_file.")
    return server_at(
        text("url") or f"http+unix:{user_path(socket)}",
        name=clean_line(text("name"), 60),
        kind=Kind(kind),
        headers=_headers(where, table.get("headers", {})),
        verify=str(user_path(text("ca_file"))) if text("ca_file") else verify,
        proxy=text("proxy"),
    )


def _headers(where: str, headers: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(headers, dict):
        raise ConfigError(f"{where}: headers must be a table", 'Like headers = { "X-Team" = "blue" }.')
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise ConfigError(f"{where}: {clean_line(name, 40)!r} cannot be set as a header", "Leave it out.")
        if _FORBIDDEN.search(str(value)):
            raise ConfigError(f"{where}: the header {name} holds characters that HTTP forbids", "Correct it.")
    return tuple((name, str(value)) for name, value in headers.items())


def read_key(where: str, table: Mapping[str, object], environ: Mapping[str, str]) -> Secret | None:
    """The key of a server: in its table, in a variable, or the first line of a file or of a command's output.

    Raises:
        ConfigError: there is no key there, or HTTP cannot send it. The error never shows the key.
    """
    if value := table.get("key"):
        key = str(value)
    elif name := table.get("key_env"):
        key = environ.get(str(name), "")
        if not key:
            raise ConfigError(f"{where}: the variable {name} is not set", f"export {name}=…, or change key_env.")
    elif file := table.get("key_file"):
        try:
            key = first_line(user_path(str(file)).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: cannot read the key from {file}", "Check key_file.") from error
        if not key:
            raise ConfigError(f"{where}: there is no key in {file}", "Put it in the first line.")
    elif command := table.get("key_command"):
        key = printed_key(where, str(command), environ)
    else:
        return None
    if _FORBIDDEN.search(key):
        raise ConfigError(f"{where}: the key holds characters that HTTP forbids", "Is it in one line?")
    return Secret(key)


def keyed(
    server: Server, where: str, table: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[Server, ConfigError | None]:
    """`server` with its key, or without it and the reason why it could not be read."""
    try:
        return replace(server, key=read_key(where, table, environ)), None
    except ConfigError as error:
        return server, error


def open_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """A warning for each of these files that others can read."""
    warnings: dict[str, None] = {}
    for path in paths:
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                warnings[f"{path} may hold a key, and others can read it: chmod 600 {path}"] = None
    return tuple(warnings)


def key_files(tables: Iterable[Mapping[str, object]]) -> list[Path]:
    """The `key_file`s of tables of servers."""
    paths = []
    for table in tables:
        if name := table.get("key_file"):
            with suppress(ConfigError):  # `read_key` reports it
                paths.append(user_path(str(name)))
    return paths
