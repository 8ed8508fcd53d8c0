"""Settings: flags over environment over config file over defaults. Nothing here touches the network."""

from __future__ import annotations

import difflib
import stat
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from tui_chat.errors import ConfigError
from tui_chat.protocol.ollama_host import parse_ollama_host
from tui_chat.protocol.server_url import base_url
from tui_chat.servers import Kind, Secret, Server
from tui_chat.text.sanitize import clean_line

DEFAULT_URL: Final = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Config:
    """What the user wants. The docstring under a field is its help."""

    url: str = ""
    """The server to start on, like `http://box:11434`."""
    model: str = ""
    """The model to start with; empty takes the one used last."""
    system: str = ""
    """A system prompt for new chats."""
    theme: str = ""
    """A Textual theme's name, like `textual-light`, `nord` or `ansi-dark`."""
    think: bool | str | None = None
    """Whether models that can think do: true, false, or a level like "low"; unset leaves it to the server."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Sampling options by Ollama's names, like `temperature` and `num_ctx`."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Command ids and the keys that run them, like `new-chat = "ctrl+n,f9"`."""
    servers: tuple[Server, ...] = ()
    """More servers to choose from."""
    insists: bool = False
    """Whether the URL was given for this run: it counts before the server that a chat remembers."""
    hang_up_minutes: float = 30.0
    """How long a reply goes on being received after the terminal is gone."""
    data_dir: Path = Path()
    """Where conversations live."""
    path: Path | None = None
    """The config file that was read."""
    warnings: tuple[str, ...] = ()
    """What is doubtful about the settings, to be said once."""

    @property
    def named(self) -> bool:
        """Whether the user named a server to start on."""
        return bool(self.url)

    @property
    def database(self) -> Path:
        """The file of the conversations."""
        return self.data_dir / "chats.db"

    @property
    def servers_file(self) -> Path:
        """The file of the servers that were added on screen."""
        return self.data_dir / "servers.toml"

    @property
    def first_server(self) -> Server:
        """The server to start on: the named one, with the settings of the listed server of that name or URL."""
        if not self.url:
            return Server(DEFAULT_URL, named=False)
        named = next((server for server in self.servers if server.name == self.url), None)
        if named is not None:
            return named
        wanted = server_at(self.url)
        return next(
            (server for server in self.servers if (server.url, server.uds) == (wanted.url, wanted.uds)), wanted
        )


def config_path(environ: Mapping[str, str]) -> Path:
    """Where the config file is looked for when no flag names one."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "tui-chat" / "config.toml"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where conversations live when nothing else is said."""
    return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "tui-chat"


def load_config(
    environ: Mapping[str, str],
    *,
    file: Path | None = None,
    url: str | None = None,
    model: str | None = None,
    system: str | None = None,
    data_dir: Path | None = None,
) -> Config:
    """Settings from all sources; the keyword arguments are the flags.

    Raises:
        ConfigError: the named file is missing, the file is not TOML, or a setting is unknown or of a wrong type.
    """
    path = file or config_path(environ)
    config = _read(path, environ, must_exist=file is not None)
    host = environ.get("OLLAMA_HOST", "").strip()
    chosen = url or environ.get("TUI_CHAT_URL") or config.url or (parse_ollama_host(host) if host else "")
    if chosen and chosen not in {server.name for server in config.servers}:
        server_at(chosen)
    folder = data_dir or environ.get("TUI_CHAT_DATA_DIR") or (config.data_dir if config.data_dir.parts else "")
    return replace(
        config,
        url=chosen,
        insists=bool(url or environ.get("TUI_CHAT_URL")),
        model=model or environ.get("TUI_CHAT_MODEL") or config.model,
        system=config.system if system is None else system,
        data_dir=Path(folder).expanduser() if folder else default_data_dir(environ),
    )


def server_at(url: str, **settings: Any) -> Server:
    """The server at a URL as a person writes it; `http+unix:/run/llama.sock` is a socket on this machine.

    Raises:
        ConfigError: it is no URL of a server.
    """
    scheme, _, path = url.strip().partition(":")
    if scheme == "http+unix":
        socket = "/" + unquote(path).lstrip("/")
        return Server(url="http://localhost", name=settings.pop("name", "") or socket, uds=socket, **settings)
    return Server(url=base_url(url), **settings)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names what `word` may have been meant to be."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(names[:20])}{' and more' if len(names) > 20 else ''}."


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    folder = environ.get(variable, "")
    return Path(folder) if folder.startswith("/") else Path(environ.get("HOME") or "~").expanduser() / fallback


_SIMPLE: Final[Mapping[str, type | tuple[type, ...]]] = {
    "url": str,
    "model": str,
    "system": str,
    "theme": str,
    "think": (bool, str),
    "hang_up_minutes": (int, float),
    "data_dir": str,
    "options": dict,
    "keys": dict,
    "servers": list,
}


