"""The list of servers that `tui-chat servers` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.errors import Remedy, Unreachable
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.connection import Backends, Connect, Discover
from tui_chat.servers.registry import Origin, ServerEntry, ServerRegistry, place
from tui_chat.servers.route import shown_url


@dataclass(frozen=True, slots=True)
class Row:
    """A server as it is printed; holds no secrets."""

    name: str
    url: str
    origin: str
    kind: str
    flavour: str
    reachable: bool
    models: int
    error: str = ""
    """Why it cannot be used."""
    hint: str = ""
    remedy: Remedy | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Its cells in the table."""
        state = self.error or f"{self.flavour or self.kind}, {self.models} model{'' if self.models == 1 else 's'}"
        return self.name, self.url, self.origin, state


async def list_servers(
    book: ServerRegistry, connect: Connect, discover: Discover
) -> tuple[Sequence[Row], Sequence[str]]:
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
    rows = [_row(each, survey.report(each)) for each in known]
    tried = survey.around.tried if survey.around is not None else ()
    places = {place(each.server) for each in known}
    for attempt in tried:
        is_stranger = attempt.error is not None and not isinstance(attempt.error, Unreachable)
        if is_stranger and place(attempt.server) not in places:
            entry = ServerEntry(attempt.server, Origin.FOUND)
            rows.append(_row(entry, ProbeResult(entry, attempt.server, error=attempt.error)))
    return rows, [attempt.server.label for attempt in tried]


def _row(known: ServerEntry, report: ProbeResult | None) -> Row:
    error = report.error if report else known.trouble
    asked = report.server if report else known.server
    return Row(
        name=known.server.label,
        url=shown_url(known.server.address),
        origin=known.origin,
        kind=asked.kind,
        flavour=asked.flavour,
        reachable=error is None,
        models=len(report.models) if report else 0,
        error=str(error or ""),
        hint=error.hint if error else "",
        remedy=error.remedy if error else None,
    )
