"""The user's choices: from the config, and from earlier starts by the store."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tui_chat.config import Config
from tui_chat.errors import StoreError
from tui_chat.messages import ChatRequest
from tui_chat.parameters import Parameters, valid_parameters
from tui_chat.servers.connection import Connection, find
from tui_chat.servers.dialects import levels_of, taken_by
from tui_chat.servers.registry import ServerRegistry, same_place
from tui_chat.servers.server_file import Origin, ServerEntry
from tui_chat.servers.table import server_at
from tui_chat.store.store import Store
from tui_chat.text.sanitize import clean_line

_MODEL: Final = "last-model"
_SERVER: Final = "last-server"
_NAMED: Final = "server "
"""Prefix of the settings that record addresses from `--url` and OLLAMA_HOST."""
_AGREED: Final = "leaves to "
"""Prefix of the settings that record hosts to which prompts may be sent."""
_THEME: Final = "theme"
_THINK: Final = "thinking"
_GONE: Final = "which is not in the list of servers."


class Choices:
    """The config, and the server, model and theme used last."""

    def __init__(self, config: Config, store: Store, registry: ServerRegistry) -> None:
        self.config = config
        self.store = store
        self.registry = registry
        """All known servers."""
        self._thinking: dict[str, bool | str] = {}
        """How much each model shall think, as chosen last."""

    def of(self, connection: Connection) -> dict[str, str]:
        """The server and model of a connection, as settings for the next start."""
        server = connection.server
        named = any(entry.server == server and entry.origin is Origin.NAMED for entry in self.registry.known())
        choice = {_MODEL: connection.model, _SERVER: server.address}
        return choice | ({f"{_NAMED}{server.address}": "named"} if named else {})

    async def take_up(self, connection: Connection) -> None:
        """Use the server and model of the last run, unless this start names others."""
        connection.last = await self.store.recall(_MODEL)
        with suppress(ValueError, RecursionError):
            kept = json.loads(await self.store.recall(_THINK, "{}"))
            found = {name: valid_parameters({"think": level}).think for name, level in dict(kept).items()}
            self._thinking = {name: think for name, think in found.items() if think is not None}
        if not self.config.url and (address := await self.store.recall(_SERVER)):
            await self.return_to(connection, address)
            connection.pinned = False

    async def return_to(self, connection: Connection, address: str) -> str:
        """Use the server of a chat; returns why that is not possible, or an empty text.

        Only servers in the list or once named by the user count, not those of imported chats.
        """
        if not address or same_place(address, connection.server.address):
            return ""
        known = self.registry.at(address)
        if known is None and await self.store.recall(f"{_NAMED}{address}"):
            known = ServerEntry(server_at(address), Origin.NAMED)
        if known is not None and known.trouble is None:
            connection.switch(known.server)
            return ""
        why = f"but: {known.trouble.told}" if known and known.trouble else _GONE
        return f"This chat used {clean_line(address, 80)}, {why} It continues with {connection.server.label}."

    def apply(self, own: Parameters, request: ChatRequest, connection: Connection) -> ChatRequest:
        """`request` with a chat's own parameters over those of the settings, as far as the server takes them."""
        think = self.think(own, connection)
        own = own.only(taken_by(connection.backend.server))
        return replace(
            request,
            options={**self.config.options, **own.options},
            think=think,
            format=request.format or own.schema,
            keep_alive=own.keep_alive or "",
        )

    def think(self, own: Parameters, connection: Connection) -> bool | str | None:
        """How much a chat thinks: by its own parameters, else by the settings.

        Only its own count for a model that does not think: then the server's refusal is told.
        """
        if own.think is not None or not self.levels(connection):
            return own.think
        return self.config.think

    def parameters(self, own: Parameters, connection: Connection, *, new: bool) -> Parameters:
        """A chat's own parameters; a `new` one thinks as last chosen for the model."""
        if not new or own.think is not None or not self.levels(connection):
            return own
        return replace(own, think=self._thinking.get(connection.model))

    def levels(self, connection: Connection) -> tuple[str, ...]:
        """What `think` can be for the present model; empty if it does not think."""
        return levels_of(connection.backend.server, find(connection.model, connection.models))

    def prefer_think(self, model: str, think: bool | str | None) -> dict[str, str]:
        """Let new chats with a model think like this (None: as in the settings); returns what to save."""
        self._thinking.pop(model, None)
        if think is not None:
            self._thinking[model] = think
        return {_THINK: json.dumps(self._thinking)}

    async def agreed(self, host: str) -> bool:
        """Whether prompts may be sent to models that this host runs."""
        with suppress(StoreError):
            return self.config.cloud or bool(await self.store.recall(f"{_AGREED}{host}"))
        return False

    async def agree(self, host: str) -> None:
        """Let prompts be sent to models that this host runs, from now on."""
        with suppress(StoreError):  # it is asked again then
            await self.store.remember(f"{_AGREED}{host}", "agreed")

    async def theme(self) -> str:
        """The theme chosen last; empty if none was."""
        return await self.store.recall(_THEME)

    async def keep_theme(self, theme: str) -> None:
        """Use this theme at later starts too."""
        with suppress(StoreError):  # a convenience: this run has them anyway
            await self.store.remember(_THEME, theme)
