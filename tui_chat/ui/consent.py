"""Asks before the first prompt to a model that runs elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.servers.connection import leaving, runs_at
from tui_chat.ui.dialogs.ask import ConfirmScreen
from tui_chat.ui.dialogs.dialog import or_cancel

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Consent:
    """Whether prompts may leave this machine: asked once for each host, and kept in the store."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._given: set[str] = set()

    @property
    def lacking(self) -> str:
        """The host that runs the present model, if nobody has agreed to it in this run."""
        connection = self._screen.workspace.connection
        host = runs_at(connection.model, connection.models)
        return "" if host in self._given else host

    async def ask(self, then: Callable[[], object]) -> None:
        """Carry on with a prompt to the present model, if the user agrees."""
        if await self.given(self._screen.workspace.connection.model, self.lacking):
            then()

    async def given(self, model: str, host: str) -> bool:
        """Whether a model may be used; asks if that is not known. `host` is empty for one that runs here."""
        choices, keys = self._screen.workspace.choices, self._screen.keys
        if host and host not in self._given and not await choices.agreed(host):
            hint = or_cancel("go on, and do not ask again")
            if not await self._screen.ask(ConfirmScreen(keys, leaving(model, host), hint)):
                return False
            await choices.agree(host)
        self._given.add(host)
        return True
