"""Settings: flags over environment over config file over defaults. Nothing here touches the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final

from tui_chat.errors import ConfigError
from tui_chat.messages import THINK_LEVELS
from tui_chat.parameters import Parameters
from tui_chat.server import Server, carries_key
from tui_chat.servers.address import parse_ollama_host
from tui_chat.servers.table import key_files, keyed, open_files, read_toml, server_at, server_from
from tui_chat.typed import nearest, user_path


@dataclass(frozen=True, slots=True)
class Config:
    """The settings. The docstring under a field is its help."""

    url: str = field(default="", repr=False)
    """The server to start on, like `http://box:11434`."""
    model: str = ""
    """The model to start with; empty takes the one used last."""
    system: str = ""
    """A system prompt for new chats."""
    theme: str = ""
    """A theme, like `tui-chat-light`, `nord` or `ansi-dark`; empty for ours, dark or light as the terminal is."""
    think: bool | str | None = None
    """Whether models think: true, false, or a level like "low"; unset leaves it to the server."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Sampling options by Ollama's names, like `temperature` and `num_ctx`."""
    parameters: Parameters = field(default_factory=Parameters)
    """Those of the command line, for new chats and the one that is continued."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Command ids and the keys that run them, like `new-chat = "ctrl+n,f9"`."""
    servers: tuple[Server, ...] = ()
    """More servers to choose from."""
    troubles: Mapping[Server, ConfigError] = field(default_factory=dict)
    """Why some of them cannot be used: their keys could not be read."""
    pinned: bool = False
    """Whether the URL was given for this run; it then overrides the server of a chat."""
    cloud: bool = False
    """Whether, in this run, prompts may be sent to models that run elsewhere without asking."""
    notify: str = "auto"
    """How to tell that a long reply has ended unseen: "bell", "osc9", "osc777", "off", or "auto" to choose."""
    pictures: str = "auto"
    """How to draw pictures: "kitty" or "sixel" by these, "blocks" for half blocks, or "auto" to choose."""
    hang_up_minutes: float = 30.0
    """How long a reply is still received after the terminal is gone."""
    data_dir: Path = Path()
    """The folder of the chats."""
    where: tuple[str, ...] = ()
    """The flags for the config file and the folder of the chats, where this run was told of others than usual."""
    presets: Path = Path("presets")
    """The folder of the presets."""
    warnings: tuple[str, ...] = ()
    """Warnings about the settings, to be shown once."""

    @property
    def database(self) -> Path:
        """The database of the chats."""
        return self.data_dir / "chats.db"

    @property
    def servers_file(self) -> Path:
        """The file of the servers that were added on screen."""
        return self.data_dir / "servers.toml"


def config_path(environ: Mapping[str, str]) -> Path:
    """The path of the config file, unless a flag names another."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "tui-chat" / "config.toml"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The default folder of the chats."""
    return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "tui-chat"


def load_config(
    environ: Mapping[str, str],
    *,
    file: Path | None = None,
    url: str | None = None,
    model: str | None = None,
    system: str | None = None,
    data_dir: Path | None = None,
    keys: bool = True,
) -> Config:
    """The settings of all sources. Keyword arguments are the flags; `keys`: read the keys of servers.

    Raises:
        ConfigError: the file is missing or not TOML, or a setting is unknown or of a wrong type.
    """
    path = file or config_path(environ)
    config = _read(path, environ, must_exist=file is not None, keys=keys)
    host = environ.get("OLLAMA_HOST", "").strip()
    chosen = url or environ.get("TUI_CHAT_URL") or config.url or (parse_ollama_host(host) if host else "")
    if chosen and chosen not in {server.name for server in config.servers}:
        server_at(chosen)
    if data_dir is None and (variable := environ.get("TUI_CHAT_DATA_DIR")):
        data_dir = user_path(variable)
    where: tuple[str, ...] = ("--config", str(file)) if file else ()
    where += ("--data-dir", str(data_dir)) if data_dir else ()
    if data_dir is None:
        data_dir = config.data_dir if config.data_dir.parts else default_data_dir(environ)
    return replace(
        config,
        url=chosen,
        pinned=bool(url or environ.get("TUI_CHAT_URL")),
        model=model or environ.get("TUI_CHAT_MODEL") or config.model,
        system=config.system if system is None else system,
        data_dir=data_dir,
        where=where,
        presets=path.parent / "presets",
    )


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    folder = environ.get(variable, "")
    return Path(folder) if folder.startswith("/") else user_path(environ.get("HOME") or "~") / fallback


_WORDS: Final = {
    "notify": ("auto", "bell", "osc9", "osc777", "off"),
    "pictures": ("auto", "kitty", "sixel", "blocks"),
}

