"""The list of servers: choosing, adding, editing, testing and removing them."""

from __future__ import annotations

from typing import Final

from textual import work
from textual.widgets import Input

from tui_chat.errors import ChatError
from tui_chat.server import Server
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.registry import place
from tui_chat.servers.route import shown_url
from tui_chat.servers.server_file import Origin, ServerEntry, Table
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.server_form import ServerForm, described
from tui_chat.ui.widgets.choice_list import Choice, matching

_ADD: Final = ServerEntry(Server(""), Origin.ADDED)
"""The row that adds a server."""

_HINT: Final = (
    "{accept} use · {servers-test} test · {servers-edit} edit · {servers-remove} remove · "
    "{servers-undo} undo · {close} close"
)


class ServersScreen(Picker[ServerEntry]):
    """All known servers; answers the one to use."""

    BINDINGS = bindings(Scope.SERVERS)

    def __init__(self, keys: Keymap, present: Server, survey: ModelCatalog) -> None:
        self._present = present
        self._survey = survey
        self._removed: list[Table] = []
        super().__init__(keys, "Servers", self._listed(), hint=_HINT)

    def on_mount(self) -> None:
        """List the known servers, and ask each for its models."""
        self._ask()

    @work(exclusive=True, group="ask")
    async def _ask(self) -> None:
        await self._survey.everybody(lambda _: self._refresh(), self._present)
        self._refresh()

    def _refresh(self) -> None:
        if self.is_attached:
            self.show(self._listed())

    def _listed(self) -> list[Choice[ServerEntry]]:
        known, here = self._survey.book.known(self._present), self._present
        current = max(known, key=lambda each: (each.server == here, place(each.server) == place(here)))
        return [_row(each, self._survey.report(each), marked=each is current) for each in known]

    def filter(self, typed: str) -> None:
        """List the matching servers and a row to add one; if none matches, with the typed text as its URL."""
        found = matching(typed, self._choices)
        add = Choice(_ADD, f"Add {typed.strip()} …" if typed.strip() and not found else "Add a server …")
        self.list.show([*found, add], "")
        if not typed.strip():
            self.list.highlight(next((choice.value for choice in found if choice.marked), (*found, add)[0].value))

    def take(self, choice: Choice[ServerEntry]) -> None:
        """Use a server, or add one."""
        if choice.value == _ADD:
            self._fill_in({"url": url} if (url := self.query_one(Input).value.strip()) else {}, None)
        elif (trouble := choice.value.trouble) is not None:
            self.fail(trouble)
        else:
            self.dismiss(choice.value)

    @property
    def _chosen(self) -> ServerEntry | None:
        choice = self.list.choice
        return None if choice is None or choice.value == _ADD else choice.value

    async def test(self) -> None:
        """Ask the highlighted server for its kind and models."""
        known = self._chosen
        if known is None or known.trouble is not None:
            return
        self._survey.reports.pop(known.server, None)
        self._refresh()
        report = await self._survey.ask(known)
        self._refresh()
        state = report.error.told if report.error else described(report)
        self.notify(f"{report.server.label}: {state}")

    def edit(self) -> None:
        """Edit the highlighted server; one that was found by itself is saved with that."""
        known = self._chosen
        if known is None:
            return
        if known.origin is Origin.CONFIG:
            self.notify("This server is in your config file: edit it there.")
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
            self.dismiss(saved)  # the server in use has changed, perhaps its key
        else:
            self._refresh()
            self.list.highlight(saved)
            self._ask()

    async def remove_chosen(self) -> None:
        """Remove the highlighted server; `restore` undoes it."""
        known = self._chosen
        if known is None:
            return
        if not known.table:
            self.notify("Only servers that were added here can be removed here.")
            return
        await self._survey.book.remove(known)
        self._removed.append(known.table)
        self.notify(self.keys.hint("Removed. {servers-undo} undoes it."), timeout=4)
        self._refresh()

    async def restore(self) -> None:
        """Undo the last removal."""
        if self._removed:
            table = self._removed.pop()
            try:
                await self._survey.book.put(table)
            except ChatError:
                self._removed.append(table)
                raise
            self._refresh()
            self._ask()


def _row(known: ServerEntry, report: ProbeResult | None, *, marked: bool) -> Choice[ServerEntry]:
    """The two rows of a server: its name, and its state."""
    server = known.server
    state = str(known.trouble) if known.trouble else "asking …" if report is None else described(report)
    address = f"{shown_url(server.address)} · " if server.name else ""
    return Choice(known, server.label, (f"{address}{known.origin}",), marked=marked, snippet=((state, False),))
