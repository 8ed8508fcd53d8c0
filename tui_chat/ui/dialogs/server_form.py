"""What is known of one server, as fields to fill in; they are the settings of `[[servers]]` in the config file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.errors import ConfigError
from tui_chat.server import carries_key
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.registry import Origin, ServerEntry
from tui_chat.servers.server_file import Entry, Table
from tui_chat.servers.table import server_at
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.commands import dialogs
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.field import Field

_DOTS: Final = "••••••••"
"""Stands for a key that is kept: the field never holds the key itself."""
_HINT: Final = "{accept} saves · {form-test} test · {form-next} next field · {close} closes"


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    label: str
    help: str


_SETTINGS: Final = (
    _Setting("url", "URL", "http://host:8080, or http+unix:/run/server.sock"),
    _Setting("name", "Name", "how it is called on screen and by --url"),
    _Setting("kind", "Kind", "auto, ollama or openai"),
    _Setting("key", "Key", "kept in a file that only you can read, or better:"),
    _Setting("key_env", "… variable", "an environment variable that holds the key"),
    _Setting("key_file", "… file", "a file that holds the key"),
    _Setting("key_command", "… command", "a command that prints the key"),
    _Setting("proxy", "Proxy", "http://host:3128 or socks5://host:1080"),
    _Setting("ca_file", "CA file", "certificates in PEM format; `off` trusts any"),
)
_WAYS: Final = ("key", "key_env", "key_file", "key_command")


class SecretField(Field):
    """A field that shows dots, and gives nothing to the clipboard."""

    def action_copy(self) -> None:
        """A key does not leave by the clipboard."""

    def action_cut(self) -> None:
        """A key does not leave by the clipboard."""


class ServerForm(Dialog[ServerEntry]):
    """Fields, tested and saved at a key; gives back what was saved."""

    # Before all else, so that keys typed ahead land in the field that they are for: one of them is a secret.
    BINDINGS: ClassVar[list[BindingType]] = dialogs.bindings(Scope.FORM)

    VERTICAL_BREAKPOINTS = [(0, "-short"), (17, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(self, keys: Keymap, table: Table, survey: ModelCatalog, *, instead: Table | None = None) -> None:
        super().__init__(keys)
        self._table = table
        self._survey = survey
        self._instead = instead

    def compose(self) -> ComposeResult:
        """A row for each setting."""
        texts = _texts_of(self._table)
        with Vertical(id="server"):
            yield Static(Content("Change a server" if self._instead else "Add a server"), id="server-title")
            with VerticalScroll(id="server-fields", can_focus=False):
                for setting in _SETTINGS:
                    kind, is_key = (SecretField, True) if setting.name == "key" else (Field, False)
                    field = kind(texts.get(setting.name, ""), setting.help, password=is_key, id=setting.name)
                    yield Horizontal(Static(Content(setting.label), classes="server-label"), field)
            yield Static("", id="server-state")
            yield Static(Content(self.keys.hint(_HINT)), id="server-hint")

    def on_mount(self) -> None:
        """The keys go to the first field."""
        self.query("#url").focus()

    def on_input_submitted(self) -> None:
        """Enter saves."""
        self.accept()

    @work(group="try", exclusive=True)
    async def test(self) -> None:
        """Ask the server what it is, with what is filled in now."""
        if (entry := await self._entry()) is None:
            return
        if entry.trouble is not None:
            self._say(entry.trouble.told)
            return
        self._say("asking …")
        report = await self._survey.ask(ServerEntry(entry.server, Origin.ADDED))
        self._say(report.error.told if report.error else described(report))

    def accept(self) -> None:
        """Write it down."""
        self._save()

    @work(group="try", exclusive=True)
    async def _save(self) -> None:
        if (entry := await self._entry()) is None:
            return
        try:
            await self._survey.book.put(entry.table, instead=self._instead)
        except ConfigError as error:
            self._say(error.told)
            return
        self.dismiss(ServerEntry(entry.server, Origin.ADDED, entry.trouble, entry.table))

    async def _entry(self) -> Entry | None:
        """What is filled in; None if that makes no sense, which is said, or if it was closed."""
        if not self.query(Input):
            return None
        try:
            table = self._filled_in()
            return await asyncio.to_thread(self._survey.book.draft, table, instead=self._instead)
        except ConfigError as error:
            self._say(error.told)
            return None

    def _filled_in(self) -> Table:
        texts = {each.name: self.query_one(f"#{each.name}", Input).value.strip() for each in _SETTINGS}
        ways = [name for name in _WAYS if texts[name]]
        if len(ways) > 1:
            raise ConfigError("The key is given in more than one way.", "Leave one of them.")
        if texts["key"] == _DOTS:
            if self._is_another_host(texts["url"]):
                raise ConfigError("The key was for another host.", "Write it again, if it is for this one too.")
            texts["key"] = str(self._table["key"])
        if self._leads_headers_away(texts["url"]):
            raise ConfigError("Headers in servers.toml hold keys for another host.", "Change them there first.")
        texts["name"] = clean_line(texts["name"], 60)
        return _table_of(texts, self._table)

    def _is_another_host(self, url: str) -> bool:
        return _host(url) != _host(_texts_of(self._table)["url"])

    def _leads_headers_away(self, url: str) -> bool:
        headers = self._table.get("headers")
        return isinstance(headers, dict) and any(map(carries_key, headers)) and self._is_another_host(url)

    def _say(self, words: str) -> None:
        for state in self.query("#server-state").results(Static):  # there is none any more if it was closed
            state.update(Content(words))


def described(report: ProbeResult) -> str:
    """What a server is and has, or why that is not known."""
    if report.error is not None:
        return str(report.error)
    number = len(report.models)
    kind = report.server.flavour or report.server.kind
    return f"{kind} · {number or 'no'} model{'' if number == 1 else 's'}"


def _texts_of(table: Table) -> dict[str, str]:
    """A table as the texts of the fields, without the key."""
    texts = {field.name: str(table.get(field.name, "")) for field in _SETTINGS}
    if not texts["url"] and table.get("socket"):
        texts["url"] = f"http+unix:{table['socket']}"
    if table.get("key"):
        texts["key"] = _DOTS
    if table.get("verify") is False:
        texts["ca_file"] = "off"
    return texts


def _table_of(texts: dict[str, str], before: Table) -> Table:
    """The texts of the fields as a table, with what it had `before` and is no field."""
    kept = {name: value for name, value in before.items() if name not in (*texts, "socket", "verify")}
    table: dict[str, object] = {name: text for name, text in texts.items() if text}
    if texts["ca_file"].lower() == "off":
        del table["ca_file"]
        table["verify"] = False
    return {**table, **kept}


def _host(url: str) -> str:
    """Scheme, host and port, or the socket; the whole where there is no telling."""
    try:
        address = server_at(url).address
    except ConfigError:
        return url
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else address
