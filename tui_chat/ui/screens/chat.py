"""The chat: log, composer, status bar, and what opens over them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from math import inf
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_chat.chat.workspace import Workspace
from tui_chat.markdown import warm_up
from tui_chat.messages import Model
from tui_chat.server import DEMO, Server
from tui_chat.servers.catalog import ModelCatalog
from tui_chat.servers.connection import find
from tui_chat.ui import phrases
from tui_chat.ui.commands import Scope, bindings
from tui_chat.ui.look import resolve
from tui_chat.ui.screens.chats import ChatsScreen
from tui_chat.ui.screens.models import ModelsScreen
from tui_chat.ui.screens.moving import Moving
from tui_chat.ui.screens.servers import ServersScreen
from tui_chat.ui.screens.writing import LendTerminal
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, StatusBar
from tui_chat.ui.widgets.transcript import Transcript
from tui_chat.ui.widgets.waiting import Waiting
from tui_chat.ui.widgets.welcome import Welcome

_QUIT_SECONDS: Final = 2.0
"""Two presses of Ctrl+C within this time quit."""
_LOOK_SECONDS: Final = 3.0
"""How often a server that is not there is looked for again."""


class ChatScreen(Moving):
    """One chat at a time."""

    AUTO_FOCUS = ""  # what has the focus gets keys, and the draft must be there before these
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CHAT)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(
        self, services: Services, workspace: Workspace, survey: ModelCatalog, lend_terminal: LendTerminal
    ) -> None:
        super().__init__(services, workspace, lend_terminal)
        self._survey = survey
        self._pressed = -inf

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Header()
        yield Transcript(resolve(self.app))
        yield Welcome()
        yield Waiting()
        yield Divider()
        yield Composer(self._services.config.keys)
        yield StatusBar()

    def on_mount(self) -> None:
        """Show the chat, and look for the server after the first frame."""
        self.app.theme_changed_signal.subscribe(self, self._recolour)
        self.set_interval(1.0, self._tick)
        self.show_chat()
        for warning in (*self._services.config.warnings, *self._survey.book.warnings):
            self.notify(warning, severity="warning", timeout=20, markup=False)
        self.call_after_refresh(self.action_demo if self._services.demo else self.look)
        self.call_after_refresh(self.run_worker, warm_up, thread=True, group="warm-up")

    # The server

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """Find out what the server offers; while the log is empty, again and again until it is there."""
        connection = self.workspace.connection
        while True:
            await connection.look()
            self._show_connection()
            if connection.error is None and connection.model:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _look_for_server(self) -> None:
        self.look()

    def _show_connection(self) -> None:
        if not self.query(Header):
            return  # the program is ending, with nothing left to show it on
        connection = self.workspace.connection
        header = self.query_one(Header)
        header.model, header.server = connection.model, connection.server.label
        self._show_gauge()
        self.query_one(Welcome).show(connection, demo=self.workspace.demo)
        if self._live is None and (status := self._server_status()) not in (None, self._said):
            self._say(status)

    def _server_status(self) -> Status | None:
        """What is to be said of the server; None where something else may go on being said."""
        connection = self.workspace.connection
        if connection.error is not None:
            return Status(str(connection.error), connection.error.hint, error=True)
        if (obstacle := connection.obstacle) is not None:
            return Status(str(obstacle), obstacle.hint, error=True)
        if connection.models and find(connection.model, connection.models) is None:
            missing = f"{connection.server.label} does not have {connection.model}"
            return Status(missing, f"Ctrl+L chooses another, ollama pull {connection.model} gets it", error=True)
        return self._state() if self._said.error or self._said.busy else None

    def _state(self) -> Status:
        """How the chat stands that is shown."""
        connection, last = self.workspace.connection, self.workspace.conversation.last
        if connection.error is None and not connection.models:
            return Status("looking for a server", busy=True)
        if self.workspace.current.held:
            return self._held()
        return Status((phrases.ending(last) if last else "") or "ready")

    @on(Transcript.Moved)
    def _moved(self, event: Transcript.Moved) -> None:
        self.query_one(Divider).below = event.below

    @on(Composer.Left)
    def _left_composer(self, event: Composer.Left) -> None:
        self.action_top() if event.up else self.action_follow()

    def show_chat(self) -> None:
        """Show the open chat where it was left: with its draft, at the place or the end."""
        conversation = self.workspace.conversation
        self.show_branch()
        self._instead = None
        self.composer.text = conversation.chat.draft
        self.composer.focus()
        self._say(self._state())
        if (place := conversation.chat.place) is not None:
            self.call_after_refresh(self.transcript.return_to, place.message, place.row)
        header = self.query_one(Header)
        header.title, header.demo = conversation.chat.title, self.workspace.demo
        self._show_gauge()
        self.watch_reply()
        self._show_notice()

    def _recolour(self, _theme: object) -> None:
        self.transcript.look = resolve(self.app)

    # What a person can ask for

    def action_interrupt(self) -> None:
        """Copy the selection, else stop, else quit at the second press."""
        if selected := self.get_selected_text() or self.composer.selected_text:
            self.copy_out("the selection", selected)
            self.clear_selection()
        elif self._busy:
            self.stop_reply()
        elif time.monotonic() - self._pressed < _QUIT_SECONDS:
            self.run_worker(self.app.run_action("quit"))
        else:
            self._pressed = time.monotonic()
            self.notify("Press Ctrl+C again to quit.", timeout=_QUIT_SECONDS)

    @work(group="dialog", exclusive=True)
    async def action_models(self) -> None:
        """Choose a model, of this server or of another that can be reached."""
        offer = await self.app.push_screen_wait(ModelsScreen(self.workspace.connection, self._survey))
        if offer is None:
            return
        if offer.server != self.workspace.connection.server:
            await self._use(offer.server, offer.models, offer.model.name)
        else:
            await self.workspace.use_model(offer.model.name)
        self._show_connection()
        self._measure()

    @work(group="dialog", exclusive=True)
    async def action_servers(self) -> None:
        """Choose, add, change, test or remove servers."""
        known = await self.app.push_screen_wait(ServersScreen(self.workspace.connection.server, self._survey))
        if known is not None:
            await self._use(known.server)

    async def _use(self, server: Server, models: Sequence[Model] = (), model: str = "") -> None:
        """Go on with another server; a reply on its way goes on with the one before, but for the demo's."""
        if self.workspace.demo:
            self._leave_chat()
        await self.workspace.use(server, models, model)
        if self._moving:
            self._arrive()
        self._meet()

    def _meet(self) -> None:
        """Show the server that is talked to now; what it offers, as soon as that is known."""
        connection = self.workspace.connection
        if connection.models:
            self._show_connection()
        else:
            header = self.query_one(Header)
            header.model, header.server = connection.model, connection.server.label
            self._say(Status(f"asking {connection.server.label}", busy=True))
            self.look()

    @work(group="dialog", exclusive=True)
    async def action_chats(self) -> None:
        """Open another chat, or look for something that was said."""
        screen = ChatsScreen(self.workspace.store, self.workspace.conversation.chat.id, self._badge)
        found = await self.app.push_screen_wait(screen)
        await self.workspace.current.catch_up()  # it may have been renamed
        self.query_one(Header).title = self.workspace.conversation.chat.title
        if self.workspace.conversation.chat.id in screen.deleted:
            await self._leave_deleted()
        if found is not None:
            await self.open_chat(found.chat, found.message, found.words)

    def _badge(self, chat_id: str) -> str:
        chat = self.workspace.known(chat_id)
        return "" if chat is None else phrases.badge(chat)

    @on(Transcript.Typed)
    def _typed_in_log(self, event: Transcript.Typed) -> None:
        self.leave_steps()
        self.composer.insert(event.text)
        self._show_status()

    @work(group="dialog", exclusive=True)
    async def action_demo(self) -> None:
        """Talk to the built-in scripted server instead, or go back from it. What was written goes along."""
        draft = self.composer.text
        self._leave_chat()
        if self.workspace.demo:
            await self.workspace.leave_demo()
        else:
            await self.workspace.start_demo(DEMO)
        if draft != self.workspace.conversation.chat.draft:
            self.composer.insert(draft)
        self._arrive()
        self.look()
