"""All known servers and the origin of each. Sends no requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from tui_chat.errors import ConfigError
from tui_chat.server import Server
from tui_chat.servers.probe import PORTS
from tui_chat.servers.route import is_loopback
from tui_chat.servers.server_file import Origin, ServerEntry, ServerFile, Table
from tui_chat.servers.table import first_server, key_files, open_files, server_at


class Settings(Protocol):
    """The servers in the user's settings."""

    @property
    def url(self) -> str:
        """URL or name of the server to start on; empty for none."""

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers of the config file."""

    @property
    def troubles(self) -> Mapping[Server, ConfigError]:
        """Why some of them cannot be used."""


class ServerRegistry:
    """The servers of the config file, the added ones, and those found on this machine."""

    def __init__(self, config: Settings, file: ServerFile) -> None:
        self._config = config
        self._file = file
        self._added: tuple[ServerEntry, ...] = ()
        self._found: dict[str, Server] = {}
        self.trouble: ConfigError | None = None
        """Why the file of added servers could not be read."""
        self.refresh()

    def refresh(self) -> None:
        """Read the file of the added servers."""
        try:
            self._added, self.trouble = self._file.read(), None
        except ConfigError as error:
            self._added, self.trouble = (), error

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the file of added servers and the files of their keys."""
        trouble = () if self.trouble is None else (self.trouble.told,)
        file = () if self._file.path is None else (self._file.path,)
        return (*trouble, *open_files([*file, *key_files(entry.table for entry in self._added)]))

    @property
    def first(self) -> Server:
        """The server to start on.

        Raises:
            ConfigError: its key cannot be read.
        """
        first = self._first()
        if first.trouble is not None:
            raise first.trouble
        return first.server

    def known(self, *others: Server) -> tuple[ServerEntry, ...]:
        """All servers, then `others`. Found servers are left out if their address is listed already."""
        listed = tuple(self._listed())
        first = [self._first()] if self._config.url else []
        found = [ServerEntry(server, Origin.FOUND) for server in (*self._found.values(), *others)]
        places = {place(known.server) for known in listed}
        more: dict[str, ServerEntry] = {}
        for known in (*first, *found):
            if place(known.server) not in places:
                more.setdefault(place(known.server), known)
        return (*listed, *more.values())

    def at(self, address: str) -> ServerEntry | None:
        """The server at an address: a known one, or one at a usual port of this machine."""
        for known in self.known():
            if place(known.server) == _place(address):
                return known
        return ServerEntry(Server(address, named=False), Origin.FOUND) if _is_usual(address) else None

    def note(self, found: Iterable[Server]) -> None:
        """Set the servers that were found on this machine."""
        self._found = {place(server): server for server in found}

    def draft(self, table: Table, *, instead: Table | None = None) -> ServerEntry:
        """Read a server from a table. Blocks while a command prints its key.

        Raises:
            ConfigError: a setting is wrong, or another server than `instead` has that name.
        """
        entry = self._file.entry(table)
        names = {known.server.name for known in self._listed() if known.table != instead}
        if entry.server.name and entry.server.name in names:
            raise ConfigError(f"A server is already named {entry.server.name!r}", "Give it another name.")
        return entry

    async def put(self, table: Table, *, instead: Table | None = None) -> None:
        """Add a server, or change one.

        Raises:
            ConfigError: the file cannot be read or written.
        """
        await asyncio.to_thread(self._file.put, table, instead=instead)
        await asyncio.to_thread(self.refresh)

    async def remove(self, known: ServerEntry) -> None:
        """Remove an added server.

        Raises:
            ConfigError: the file cannot be read or written.
        """
        await asyncio.to_thread(self._file.remove, known.table)
        await asyncio.to_thread(self.refresh)

    def _first(self) -> ServerEntry:
        listed = sorted(self._listed(), key=lambda known: known.trouble is not None)
        server = first_server(self._config.url, [known.server for known in listed])
        return next((known for known in listed if known.server == server), ServerEntry(server, Origin.NAMED))

    def _listed(self) -> Iterable[ServerEntry]:
        for server in self._config.servers:
            yield ServerEntry(server, Origin.CONFIG, self._config.troubles.get(server))
        yield from self._added


def place(server: Server) -> str:
    """The address as a key: `localhost` and `127.0.0.1` are the same place."""
    return _place(server.address)


def same_place(one: str, other: str) -> bool:
    """Whether two addresses belong to the same server."""
    return _place(one) == _place(other)


def _place(address: str) -> str:
    return address.replace("://localhost", "://127.0.0.1", 1)


def _is_usual(address: str) -> bool:
    """Whether it is one of the ports of this machine that are searched anyway."""
    try:
        parts = urlsplit(server_at(address).url)
        return parts.port in PORTS and parts.scheme == "http" and is_loopback(parts.hostname or "")
    except (ConfigError, ValueError):
        return False
