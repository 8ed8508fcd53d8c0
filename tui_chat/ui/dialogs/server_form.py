"""A form for one server; its fields are the settings of `[[servers]]` in the config file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from textual import work
from textual.widget import Widget
from textual.widgets import Input

from tui_chat.errors import ChatError, ConfigError
from tui_chat.server import carries_key
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.server_file import ServerEntry, Table
from tui_chat.servers.table import server_at
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.form import Form
from tui_chat.ui.widgets.field import Field

_DOTS: Final = "••••••••"
"""Shown for a saved key: the field never holds the key itself."""
_HINT: Final = "{accept} save · {form-test} test · {close} cancel"


_SETTINGS: Final = {
    "url": ("URL", "http://host:8080, or http+unix:/run/server.sock"),
    "name": ("Name", "name in lists and for --url"),
    "kind": ("Kind", "auto, ollama, openai or relay"),
    "key": ("Key", "saved in a file that only you can read, or better:"),
    "key_env": ("… variable", "an environment variable that holds the key"),
    "key_file": ("… file", "a file that holds the key"),
    "key_command": ("… command", "a command that prints the key"),
    "proxy": ("Proxy", "http://host:3128 or socks5://host:1080"),
    "ca_file": ("CA file", "certificates in PEM format; `off` trusts any"),
}
"""Labels and placeholders by setting."""
_WAYS: Final = ("key", "key_env", "key_file", "key_command")


class SecretField(Field):
    """A field that shows dots and copies nothing."""

    def action_copy(self) -> None:
        """Do nothing: a key never goes to the clipboard."""

    def action_cut(self) -> None:
        """Do nothing: a key never goes to the clipboard."""


class ServerForm(Form[ServerEntry]):
    """Fields to test and save; answers the saved server."""

    def __init__(self, keys: Keymap, table: Table, survey: ModelCatalog, *, instead: Table | None = None) -> None:
        super().__init__(keys, "Edit a server" if instead else "Add a server", _HINT)
        self._table = table
        self._survey = survey
        self._instead = instead

    def rows(self) -> Iterable[tuple[str, Widget]]:
        """A row for each setting."""
        texts = _texts_of(self._table)
        for name, (label, help) in _SETTINGS.items():
            kind, is_key = (SecretField, True) if name == "key" else (Field, False)
            yield label, kind(texts.get(name, ""), help, password=is_key, id=name)

    def test(self) -> None:
        """Ask the server for its kind and models, with the present settings."""
        self._try(self._ask)

    def accept(self) -> None:
        """Save."""
        self._try(self._save)

    @work(group="try", exclusive=True)
    async def _try(self, act: Callable[[ServerEntry], Awaitable[None]]) -> None:
        """Do something with the settings as a server; what is wrong with them is shown."""
        if self.query(Input):  # none if it was closed
            try:
                draft = self._survey.book.draft
                await act(await asyncio.to_thread(draft, self._filled_in(), instead=self._instead))
            except ChatError as error:
                self.fail(error)

    async def _ask(self, entry: ServerEntry) -> None:
        if entry.trouble is not None:
            raise entry.trouble
        self.say("asking …")
        report = await self._survey.ask(entry)
        self.say(report.error.told if report.error else described(report))

    async def _save(self, entry: ServerEntry) -> None:
        await self._survey.book.put(entry.table, instead=self._instead)
        self.dismiss(entry)

    def _filled_in(self) -> Table:
        texts = {name: self.query_one(f"#{name}", Input).value.strip() for name in _SETTINGS}
        ways = [name for name in _WAYS if texts[name]]
        if len(ways) > 1:
            raise ConfigError("The key is given in more than one way.", "Clear all but one.")
        is_another_host = _host(texts["url"]) != _host(_texts_of(self._table)["url"])
        headers = self._table.get("headers")
        if texts["key"] == _DOTS:
            if is_another_host:
                raise ConfigError("The key was for another host.", "Enter it again if it is for this one too.")
            texts["key"] = str(self._table["key"])
        if is_another_host and isinstance(headers, dict) and any(map(carries_key, headers)):
            raise ConfigError("Headers in servers.toml hold keys for another host.", "Edit them there first.")
        texts["name"] = clean_line(texts["name"], 60)
        return _table_of(texts, self._table)


def described(report: ProbeResult) -> str:
    """A server's kind and number of models, or why they are not known."""
    if report.error is not None:
        return str(report.error)
    number = len(report.models)
    kind = report.server.flavour or report.server.kind
    return f"{kind} · {number or 'no'} model{'' if number == 1 else 's'}"


def _texts_of(table: Table) -> dict[str, str]:
    """The texts of the fields for a table, without the key."""
    texts = {name: str(table.get(name, "")) for name in _SETTINGS}
    if not texts["url"] and table.get("socket"):
        texts["url"] = f"http+unix:{table['socket']}"
    if table.get("key"):
        texts["key"] = _DOTS
    if table.get("verify") is False:
        texts["ca_file"] = "off"
    return texts


def _table_of(texts: dict[str, str], before: Table) -> Table:
    """The table for the texts of the fields, with the settings of `before` that have no field."""
    kept = {name: value for name, value in before.items() if name not in (*texts, "socket", "verify")}
    table: dict[str, object] = {name: text for name, text in texts.items() if text}
    if texts["ca_file"].lower() == "off":
        del table["ca_file"]
        table["verify"] = False
    return {**table, **kept}


def _host(url: str) -> str:
    """Scheme, host and port of a URL, or the socket; a wrong URL unchanged."""
    try:
        address = server_at(url).address
    except ConfigError:
        return url
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else address