SETTINGS: Final[Mapping[str, tuple[type, ...]]] = {
    "url": (str,),
    "model": (str,),
    "system": (str,),
    "theme": (str,),
    "think": (bool, str),
    "notify": (str,),
    "pictures": (str,),
    "hang_up_minutes": (int, float),
    "data_dir": (str,),
    "options": (dict,),
    "keys": (dict,),
    "servers": (list,),
}
"""The settings of the config file, and their types."""
_TYPES: Final = {str: "a string", dict: "a table", list: "a list", bool: "true or false"}
"""The names of types in errors; others are numbers."""


def _read(path: Path, environ: Mapping[str, str], *, must_exist: bool, keys: bool) -> Config:
    data = read_toml(path)
    if data is None:
        if must_exist:
            raise ConfigError(f"There is no config file {path}", "Check --config, or leave it out.")
        return Config()
    for key, value in data.items():
        if key not in SETTINGS:
            raise ConfigError(f"{path}: unknown setting {key!r}", nearest(key, SETTINGS))
        _check_type(path, key, value, *SETTINGS[key])
    if isinstance(level := data.get("think"), str) and level not in THINK_LEVELS:
        raise ConfigError(
            f"{path}: think cannot be {level!r}", "Use true, false, or one of " + ", ".join(THINK_LEVELS)
        )
    for option, value in data.get("options", {}).items():
        if option in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ConfigError(
                f"{path}: options.{option} must be a number, not {value!r:.80}", "Leave the quotes out."
            )
    try:
        json.dumps(data.get("options"), allow_nan=False)
    except (TypeError, ValueError) as error:  # a date, or infinity
        raise ConfigError(
            f"{path}: options cannot be sent as JSON: {error}", "See the README's example."
        ) from error
    if not data.get("hang_up_minutes", 0) >= 0:
        raise ConfigError(f"{path}: hang_up_minutes must be 0 or more", "See the README's example.")
    for command, pressed in data.get("keys", {}).items():
        _check_type(path, f"keys.{command}", pressed, str)
    values = {item.name: data[item.name] for item in fields(Config) if item.name in data}
    if "hang_up_minutes" in values:
        values["hang_up_minutes"] = float(min(values["hang_up_minutes"], _LONGEST))
    if "data_dir" in values:
        values["data_dir"] = user_path(values["data_dir"])
    tables = data.get("servers", [])
    found = [_server(f"{path}: server {number}", table, environ, keys) for number, table in enumerate(tables, 1)]
    values["servers"] = tuple(server for server, _ in found)
    values["troubles"] = {server: trouble for server, trouble in found if trouble is not None}
    holding = [path] if any(map(_holds_secret, (data, *tables))) else []
    unknown = [
        f"{path}: options.{option} is unknown to servers and has no effect. {nearest(option, _OPTIONS)}"
        for option in data.get("options", {})
        if option not in _OPTIONS
    ]
    return Config(**values, warnings=(*unknown, *open_files([*holding, *key_files(tables)])))


_LONGEST: Final = 1e6
"""Longest wait in minutes: about two years."""
_NUMBERS: Final = (
    *("temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "num_ctx", "num_predict", "num_keep"),
    *("num_batch", "num_gpu", "num_thread", "repeat_last_n"),
    *("repeat_penalty", "presence_penalty", "frequency_penalty"),
)
"""Ollama's options that are numbers (`protocol.md` 1.2)."""
_OPTIONS: Final = (*_NUMBERS, "draft_num_predict", "main_gpu", "use_mmap", "stop")


def _check_type(path: Path, key: str, value: object, *wanted: type) -> None:
    if type(value) not in wanted:
        names = " or ".join(dict.fromkeys(_TYPES.get(kind, "a number") for kind in wanted))
        raise ConfigError(f"{path}: {key} must be {names}, not {value!r:.80}", "See the README's example.")
    words = _WORDS.get(key, ())
    if words and value not in words:
        raise ConfigError(f"{path}: {key} cannot be {value!r}", f"It is one of {', '.join(words)}.")


def _server(
    where: str, table: object, environ: Mapping[str, str], keys: bool
) -> tuple[Server, ConfigError | None]:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table", "Write it under [[servers]].")
    server = server_from(where, table)
    return keyed(server, where, table, environ) if keys else (server, None)


def _holds_secret(table: Mapping[str, object]) -> bool:
    """Whether a table holds a key, a password in a URL, or a header with a secret."""
    headers = table.get("headers")
    keyed_header = isinstance(headers, dict) and any(map(carries_key, headers))
    return keyed_header or "key" in table or any("@" in str(table.get(name, "")) for name in ("url", "proxy"))
