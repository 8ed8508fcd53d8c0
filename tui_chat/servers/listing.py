"""Every server with how it is, for a list that is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.errors import ChatError, Remedy, Unreachable
from tui_chat.server import Server
from tui_chat.servers.catalog import ModelCatalog
from tui_chat.servers.connection import Backends, Connect, Discover
from tui_chat.servers.registry import ServerRegistry, place
from tui_chat.servers.route import shown_url


@dataclass(frozen=True, slots=True)
class Row:
    """A server. Nothing in it is secret."""

    name: str
    url: str
    origin: str
    kind: str
    flavour: str
    reachable: bool
    models: int
    error: str = ""
    """Why it cannot be talked to."""
    hint: str = ""
    remedy: Remedy | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """What a table shows of it."""
        state = self.error or f"{self.flavour or self.kind}, {self.models} model{'' if self.models == 1 else 's'}"
        return self.name, self.url, self.origin, state


async def list_servers(
    book: ServerRegistry, connect: Connect, discover: Discover
) -> tuple[Sequence[Row], Sequence[str]]:
    """All servers that are named, and what is found on this machine; and where there was looked for more.

    What listens where servers do, and is none or wants a key, is listed too.

    Raises:
        ConfigError: the file of the added servers is in disorder.
    """
    if book.trouble is not None:
        raise book.trouble
    backends = Backends(connect)
    survey = ModelCatalog(book, backends, discover)
    try:
        await survey.everybody(lambda _: None)
    finally:
        await backends.aclose()
    rows = []
    for known in book.known():
        report = survey.reports.get(known.server)
        if report is None:
            rows.append(_row(known.server, known.origin, known.trouble, known.server))
        else:
            rows.append(_row(known.server, known.origin, report.error, report.server, len(report.models)))
    tried = survey.around.tried if survey.around is not None else ()
    places = {place(known.server) for known in book.known()}
    for attempt in tried:
        is_stranger = attempt.error is not None and not isinstance(attempt.error, Unreachable)
        if is_stranger and place(attempt.server) not in places:
            rows.append(_row(attempt.server, "found", attempt.error))
    return rows, [attempt.server.label for attempt in tried]


def _row(named: Server, origin: str, error: ChatError | None, asked: Server | None = None, models: int = 0) -> Row:
    """`asked`: the server as it told itself to be."""
    return Row(
        name=named.label,
        url=shown_url(named.address),
        origin=origin,
        kind=asked.kind if asked else "",
        flavour=asked.flavour if asked else "",
        reachable=error is None,
        models=models,
        error=str(error or ""),
        hint=error.hint if error else "",
        remedy=error.remedy if error else None,
    )
