"""What the chat screen shows of the server and the model that it talks to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.connection import find
from tui_chat.ui.gauge import Gauge
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, trouble
from tui_chat.ui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_LOOK_SECONDS: Final = 3.0
"""How often a server that is not there is looked for again."""


class ServerView:
    """Looks for the server of the chat on screen, shows it, and goes on with another one."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._gauge = Gauge(screen.workspace, screen.keys)

    def look(self) -> None:
        """Find out what the server offers; until it offers something, again and again."""
        self._screen.start(self._look, "look")

    async def _look(self) -> None:
        connection = self._screen.workspace.connection
        while True:
            await connection.look()
            self.show()
            if connection.error is None and connection.model:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def show(self) -> None:
        """Show server and model, and what is wrong with them, if anything is."""
        screen, connection = self._screen, self._screen.workspace.connection
        if not screen.query(Header):
            return  # the program is ending, with nothing left to show it on
        self._show_names()
        self.show_gauge()
        screen.query_one(Welcome).show(connection, demo=screen.workspace.demo, every=_LOOK_SECONDS)
        if screen.replies.view is None and (status := self._status()) not in (None, screen.status.said):
            screen.status.say(status)

    def _show_names(self) -> None:
        header, connection = self._screen.query_one(Header), self._screen.workspace.connection
        header.model, header.server = connection.model, connection.server.label

    def _status(self) -> Status | None:
        """What is to be said of the server; None where something else may go on being said."""
        connection, said = self._screen.workspace.connection, self._screen.status.said
        if (error := connection.error or connection.obstacle) is not None:
            return trouble(error, self._screen.keys)
        if connection.models and find(connection.model, connection.models) is None:
            missing = f"{connection.server.label} does not have {connection.model}"
            hint = f"{self._screen.keys['models']} chooses another, ollama pull {connection.model} gets it"
            return Status(missing, hint, error=True)
        return self._screen.status.state() if said.error or said.busy else None

    async def use_model(self, name: str) -> None:
        """Go on with another model of the server."""
        await self._screen.workspace.use_model(name)
        self.show()
        self.measure()

    async def use(self, server: Server, models: Sequence[Model] = (), model: str = "") -> None:
        """Go on with another server; a reply on its way goes on with the one before, but for the demo's."""
        navigation, workspace = self._screen.navigation, self._screen.workspace
        if workspace.demo:
            navigation.leave_chat()
        await workspace.use(server, models, model)
        if navigation.moving:
            navigation.arrive()
        self.meet()
        if model:
            self.measure()

    def meet(self) -> None:
        """Show the server that is talked to now; what it offers, as soon as that is known."""
        connection = self._screen.workspace.connection
        if connection.models:
            self.show()
        else:
            self._show_names()
            self._screen.status.say(Status(f"asking {connection.server.label}", busy=True))
            self.look()

    def measure(self) -> None:
        """Ask for the context window: a model that was just loaded tells it now."""
        self._screen.start(self._measure, "measure")

    async def _measure(self) -> None:
        self.show_gauge()
        await self._screen.workspace.connection.measure()
        self.show_gauge()

    def show_gauge(self) -> None:
        """Show how full the context window is."""
        for header in self._screen.query(Header):  # there is none any more while the program ends
            header.fullness = self._gauge.read()
            if header.fullness.warning:
                self._screen.notify(header.fullness.warning, severity="warning", timeout=15, markup=False)
