"""The servers that were added on screen, in a TOML file of our own.

The config file is never written: its comments and order are the user's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tui_chat.errors import ConfigError
from tui_chat.files import alone, replace_text
from tui_chat.server import Server
from tui_chat.servers.route import shown_url
from tui_chat.servers.table import keyed, read_toml, server_from

Table = Mapping[str, object]
"""A server in TOML: strings, booleans, and `headers` as a table of strings."""


class Origin(StrEnum):
    """Where the settings of a server come from."""

    CONFIG = "config file"
    ADDED = "added"
    NAMED = "start URL"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """A server to choose."""

    server: Server
    """With its key, unless there is trouble."""
    origin: Origin
    trouble: ConfigError | None = field(default=None, compare=False)
    """Why it cannot be used: its key could not be read."""
    table: Table = field(default_factory=dict, repr=False)
    """Its table in the file, if it was added on screen. May hold a key."""


class ServerFile:
    """The file. Each use reads it again, as other processes may change it. Without a path it is in memory."""

    def __init__(self, path: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._environ = environ or {}
        self._memory: tuple[Table, ...] = ()

    def read(self) -> tuple[ServerEntry, ...]:
        """The servers in the order of the file; empty if there is no file.

        Raises:
            ConfigError: it cannot be read or is invalid.
        """
        return tuple(self.entry(table) for table in self._tables())

    def names(self) -> list[str]:
        """The names of the servers, without reading keys.

        Raises:
            ConfigError: as for `read`.
        """
        return [str(table.get("name", "")) for table in self._tables()]

    def entry(self, table: Table) -> ServerEntry:
        """Read a server from a table.

        Raises:
            ConfigError: a setting is unknown or wrong. `trouble` tells of a key that could not be read.
        """
        where = f"Server {table.get('name') or shown_url(str(table.get('url', '')))}".strip()
        server, trouble = keyed(server_from(where, table), where, table, self._environ)
        return ServerEntry(server, Origin.ADDED, trouble, table)

    def put(self, table: Table, *, instead: Table | None = None) -> None:
        """Add a server, or replace the table `instead`, as it was read. Blocks.

        Raises:
            ConfigError: as for `read`, or it cannot be written.
        """
        self._change(
            lambda old: [table if each == instead else each for each in old] + [table] * (instead not in old)
        )

    def remove(self, table: Table) -> None:
        """Remove a server by its table, as it was read. Blocks.

        Raises:
            ConfigError: as for `put`.
        """
        self._change(lambda tables: [each for each in tables if each != table])

    def _change(self, change: Callable[[Sequence[Table]], Sequence[Table]]) -> None:
        if self.path is None:
            self._memory = tuple(change(self._memory))
            return
        with alone(self.path):
            replace_text(self.path, to_toml(change(self._tables())))

    def _tables(self) -> tuple[Table, ...]:
        if self.path is None:
            return self._memory
        tables = (read_toml(self.path) or {}).get("servers", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigError(f"{self.path}: servers must be tables", "Fix that line, or move the file away.")
        return tuple(tables)


def to_toml(tables: Sequence[Table]) -> str:
    """Tables of servers as TOML. Lone surrogates become question marks."""
    return "\n".join(
        ["# Written by tui-chat, which replaces it. Put your own servers into config.toml.\n"]
        + [
            "[[servers]]\n" + "".join(f"{name} = {toml_value(value)}\n" for name, value in table.items())
            for table in tables
        ]
    )


def toml_value(value: object) -> str:
    """A value as TOML. Lone surrogates become question marks."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(str(name))} = {toml_value(each)}" for name, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """A basic string of TOML: escaped as in JSON, and DEL too."""
    valid = text.encode("utf-8", "replace").decode()
    return json.dumps(valid, ensure_ascii=False).replace("\x7f", "\\u007f")
