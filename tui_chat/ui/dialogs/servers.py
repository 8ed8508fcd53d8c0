"""The servers: which there are, how each is, and adding, changing, testing and removing them."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import work
from textual.binding import BindingType
from textual.widgets import Input

from tui_chat.errors import ConfigError
from tui_chat.server import Server
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.registry import Origin, ServerEntry, place
from tui_chat.servers.route import shown_url
from tui_chat.servers.server_file import Table
from tui_chat.ui.commands import dialogs
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.server_form import ServerForm, described
from tui_chat.ui.widgets.choice_list import Choice, matching

_ADD: Final = ServerEntry(Server(""), Origin.ADDED)
"""Stands for the row that adds a server."""

_HINT: Final = (
    "{accept} switches · {servers-test} test · {servers-edit} edit · {servers-remove} remove · "
    "{servers-undo} undo · {close} closes"
)


class ServersScreen(Picker[ServerEntry]):
    """All servers that are known; gives back the one to go on with."""

    BINDINGS: ClassVar[list[BindingType]] = dialogs.bindings(Scope.SERVERS)

    def __init__(self, keys: Keymap, present: Server, survey: ModelCatalog) -> None:
        self._present = present
        self._survey = survey
        self._removed: list[Table] = []
        super().__init__(keys, "Servers", self._listed(), empty="", hint=_HINT)

    def on_mount(self) -> None:
        """List what is known, and ask how it is."""
        super().on_mount()
        self._ask()

    @work(exclusive=True, group="ask")
    async def _ask(self) -> None:
        await self._survey.everybody(lambda _: self._refresh(), self._present)
        self._refresh()

    def _refresh(self) -> None:
        if self.is_attached:
            self.show(self._listed())

    def _listed(self) -> list[Choice[ServerEntry]]:
        known = self._survey.book.known(self._present)
        same = [each for each in known if each.server == self._present]
        same += [each for each in known if place(each.server) == place(self._present)]
        current = next(iter(same), None)
        return [_row(each, self._survey.reports.get(each.server), marked=each is current) for each in known]

    def filter(self, typed: str) -> None:
        """Below what matches, a row to add a server, with what was typed as its URL."""
        found = matching(typed, self._choices)
        add = Choice(_ADD, f"Add {typed.strip()} …" if typed.strip() and not found else "Add a server …")
        self.list.show([*found, add], "")
        if not typed.strip():
            self.list.highlight(next((choice.value for choice in found if choice.marked), (*found, add)[0].value))

    def take(self, choice: Choice[ServerEntry]) -> None:
        """Go on with a server, or add one."""
        if choice.value == _ADD:
            self._fill_in({"url": url} if (url := self.query_one(Input).value.strip()) else {}, None)
        elif (trouble := choice.value.trouble) is not None:
            self.notify(trouble.told, severity="error", markup=False)
        else:
            self.dismiss(choice.value)

    @property
    def _chosen(self) -> ServerEntry | None:
        choice = self.list.choice
        return None if choice is None or choice.value == _ADD else choice.value

    def test(self) -> None:
        """Ask the highlighted server what it is."""
        if (known := self._chosen) is not None and known.trouble is None:
            self._survey.reports.pop(known.server, None)
            self._refresh()
            self._test(known)

    @work(group="test")
    async def _test(self, known: ServerEntry) -> None:
        report = await self._survey.ask(known)
        self._refresh()
        if report.error is not None:
            self.notify(f"{report.server.label}: {report.error.told}", severity="error", markup=False)
        else:
            self.notify(f"{report.server.label}: {described(report)}", markup=False)

    def edit(self) -> None:
        """Change the highlighted server; one that was only found is written down with that."""
        known = self._chosen
        if known is None:
            return
        if known.origin is Origin.CONFIG:
            self.notify(
                "This server is in the config file, which is yours alone: change it there, "
                "its key by key_env, key_file or key_command."
            )
        else:
            self._fill_in(known.table or {"url": known.server.address}, known)

    @work(group="form", exclusive=True)
    async def _fill_in(self, table: Table, instead: ServerEntry | None) -> None:
        form = ServerForm(self.keys, table, self._survey, instead=(instead.table or None) if instead else None)
        saved = await self.app.push_screen_wait(form)
        if saved is None:
            return
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        if instead is not None and place(instead.server) == place(self._present):
            self.dismiss(saved)  # what is talked to now is another one, with a key perhaps
        else:
            self._refresh()
            self.list.highlight(saved)
            self._ask()

    @work(group="change")
    async def remove_chosen(self) -> None:
        """Take the highlighted server out; it can be taken back."""
        known = self._chosen
        if known is None:
            return
        if not known.table:
            self.notify("Only servers that were added here can be removed here.")
            return
        try:
            await self._survey.book.remove(known)
        except ConfigError as error:
            self.notify(error.told, severity="error", markup=False)
            return
        self._removed.append(known.table)
        self.notify(self.keys.hint("Removed. {servers-undo} takes it back."), timeout=4)
        self._refresh()

    @work(group="change")
    async def restore(self) -> None:
        """Take the last removal back."""
        if self._removed:
            try:
                await self._survey.book.put(self._removed.pop())
            except ConfigError as error:
                self.notify(error.told, severity="error", markup=False)
            self._refresh()
            self._ask()


def _row(known: ServerEntry, report: ProbeResult | None, *, marked: bool) -> Choice[ServerEntry]:
    """A server in two rows: which it is, and how it is."""
    server = known.server
    state = str(known.trouble) if known.trouble else "asking …" if report is None else described(report)
    address = f"{shown_url(server.address)} · " if server.name else ""
    return Choice(known, server.label, (f"{address}{known.origin}",), marked=marked, snippet=((state, False),))