def _read(path: Path, environ: Mapping[str, str], *, must_exist: bool) -> Config:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"There is no config file {path}", "Check --config, or leave it out.") from None
        return Config()
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}", "Check the file's permissions.") from error
    try:
        data = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}", "Mend that line, or move the file away."
        ) from error
    for key, value in data.items():
        if key not in _SIMPLE:
            raise ConfigError(f"{path}: unknown setting {key!r}", nearest(key, _SIMPLE))
        _check_type(path, key, value, _SIMPLE[key])
    if isinstance(level := data.get("think"), str) and level not in _THINK_LEVELS:
        raise ConfigError(
            f"{path}: think cannot be {level!r}", "It is true, false, or one of " + ", ".join(_THINK_LEVELS)
        )
    for option, value in data.get("options", {}).items():
        if option in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ConfigError(
                f"{path}: options.{option} must be a number, not {value!r:.80}", "Leave the quotes out."
            )
    for command, keys in data.get("keys", {}).items():
        _check_type(path, f"keys.{command}", keys, str)
    values = {item.name: data[item.name] for item in fields(Config) if item.name in data}
    if "data_dir" in values:
        values["data_dir"] = Path(values["data_dir"]).expanduser()
    servers, warnings = _servers(path, data.get("servers", []), environ)
    return Config(**{**values, "servers": servers, "path": path, "warnings": warnings})


_THINK_LEVELS: Final = ("low", "medium", "high", "max")
_NUMBERS: Final = (
    *("temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "num_ctx", "num_predict", "num_keep"),
    *("num_batch", "num_gpu", "num_thread", "repeat_last_n"),
    *("repeat_penalty", "presence_penalty", "frequency_penalty"),
)
"""Ollama's options that are numbers (`protocol.md` 1.2): a wrong type is told here, not by its decoder."""


def _check_type(path: Path, key: str, value: object, wanted: type | tuple[type, ...]) -> None:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):  # Python's true is an int
        names = " or ".join(
            {"str": "a string", "dict": "a table", "list": "a list", "bool": "true or false"}.get(
                kind.__name__, "a number"
            )
            for kind in kinds
        )
        raise ConfigError(f"{path}: {key} must be {names}, not {value!r:.80}", "See the README's example.")


_SERVER_KEYS: Final = (
    "name", "url", "kind", "key", "key_env", "key_file", "key_command", "headers", "verify", "ca_file", "socket",
    "proxy",
)  # fmt: skip


def _servers(
    path: Path, tables: list[object], environ: Mapping[str, str]
) -> tuple[tuple[Server, ...], tuple[str, ...]]:
    servers: list[Server] = []
    open_to_others = path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    warnings: list[str] = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: server {number}"
        if not isinstance(table, dict):
            raise ConfigError(f"{where} must be a table", "Write it under [[servers]].")
        if open_to_others and "key" in table:
            warnings.append(f"{path} holds a key and can be read by others: chmod 600 {path}")
        servers.append(server_from(where, table, environ))
    return tuple(servers), tuple(dict.fromkeys(warnings))


def server_from(where: str, table: Mapping[str, object], environ: Mapping[str, str]) -> Server:
    """The server that a table describes; `where` says in errors which table it is.

    Raises:
        ConfigError: a setting is unknown or of a wrong type, there is no URL, or the key cannot be read.
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
    headers = table.get("headers", {})
    if not isinstance(headers, dict):
        raise ConfigError(f"{where}: headers must be a table", 'Like headers = { "X-Team" = "blue" }.')
    return server_at(
        text("url") or f"http+unix:{socket}",
        name=clean_line(text("name"), 60),
        kind=Kind(kind),
        key=read_key(where, table, environ),
        headers=tuple((str(name), str(value)) for name, value in headers.items()),
        verify=text("ca_file") or bool(table.get("verify", True)),
        proxy=text("proxy"),
    )


def read_key(where: str, table: Mapping[str, object], environ: Mapping[str, str]) -> Secret | None:
    """The key that a server's table names: as a value, a variable, a file or a command (first line of each).

    Raises:
        ConfigError: the variable is not set, the file cannot be read or the command fails; never shows the key.
    """
    if value := table.get("key"):
        return Secret(str(value))
    if name := table.get("key_env"):
        if not environ.get(str(name)):
            raise ConfigError(f"{where}: the variable {name} is not set", f"export {name}=…, or change key_env.")
        return Secret(environ[str(name)])
    if file := table.get("key_file"):
        try:
            return Secret(Path(str(file)).expanduser().read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: cannot read the key from {file}", "Check key_file.") from error
    if command := table.get("key_command"):
        try:
            done = subprocess.run(
                str(command), shell=True, capture_output=True, text=True, timeout=20, check=True, env=dict(environ)
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            raise ConfigError(f"{where}: key_command failed", f"Run it by hand: {command}") from None
        lines = done.stdout.strip().splitlines()
        if not lines:
            raise ConfigError(f"{where}: key_command printed nothing", f"Run it by hand: {command}")
        return Secret(lines[0])
    return None
