"""The servers that were added on screen, in a file of the program's own: TOML as in the config file.

The config file is the user's, with its comments and its order, so it is only ever read.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tui_chat.errors import ConfigError
from tui_chat.files import locked, replace_text
from tui_chat.server import Server
from tui_chat.servers.route import shown_url
from tui_chat.servers.table import keyed, parse_toml, server_from

Table = Mapping[str, object]
"""A server as it is written down: strings, true or false, and `headers` as a table of strings."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A server of the file."""

    table: Table = field(repr=False)
    """As it is written. It may hold a key."""
    server: Server
    """With its key, if there is no trouble."""
    trouble: ConfigError | None = None
    """Why its key cannot be read."""


class ServerFile:
    """The file, read anew for every use: other processes may change it. Without a path it is kept in memory."""

    def __init__(self, path: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._environ = environ or {}
        self._memory: tuple[Table, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about the file."""
        with suppress(OSError):
            if self.path is not None and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                return (f"{self.path} may hold keys and can be read by others: chmod 600 {self.path}",)
        return ()

    def read(self) -> tuple[Entry, ...]:
        """The servers, in the order of the file; none where there is no file.

        Raises:
            ConfigError: it cannot be read, or is not a file of servers.
        """
        return tuple(self.entry(table) for table in self._tables())

    def entry(self, table: Table) -> Entry:
        """What a table describes.

        Raises:
            ConfigError: a setting is unknown or wrong. A key that cannot be read is told in the entry.
        """
        where = f"Server {table.get('name') or shown_url(str(table.get('url', '')))}".strip()
        return Entry(table, *keyed(server_from(where, table), where, table, self._environ))

    def put(self, table: Table, *, instead: Table | None = None) -> None:
        """Add a server, or change one in its place; `instead` is what was there, as it was read. Blocks.

        Raises:
            ConfigError: as for `read`, or it cannot be written.
        """
        self._change(
            lambda tables: (
                [table if each == instead else each for each in tables] if instead in tables else [*tables, table]
            )
        )

    def remove(self, table: Table) -> None:
        """Take a server out, as it was read. Blocks.

        Raises:
            ConfigError: as for `put`.
        """
        self._change(lambda tables: [each for each in tables if each != table])

    def _change(self, change: Callable[[Sequence[Table]], Sequence[Table]]) -> None:
        if self.path is None:
            self._memory = tuple(change(self._memory))
            return
        try:
            with locked(self.path.parent):
                replace_text(self.path, to_toml(change(self._tables())))
        except OSError as error:
            raise ConfigError(f"Cannot write {self.path}: {error.strerror}", "Check the folder.") from error

    def _tables(self) -> tuple[Table, ...]:
        if self.path is None:
            return self._memory
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(f"Cannot read {self.path}: {error.strerror}", "Check its permissions.") from error
        tables = parse_toml(self.path, raw).get("servers", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigError(f"{self.path}: servers must be tables", "Fix that line, or move the file away.")
        return tuple(tables)


def to_toml(tables: Sequence[Table]) -> str:
    """Tables of servers as TOML. What is no Unicode (half of a surrogate pair) becomes a question mark."""
    return "\n".join(
        ["# Written by tui-chat, anew at every change. Servers of your own belong in config.toml.\n"]
        + [
            "[[servers]]\n" + "".join(f"{name} = {_value(value)}\n" for name, value in table.items())
            for table in tables
        ]
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(str(name))} = {_value(each)}" for name, each in value.items()) + " }"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own, but it wants DEL escaped too."""
    valid = text.encode("utf-8", "replace").decode()
    return json.dumps(valid, ensure_ascii=False).replace("\x7f", "\\u007f")
