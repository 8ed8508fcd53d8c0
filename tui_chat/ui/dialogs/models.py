"""The list of models: the present server's at once, those of other servers as they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.connection import Connection, find
from tui_chat.servers.registry import Origin, place
from tui_chat.text.figures import size
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.phrases import count
from tui_chat.ui.widgets.choice_list import Choice


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of a server."""

    server: Server
    model: Model = field(compare=False)
    name: str
    models: tuple[Model, ...] = field(compare=False, repr=False)
    """All models of the server."""


class ModelsScreen(Picker[Offer]):
    """Models to choose from; one of another server switches to that server."""

    def __init__(self, keys: Keymap, connection: Connection, survey: ModelCatalog) -> None:
        self._connection = connection
        self._survey = survey
        self._reports: dict[Server, ProbeResult] = {
            server: report for server, report in survey.reports.items() if report.models
        }
        super().__init__(
            keys, f"Models of {connection.server.label}", list(self._offers()), empty="No model to chat with yet."
        )

    def on_mount(self) -> None:
        """List the known models, and ask all servers."""
        super().on_mount()
        self.run_worker(self._ask())

    async def _ask(self) -> None:
        connection = self._connection
        await asyncio.gather(self._look(), self._survey.everybody(self._heard, but=connection.server))

    async def _look(self) -> None:
        await self._connection.look()
        error = self._connection.error
        self._refresh(error.told if error else None)
        await self._connection.detail(self._refresh)

    def _heard(self, report: ProbeResult) -> None:
        self._reports[report.known.server] = report
        self._refresh()

    def _refresh(self, empty: str | None = None) -> None:
        if not self.is_attached:
            return
        label = self._connection.server.label
        many = any(report.models for report in self._others())
        silent = [
            report.server.label
            for report in self._others()
            if report.error is not None and report.known.origin is not Origin.FOUND
        ]
        if self._connection.error is not None and many:
            silent.insert(0, label)
        title = "Models of all servers" if many else f"Models of {label}"
        self.say(title, self.hint + f" · no answer from {', '.join(silent)}" if silent else self.hint)
        self.show(list(self._offers()), empty=empty)

    def _others(self) -> list[ProbeResult]:
        """The answers of the other servers, in the registry's order."""
        here = self._connection.server
        order = {known.server: number for number, known in enumerate(self._survey.book.known())}
        reports = [
            report
            for server, report in self._reports.items()
            if server in order and server != here and (server.name or place(server) != place(here))
        ]
        return sorted(reports, key=lambda report: order[report.known.server])

    def _offers(self) -> Iterator[Choice[Offer]]:
        connection = self._connection
        others = self._others()
        label = _called(connection.backend.server) if any(report.models for report in others) else ""
        present = find(connection.model, connection.models)
        for model in (each for each in connection.models if each.chats):
            offer = Offer(connection.server, model, model.name, connection.models)
            yield Choice(offer, model.name, details(model, label), marked=model == present)
        for report in others:
            for model in (each for each in report.models if each.chats):
                offer = Offer(report.known.server, model, model.name, report.models)
                yield Choice(offer, model.name, details(model, _called(report.server)))


def _called(server: Server) -> str:
    """A server's name, or its kind and address."""
    return server.label if server.name else f"{server.flavour} {server.label}".strip()


def details(model: Model, server: str = "") -> tuple[str, ...]:
    """The columns of a model, empty where the server did not tell: server, parameters, size and so on."""
    return (
        server,
        model.parameters,
        size(model.size) if model.size else "",
        f"{count(model.context_window)} ctx" if model.context_window else "",
        "loaded" if model.loaded else "",
        " ".join(sorted(model.capabilities - {"completion"})),
    )
