"""Presets: a model with its settings under a name, each a TOML file in a folder beside the config file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tui_chat.errors import ConfigError
from tui_chat.files import alone, replace_text
from tui_chat.parameters import PARAMETERS, Parameters, parameter
from tui_chat.servers.server_file import toml_value
from tui_chat.servers.table import read_toml
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.typed import nearest

_NAME: Final = re.compile(r"[^\W_][\w .+-]{0,59}")
_TEXTS: Final = ("model", "server", "system")


@dataclass(frozen=True, slots=True)
class Preset:
    """What a chat begins with. Empty texts leave the choice to the settings."""

    name: str
    model: str = ""
    server: str = ""
    """The name of a server in the list, or a URL."""
    system: str = ""
    parameters: Parameters = field(default_factory=Parameters)


def preset_names(folder: Path) -> list[str]:
    """The names of all presets, sorted."""
    try:
        found = [path.stem for path in folder.iterdir() if path.suffix == ".toml"]
    except OSError:  # no folder, no presets
        return []
    return sorted(filter(_NAME.fullmatch, found))


def read_preset(folder: Path, name: str, servers: Collection[str] = ()) -> Preset:
    """A preset by its name; `servers`: the names of the listed servers.

    Raises:
        ConfigError: there is none, it cannot be read, or a setting is wrong or unknown.
    """
    path = preset_path(folder, name)
    table = read_toml(path)
    if table is None:
        known = preset_names(folder)
        hint = nearest(name, known) if known else f"Save one from a chat, or write {path}."
        raise ConfigError(f"There is no preset {clean_line(name, 60)!r}", hint)
    texts = {key: table.pop(key, "") for key in _TEXTS}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ConfigError(f"{path}, line {_line_of(path, key)}: {key} must be a string", "Put it in quotes.")
    for key in table:
        if key not in PARAMETERS:
            wrong = f"{path}, line {_line_of(path, key)}: unknown setting {key!r}"
            raise ConfigError(wrong, nearest(key, (*_TEXTS, *PARAMETERS)))
        try:
            table[key] = parameter(key).value(table[key])
        except ConfigError as error:
            raise ConfigError(f"{path}, line {_line_of(path, key)}: {error}", "Correct that line.") from None
    server = texts["server"]
    if server and not re.match(r"https?://|http\+unix:", server) and server not in servers:
        wrong = f"{path}, line {_line_of(path, 'server')}: there is no server {clean_line(server, 60)!r}"
        raise ConfigError(wrong, _server_hint(server, servers))
    return Preset(name, clean_line(texts["model"]), server, clean(texts["system"]), Parameters(**table))


def save_preset(folder: Path, preset: Preset) -> Path:
    """Write a preset, instead of the one of its name, and return its path.

    Raises:
        ConfigError: its name is no name for a file, or it cannot be written.
    """
    path = preset_path(folder, preset.name)
    texts = {key: text for key in _TEXTS if (text := getattr(preset, key))}
    lines = [f"{key} = {toml_value(value)}\n" for key, value in {**texts, **preset.parameters.given}.items()]
    with alone(path):
        replace_text(path, "".join(lines))
    return path


def preset_path(folder: Path, name: str) -> Path:
    """The file of a preset.

    Raises:
        ConfigError: the name is no name for a file.
    """
    if not _NAME.fullmatch(name):
        wrong = f"{clean_line(name, 60)!r} cannot be the name of a preset"
        raise ConfigError(wrong, "Use up to 60 letters, digits, spaces, dots, + and -.")
    return folder / f"{name}.toml"


def _line_of(path: Path, key: str) -> int:
    """The line of a preset in which the setting of a key ends: the first with which it is there."""
    lines = path.read_text("utf-8").split("\n")

    def is_there(count: int) -> bool:
        with suppress(ValueError):
            return key in tomllib.loads("\n".join(lines[:count]) + "\n")
        return False

    return next(filter(is_there, range(1, len(lines))), len(lines))


def _server_hint(server: str, servers: Collection[str]) -> str:
    return nearest(server, filter(None, servers)) if any(servers) else "Write its URL, like http://box:11434."
