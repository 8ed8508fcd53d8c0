"""The models of all servers, asked for at once: a dead server delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui_chat.errors import ChatError, Cut, ReplyError, Unreachable
from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.connection import Backends, Connect, Discover
from tui_chat.servers.probe import Discovery
from tui_chat.servers.registry import ServerRegistry, place
from tui_chat.servers.server_file import Origin, ServerEntry

ASK_SECONDS: Final = 4.0
"""How long a server may take to answer."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A server's answer, or why there is none."""

    known: ServerEntry
    server: Server
    """With the kind and flavour that it told."""
    models: tuple[Model, ...] = ()
    error: ChatError | None = None
    """Why it offers no models."""


class ModelCatalog:
    """Asks servers for their models, and keeps the latest answer of each."""

    def __init__(self, book: ServerRegistry, backends: Backends, discover: Discover | None = None) -> None:
        self.book = book
        self.reports: dict[Server, ProbeResult] = {}
        """The latest answer of each server."""
        self.around: Discovery | None = None
        """What the last search of this machine found."""
        self._backends = backends
        self._discover = discover

    def report(self, known: ServerEntry) -> ProbeResult | None:
        """The latest answer of a server; of one that was only found, that of the same place under another name."""
        if (report := self.reports.get(known.server)) is not None or known.origin is not Origin.FOUND:
            return report
        same = (each for each in self.reports.values() if place(each.known.server) == place(known.server))
        return next(same, None)

    async def ask(self, known: ServerEntry, within: float = ASK_SECONDS) -> ProbeResult:
        """Ask one server."""
        backend = self._backends.of(known.server)
        try:
            async with asyncio.timeout(within):
                models = tuple(await backend.models())
            report = ProbeResult(known, backend.server, models)
        except ReplyError as error:
            report = ProbeResult(known, backend.server, error=error)
        except TimeoutError:
            late = Cut(f"{known.server.label} did not answer within {within:g} seconds.", "Is it busy? Try again.")
            report = ProbeResult(known, backend.server, error=late)
        self.reports[known.server] = report
        return report

    async def everybody(
        self, heard: Callable[[ProbeResult], None], *others: Server, but: Server | None = None
    ) -> None:
        """Ask all known servers and `others`, except `but`; search this machine for more at the same time.

        `heard` is called with each result when it arrives.
        """
        asked: set[Server | str] = set() if but is None else {but, place(but)}

        async def ask(known: ServerEntry) -> None:
            heard(await self.ask(known))

        def go(group: asyncio.TaskGroup) -> None:
            for known in self.book.known(*others):
                key = place(known.server) if known.origin is Origin.FOUND else known.server
                if key not in asked and known.trouble is None:
                    asked.update((known.server, place(known.server)))
                    group.create_task(ask(known))

        async with asyncio.TaskGroup() as group:
            go(group)
            if self._discover is not None:
                self.around = await self._discover()
                self.book.note(self.around.found)
                go(group)


async def list_servers(
    book: ServerRegistry, connect: Connect, discover: Discover
) -> tuple[list[ProbeResult], list[str]]:
    """All servers of the settings and of this machine, and the addresses that were tried here.

    What listens at a server's usual port, but is none or wants a key, is listed too.

    Raises:
        ConfigError: the file of the added servers is invalid.
    """
    if book.trouble is not None:
        raise book.trouble
    backends = Backends(connect)
    survey = ModelCatalog(book, backends, discover)
    try:
        await survey.everybody(lambda _: None)
    finally:
        await backends.aclose()
    known = book.known()
    results = [survey.report(each) or ProbeResult(each, each.server, error=each.trouble) for each in known]
    tried = survey.around.tried if survey.around is not None else ()
    places = {place(each.server) for each in known}
    for attempt in tried:
        is_stranger = attempt.error is not None and not isinstance(attempt.error, Unreachable)
        if is_stranger and place(attempt.server) not in places:
            entry = ServerEntry(attempt.server, Origin.FOUND)
            results.append(ProbeResult(entry, attempt.server, error=attempt.error))
    return results, [attempt.server.label for attempt in tried]
