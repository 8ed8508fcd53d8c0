"""The rows of the models screen: models of all servers, pulls, and models to pull."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.catalog import ModelCatalog, ProbeResult
from tui_chat.servers.connection import Connection, find
from tui_chat.servers.facts import whereabouts
from tui_chat.servers.jobs import Job, Jobs
from tui_chat.servers.registry import place
from tui_chat.servers.server_file import Origin
from tui_chat.servers.well_known import KnownModel, fitting, memory_of
from tui_chat.text.figures import size
from tui_chat.ui import phrases
from tui_chat.ui.widgets.choice_list import Choice

_ABILITIES: Final = {"vision": "sees", "audio": "hears", "thinking": "thinks", "tools": "tools"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of a server."""

    server: Server
    model: Model = field(compare=False)
    name: str
    models: tuple[Model, ...] = field(compare=False, repr=False)
    """All models of the server."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model to pull to the present server."""

    name: str


ModelRow = Offer | Job | Wanted


class ModelRows:
    """What is known of the models, as rows."""

    def __init__(self, connection: Connection, catalog: ModelCatalog, jobs: Jobs) -> None:
        self.connection = connection
        self.catalog = catalog
        self.jobs = jobs
        self._reports = {server: report for server, report in catalog.reports.items() if report.models}

    def hear(self, report: ProbeResult) -> None:
        """Take the answer of another server."""
        self._reports[report.known.server] = report

    def others(self) -> list[ProbeResult]:
        """The answers of the other servers, in the registry's order."""
        here = self.connection.server
        known = dict.fromkeys(each.server for each in self.catalog.book.known())
        others = (each for each in known if each != here and (each.name or place(each) != place(here)))
        return [self._reports[server] for server in others if server in self._reports]

    @property
    def title(self) -> str:
        """Whose models they are."""
        return "Models of all servers" if self.many else f"Models of {self.connection.server.label}"

    def silent(self) -> str:
        """The servers that have not answered, except those that only might be there."""
        unheard = (each for each in self.others() if each.error and each.known.origin is not Origin.FOUND)
        silent = [each.server.label for each in unheard]
        if self.connection.error and self.many:
            silent.insert(0, self.connection.server.label)
        return f" · no answer from {', '.join(silent)}" if silent else ""

    @property
    def many(self) -> bool:
        """Whether several servers have models."""
        return any(report.models for report in self.others())

    def backend(self, row: ModelRow | None) -> HttpBackend | None:
        """The server of a row, by default the present one; None if it has no verbs."""
        backend = self.connection.backend
        if isinstance(row, Offer):
            backend = self.connection.backends.of(row.server)
        elif isinstance(row, Job):
            backend = row.backend
        return backend if isinstance(backend, HttpBackend) else None

    def can(self, verb: str, row: ModelRow | None = None) -> bool:
        """Whether the server of a row has a verb (see `Dialect.verbs`), and the model can be put to it."""
        backend = self.backend(row)
        unloadable = isinstance(row, Offer) and (row.model.fixed or row.model.remote)
        return backend is not None and verb in backend.verbs and not (unloadable and verb in _OF_MEMORY)

    def hint(self, row: ModelRow | None) -> str:
        """The keys for a row, as a template for `Keymap.hint`."""
        verbs = {"details": "{models-details} details", "copy": "{models-copy} copy"}
        verbs |= {"keeps": "{models-keep} keep", "delete": "{models-delete} delete", "pull": "{models-pull} pull"}
        match row:
            case Offer(model=model):
                verb = "unload" if model.loaded else "load"
                named = {"details": verbs.pop("details"), verb: f"{{models-load}} {verb}", **verbs}
                words = ["{accept} choose", *(words for verb, words in named.items() if self.can(verb, row))]
            case Job():
                enter, delete = ("all layers", "cancel") if row.running else ("resume", "remove")
                words = [f"{{accept}} {enter}", "{models-details} details", f"{{models-delete}} {delete}"]
            case _:
                words = [*(["{accept} pull"] if row else []), *([verbs["pull"]] if self.can("pull") else [])]
        return " · ".join([*words, "{close} close"])

    def choices(self) -> Iterator[Choice[ModelRow]]:
        """Pulls, then the models of the present server, then those of the others; without any, some to pull."""
        connection, many = self.connection, self.many
        yield from (self._pull(job, many=many) for job in self.jobs.all if job.kind == "pull")
        present = find(connection.model, connection.models)
        here = (connection.server, called(connection.backend.server) if many else "", connection.models)
        others = ((report.known.server, called(report.server), report.models) for report in self.others())
        for server, label, models in (here, *others):
            for model in (each for each in models if each.chats):
                offer = Offer(server, model, model.name, models)
                yield self._model(offer, label, marked=server == connection.server and model == present)
        if self.can("pull") and connection.error is None:
            if not any(model.chats for model in connection.models):
                yield from map(_known, fitting(memory_of(connection.server)))
            if connection.model and present is None and connection.models:
                yield Choice(Wanted(connection.model), f"Pull {connection.model}", ("", "", "not there yet"))

    def _model(self, offer: Offer, server: str, *, marked: bool = False) -> Choice[ModelRow]:
        """A model; columns are empty where the server did not tell, and those in front are the last to go."""
        model, backend = offer.model, self.backend(offer)
        loading = self.jobs.find("load", backend, model.name) if backend else None
        columns = (
            server,
            size(model.size) if model.size and not model.remote else "",
            _loading(loading) if loading and not model.loaded else whereabouts(model),
            f"{phrases.count(model.context_window)} ctx" if model.context_window else "",
            " ".join(word for ability, word in _ABILITIES.items() if ability in model.capabilities),
            model.quantization,
            model.parameters,
        )
        also = f"{model.family} {' '.join(model.capabilities)}"
        mark = "↗" if model.remote and not marked else ""
        return Choice(offer, model.name, columns, marked=marked, mark=mark, also=also)

    def _pull(self, job: Job, *, many: bool) -> Choice[ModelRow]:
        """A pull: how far it is, or why not further."""
        tally = job.tally
        state = "pulling" if job.running else "failed" if job.error else "cancelled"
        far = "" if tally.percent is None else f" {tally.percent} %"
        label, total = job.backend.server.label if many else "", size(tally.total) if tally.total else ""
        told = " · ".join(tally.figures()) or tally.status or "asking the server"
        if job.error:
            told = f"Failed. {job.error.told}"
        return Choice(job, job.model, (label, total, f"{state}{far}"), mark="↓", snippet=((told, False),))


_OF_MEMORY: Final = ("load", "unload", "keeps")


def _known(known: KnownModel) -> Choice[ModelRow]:
    columns = ("", size(known.size), f"needs {size(round(known.memory))}")
    return Choice(Wanted(known.name), f"Pull {known.name}", columns)


def _loading(job: Job) -> str:
    return "loading" if job.tally.percent is None else f"loading {job.tally.percent} %"


def called(server: Server) -> str:
    """A server's name, or its kind and address."""
    return server.label if server.name else f"{server.flavour} {server.label}".strip()
