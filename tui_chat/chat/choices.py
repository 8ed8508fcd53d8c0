"""What the user has chosen: in the config, and at earlier starts, as the store remembers it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from tui_chat.config import Config
from tui_chat.errors import StoreError
from tui_chat.servers.connection import Connection
from tui_chat.servers.registry import Origin, ServerEntry, ServerRegistry, same_place
from tui_chat.servers.table import server_at
from tui_chat.store.store import Store
from tui_chat.text.sanitize import clean_line

_MODEL: Final = "last-model"
_SERVER: Final = "last-server"
_NAMED: Final = "server "
"""Begins the keys of the addresses that the user has named at a start."""
_THEME: Final = "theme"
_GONE: Final = "which is not among the servers (any more)."


class Choices:
    """The config, and what was used last: the server, the model, the theme."""

    def __init__(self, config: Config, store: Store, registry: ServerRegistry) -> None:
        self.config = config
        self._store = store
        self._registry = registry

    def of(self, connection: Connection) -> dict[str, str]:
        """The server and the model that are talked to, as settings for the next start."""
        server = connection.server
        named = any(entry.server == server and entry.origin is Origin.NAMED for entry in self._registry.known())
        choice = {_MODEL: connection.model, _SERVER: server.address}
        return choice | ({f"{_NAMED}{server.address}": "named"} if named else {})

    async def take_up(self, connection: Connection) -> None:
        """Talk to the server and the model that were used last, unless others were named at this start."""
        connection.last = await self._store.recall(_MODEL)
        if not self.config.named and (address := await self._store.recall(_SERVER)):
            await self.return_to(connection, address)
            connection.pinned = False

    async def return_to(self, connection: Connection, address: str) -> str:
        """Talk to the server of a chat: empty, or why that cannot be.

        One that the user once named counts as known, one that an imported chat names does not.
        """
        if not address or same_place(address, connection.server.address):
            return ""
        known = self._registry.at(address)
        if known is None and await self._store.recall(f"{_NAMED}{address}"):
            known = ServerEntry(server_at(address), Origin.NAMED)
        if known is not None and known.trouble is None:
            connection.switch(known.server)
            return ""
        why = f"but: {known.trouble.told}" if known and known.trouble else _GONE
        here = f"It goes on with {connection.server.label}."
        return f"This chat was with {clean_line(address, 80)}, {why} {here}"

    async def theme(self) -> str:
        """The colours that were chosen last; empty if none were."""
        return await self._store.recall(_THEME)

    async def keep_theme(self, theme: str) -> None:
        """Use these colours at every later start too."""
        with suppress(StoreError):  # a convenience: this run has them anyway
            await self._store.remember(_THEME, theme)
