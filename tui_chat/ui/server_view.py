"""What the chat screen shows about its server and model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui_chat.chat.settings import think_of
from tui_chat.errors import Unauthorized
from tui_chat.messages import Model
from tui_chat.parameters import text_of
from tui_chat.server import Server
from tui_chat.servers.connection import find
from tui_chat.servers.jobs import Job
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.widgets.header import fullness_of
from tui_chat.ui.widgets.status import Status, trouble

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_LOOK_SECONDS: Final = 3.0
"""Seconds between two tries to reach a server."""


class ServerView:
    """Asks the server what it offers, shows that, and switches to another server or model."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._warned: set[str] = set()
        """The chats whose beginning was left out, of which that was said."""
        screen.workspace.jobs.ended = self._job_ended

    def look(self) -> None:
        """Ask the server for its models, again and again until it has one."""
        self._screen.start(self._look, "look")

    async def _look(self) -> None:
        connection = self._screen.workspace.connection
        while True:
            await connection.look()
            self.show()
            if connection.error is None and connection.model:
                await self._learn_most()
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _job_ended(self, job: Job) -> None:
        """Say how a pull or a load has ended, and use what there is now."""
        screen = self._screen
        screen.status.show()
        if job.error is not None:
            resumes = " {models} shows and resumes it." if job.kind == "pull" else ""
            text = f"{job.model}: {job.error.told}{screen.keys.hint(resumes)}"
            screen.notify(text, severity="error", timeout=30, markup=False)
        elif job.kind == "pull":
            screen.notify(f"Pulled {job.model}.", markup=False)
        if job.done and job.backend is screen.workspace.connection.backend:
            self.look()

    def show(self) -> None:
        """Show server and model, or what is wrong with them."""
        screen, connection = self._screen, self._screen.workspace.connection
        if not screen.is_running:
            return  # the program is ending
        self.show_names()
        self.show_gauge()
        missed, connection.missed = connection.missed, ""
        if missed:
            lacks = f"{connection.server.label} does not have {clean_line(missed, 80)}"
            screen.notify(f"{lacks}: {connection.model} answers.", severity="warning", timeout=10, markup=False)
        screen.welcome.show(connection, demo=screen.workspace.demo, every=_LOOK_SECONDS)
        if screen.replies.view is None and (status := self._status()) not in (None, screen.status.said):
            screen.status.say(status)

    def show_names(self) -> None:
        """Show the model, how much it thinks, and its server."""
        header, connection = self._screen.header, self._screen.workspace.connection
        found, before = find(connection.model, connection.models), (header.model, header.server, header.thinking)
        header.model, header.server = found.name if found else connection.model, connection.server.label
        workspace = self._screen.workspace
        thinks = think_of(workspace)
        header.thinking = "" if thinks == workspace.config.think else f"think {text_of(thinks) or 'default'}"
        if before != (header.model, header.server, header.thinking):
            self._screen.replies.withdraw_notice()

    def _status(self) -> Status | None:
        """The status of the server; None to leave the status as it is."""
        connection, said = self._screen.workspace.connection, self._screen.status.said
        if (error := connection.error or connection.obstacle) is not None:
            if not self._screen.welcome.display:
                return trouble(error, self._screen.keys)
            short = "no models" if connection.error is None else "no server"  # the card says the rest
            return Status("key needed" if isinstance(error, Unauthorized) else short, error=True)
        if connection.models and find(connection.model, connection.models) is None:
            missing = f"{connection.server.label} does not have {connection.model}"
            pulls = "pulls it, or " * connection.pulls
            hint = self._screen.keys.hint(f"{{models}} {pulls}chooses another model.")
            return Status(missing, hint, error=True)
        return self._screen.status.state() if said.error or said.busy else None

    async def use_model(self, name: str) -> None:
        """Switch to another model of the server."""
        await self._screen.workspace.use_model(name)
        self.show()
        self.measure()

    async def use(self, server: Server, models: Sequence[Model] = (), model: str = "") -> None:
        """Switch to another server; running replies keep theirs, but leaving the demo ends its own."""
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
        """Show the present server; ask for its models if they are not known."""
        connection = self._screen.workspace.connection
        if connection.models:
            self.show()
        else:
            self.show_names()
            self._screen.status.say(Status(f"asking {connection.server.label}", busy=True))
            self.look()

    def measure(self) -> None:
        """Ask for the context window, which a model may tell only once it is loaded."""
        self._screen.start(self._measure, "measure")

    async def _measure(self) -> None:
        self.show_gauge()
        await self._screen.workspace.connection.measure()
        self.show_gauge()
        await self._learn_most()

    async def _learn_most(self) -> None:
        """Learn the model's own maximum, where the chat asks for a window that may be larger."""
        workspace = self._screen.workspace
        if workspace.conversation.chat.parameters.num_ctx is not None:
            await workspace.connection.learn_abilities()
            self.show_gauge()

    def show_gauge(self) -> None:
        """Show how full the context window is; say once if the server has left out the beginning of a chat."""
        screen, workspace = self._screen, self._screen.workspace
        screen.header.fullness = fullness_of(workspace)
        chat = workspace.conversation.chat.id
        if chat not in self._warned and (warning := screen.fit.left_out()):
            self._warned.add(chat)
            screen.notify(warning, severity="warning", timeout=15, markup=False)
