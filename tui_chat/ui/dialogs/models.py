"""The models screen: choosing, pulling, looking at, loading, copying and deleting models."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from textual import work
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.jobs import Job, model_name
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.model_rows import ModelRow, ModelRows, Offer, Wanted
from tui_chat.ui.dialogs.model_verbs import ModelVerbs
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice
from tui_chat.ui.widgets.clickable import Hint


class ModelsScreen(Picker[ModelRow]):
    """All models: the present server's at once, those of others as they answer. Answers the one to chat with."""

    BINDINGS = bindings(Scope.MODELS)

    def __init__(self, keys: Keymap, workspace: Workspace, catalog: ModelCatalog) -> None:
        self._rows = rows = ModelRows(workspace.connection, catalog, workspace.jobs)
        self.verbs = ModelVerbs(self, rows, workspace)
        self._jobs = rows.jobs.all
        super().__init__(keys, rows.title, list(rows.choices()), empty="No model to chat with yet.")

    def on_mount(self) -> None:
        """List the known models, and ask all servers."""
        self.ask()
        self.set_interval(1.0, self.refresh_rows)

    @work(exclusive=True, group="ask")
    async def ask(self) -> None:
        """Ask all servers for their models."""
        connection = self._rows.connection

        async def look() -> None:
            await connection.look()
            self.refresh_rows(connection.error.told if connection.error else None)
            await connection.detail(self.refresh_rows)

        def heard(report: ProbeResult) -> None:
            self._rows.hear(report)
            self.refresh_rows()

        await asyncio.gather(look(), self._rows.catalog.everybody(heard, but=connection.server))

    def refresh_rows(self, empty: str | None = None) -> None:
        """Show what has changed; ask the servers again once a job is done."""
        if not self.is_attached:
            return
        before, self._jobs = self._jobs, self._rows.jobs.all
        if set(before) - set(self._jobs):
            self.ask()
        if (choices := list(self._rows.choices())) != self._choices or empty is not None:
            self.show(choices, empty=empty)
        self._say_hint()

    def _say_hint(self) -> None:
        """Show whose models they are, and the keys for the highlighted row; nothing once the list is closed."""
        rows, choice = self._rows, self.list.choice
        for title in self.query("#picker-title").results(Static):
            title.update(Content(rows.title))
        for hint in self.query(Hint):
            hint.say(self.keys.line(rows.hint(choice.value if choice else None)) + rows.silent())

    def move(self, step: int) -> None:
        """Move the highlight, and show the keys for that row."""
        super().move(step)
        self._say_hint()

    def filter(self, typed: str) -> None:
        """Show the matching rows; if there are none, a row to pull what is typed, if that is a name."""
        super().filter(typed)
        if typed.strip() and not self.list.choices and self._rows.can("pull"):
            with suppress(ConfigError):  # then it is no name
                name = model_name(typed)
                self.list.show([Choice(Wanted(name), f"Pull {name} …")], "")
        self._say_hint()

    def take(self, choice: Choice[ModelRow]) -> None:
        """Chat with a model, pull one, or resume a pull."""
        match choice.value:
            case Offer():
                self.dismiss(choice.value)
            case Wanted(name):
                self.verbs.begin_pull(name)
            case Job(running=True):
                self.action_command("models-details")
            case Job() as job:
                job.resume()
        self.refresh_rows()

    @property
    def typed(self) -> str:
        """The text of the filter."""
        return self.query_one(Input).value.strip()

    def clear_filter(self) -> None:
        """List all rows."""
        self.query_one(Input).value = ""
        self.show(list(self._rows.choices()))
