"""Every server with how it is, for a list that is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui_chat.backends.route import shown_url
from tui_chat.errors import ChatError, Unreachable
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.connection import Backends, Connect, Discover
from tui_chat.servers.registry import ServerEntry, ServerRegistry, place


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

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """What a table shows of it."""
        state = self.error or f"{self.flavour or self.kind}, {self.models} model{'' if self.models == 1 else 's'}"
        return self.name, self.url, self.origin, state


async def list_servers(
    book: ServerRegistry, connect: Connect, discover: Discover
) -> tuple[Sequence[Row], Sequence[str]]:
    """All servers that are named, and what is found on this machine; and where there was looked for more.

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
    tried = survey.around.tried if survey.around is not None else ()
    rows = [_row(known, survey.reports.get(known.server)) for known in book.known()]
    return [*rows, *_strangers(survey, {place(known.server) for known in book.known()})], [
        attempt.server.label for attempt in tried
    ]


def _row(known: ServerEntry, report: ProbeResult | None) -> Row:
    server = report.server if report else known.server
    error: ChatError | None = report.error if report else known.trouble
    return Row(
        name=known.server.label,
        url=shown_url(known.server.address),
        origin=known.origin,
        kind=server.kind,
        flavour=server.flavour,
        reachable=error is None,
        models=len(report.models) if report else 0,
        error=str(error or ""),
        hint=error.hint if error else "",
    )


def _strangers(survey: ModelCatalog, known: set[str]) -> Iterator[Row]:
    """What listens on this machine where servers do, and is none or wants a key."""
    for attempt in survey.around.tried if survey.around is not None else ():
        server, error = attempt.server, attempt.error
        if error is not None and not isinstance(error, Unreachable) and place(server) not in known:
            yield Row(
                server.label,
                server.address,
                "found",
                "",
                "",
                reachable=False,
                models=0,
                error=str(error),
                hint=error.hint,
            )
