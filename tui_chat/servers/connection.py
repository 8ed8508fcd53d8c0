"""The current server and model of a chat, and what is known of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tui_chat.errors import Garbled, Remedy, ReplyError, Unreachable
from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.backend import Backend, HttpBackend
from tui_chat.servers.probe import Discovery
from tui_chat.servers.well_known import CLOUD, is_cloud

_ASKED_AT_ONCE: Final = 8

Connect = Callable[[Server], Backend]
Discover = Callable[[], Awaitable[Discovery]]


class Backends:
    """A backend for each server in use. Changing servers cuts off no reply, and asks none of them twice."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._made: dict[Server, Backend] = {}

    def of(self, server: Server) -> Backend:
        """The backend of a server, made at the first use, because that imports the network library."""
        if server not in self._made:
            self._made[server] = self._connect(server)
        return self._made[server]

    async def aclose(self) -> None:
        """Close all connections."""
        made, self._made = self._made, {}
        for backend in made.values():
            await backend.aclose()


class Connection:
    """One server at a time, and one of its models."""

    def __init__(
        self, connect: Connect, server: Server, *, wanted: str = "", discover: Discover | None = None
    ) -> None:
        self.backends = Backends(connect)
        self._discover = discover
        self._wanted = wanted
        self.server = server
        self.pinned = server.named
        """Whether to stay with this server even if it does not answer."""
        self.last = ""
        """The model used last."""
        self.models: tuple[Model, ...] = ()
        self.model = wanted
        self._asked: set[tuple[Server, str]] = set()
        """The models, each of its server, of which `learn_abilities` has asked."""
        self.missed = ""
        """The model of an opened chat, if the server does not have it and another stands in."""
        self._preferred = ""
        self.window: int | None = None
        """The context window of the model in tokens, if the server says."""
        self.tried: tuple[str, ...] = ()
        """Addresses on this machine that were tried."""
        self.error: ReplyError | None = None
        """Why the server cannot be used."""
        self._looked = False
        """Whether the server has listed its models."""
        self._measured = False
        """Whether `window` is that of the loaded model."""
        self._described = ""
        """The model that the server has been asked to describe."""

    @property
    def backend(self) -> Backend:
        """The backend of the current server."""
        return self.backends.of(self.server)

    async def look(self, *, closely: bool = True) -> None:
        """Ask for the models, and choose one. `error` says why that failed.

        `closely`: also learn the context window, which takes more requests.
        """
        server, backend = self.server, self.backend
        try:
            models = await backend.models()
            told = any(model.loaded for model in models)
            wants_loaded = closely or not find(self.model or self.last, models)
            loaded = await backend.loaded() if wants_loaded and not told else ()
        except ReplyError as error:
            if self.server is not server:  # while it was asked, another was chosen
                return
            self.error = error
            if isinstance(error, Unreachable | Garbled) and await self._find_another():
                await self.look(closely=closely)
            return
        if self.server is not server:
            return
        self.error, self._looked = None, True
        before = {(model.name, model.modified): model for model in self.models}
        models = [completed(model, before.get((model.name, model.modified), model)) for model in models]
        self.models = with_loaded(models, loaded)
        if not self.models and await self._find_another():
            await self.look(closely=closely)
            return
        if not self.model or (not self._wanted and find(self.model, self.models) is None):
            self.model = choose(self.models, self.last)
            if self.model and self._preferred and find(self._preferred, self.models) is None:
                self.missed, self._preferred = self._preferred, ""
        elif (known := find(self.model, self.models)) is not None:
            self.model = known.name
        if closely:
            await self._learn(find(self.model, (model for model in self.models if model.loaded)))

    @property
    def obstacle(self) -> ReplyError | None:
        """Why no model can be used; None if one can, or if nothing is known yet."""
        if self.model:
            return None
        if self.error is not None or not self._looked:
            return self.error
        which = "no model to chat with" if self.models else "no models"
        found = f"{self.server.label} has {which}"
        if self.pulls:
            return ReplyError(found, "Get one with `tui-chat pull qwen3:4b`.", Remedy.PULL)
        return ReplyError(found, "Load one there.", Remedy.CHOOSE_SERVER)

    @property
    def pulls(self) -> bool:
        """Whether the server can download models."""
        backend = self.backend
        return isinstance(backend, HttpBackend) and "pull" in backend.verbs

    async def _find_another(self) -> bool:
        """Unless the user named a server, change to another one on this machine that can be used."""
        server = self.server
        if self._discover is None or self.pinned:
            return False
        discovery = await self._discover()
        self.tried = tuple(attempt.server.label for attempt in discovery.tried)
        others = [found for found in discovery.found if found.address != server.address]
        offers = await asyncio.gather(*map(self._offers, others))
        best = next((other for other, offer in zip(others, offers, strict=True) if offer), None)
        if best is None and self.error is not None and others:
            best = others[0]  # one without models is better than none
        if best is None or self.server is not server:
            return False
        self._discover = None
        wanted = self._wanted
        self.switch(best)
        self.model = self._wanted = wanted
        return True

    async def _offers(self, server: Server) -> bool:
        """Whether a server has models."""
        with suppress(ReplyError):
            return bool(await self.backends.of(server).models())
        return False

    async def measure(self) -> None:
        """Learn the context window in force: of the loaded model, else of its description.

        Sends no request if the window of the loaded model is known.
        """
        if not self._measured:
            await self._learn(find(self.model, await self.backend.loaded()))

    async def _learn(self, warm: Model | None) -> None:
        """Take the window from the loaded model, else from the description."""
        backend, model = self.backend, self.model
        window = (warm.window if warm else None) or self.window  # older servers tell it of no loaded model
        if model and window is None and self._described != model:
            self._described = model
            with suppress(ReplyError):
                window = (await backend.describe(model)).window
        if (self.backend, self.model) == (backend, model):
            self.window, self._measured = window, warm is not None

    async def detail(self, learned: Callable[[], None]) -> None:
        """Ask older servers, model by model, for what their list leaves out.

        `learned` is called whenever there is more.
        """
        backend = self.backend
        async for told in detailed(backend, self.models):
            if self.backend is not backend:
                return
            by_name = {model.name: model for model in told}
            self.models = tuple(by_name.get(model.name, model) for model in self.models)
            learned()

    async def learn_abilities(self) -> None:
        """Ask once what the model in use can do, if the list of the server's models does not tell all."""
        model = find(self.model, self.models)
        if model is None or (self.server, model.name) in self._asked:
            return
        if model.capabilities and model.context_window:
            return
        self._asked.add((self.server, model.name))
        with suppress(ReplyError):
            told = completed(model, await self.backend.describe(model.name))
            self.models = tuple(told if each is model else each for each in self.models)

    def use(self, model: str) -> None:
        """Change to another model of the server."""
        self.model = self._wanted = model
        self._preferred = ""
        self._forget_window()

    def prefer(self, model: str) -> None:
        """Change to the model of an opened chat, if the server has it or has not listed its models yet."""
        if not model:
            return
        if not self.models:
            self.last = self._preferred = model
        elif find(model, self.models) is not None:
            self.use(model)
        else:
            self.missed = model

    def switch(self, server: Server, models: Sequence[Model] = ()) -> None:
        """Change to another server. Without `models`, they are unknown until `look`."""
        self.last, self._preferred = self.model or self.last, ""
        self.server, self.models, self.model, self._wanted = server, tuple(models), "", ""
        self.pinned = server.named
        self.error = None
        self._looked = bool(models)
        self._forget_window()

    def _forget_window(self) -> None:
        self.window, self._measured, self._described = None, False, ""

    async def aclose(self) -> None:
        """Close all connections."""
        await self.backends.aclose()


async def detailed(backend: Backend, models: Iterable[Model]) -> AsyncIterator[Sequence[Model]]:
    """The models of which the server's list tells nothing, some at a time, with what it tells of each."""

    async def tell(model: Model) -> Model:
        with suppress(ReplyError):
            return completed(model, await backend.describe(model.name))
        return model

    unknown = [model for model in models if not (model.context_window or model.capabilities)]
    for start in range(0, len(unknown), _ASKED_AT_ONCE):
        yield await asyncio.gather(*map(tell, unknown[start : start + _ASKED_AT_ONCE]))


def find(name: str, models: Iterable[Model]) -> Model | None:
    """A model by its name; Ollama's `tiny` is its `tiny:latest`."""
    return next((model for model in models if model.name in (name, f"{name}:latest")), None)


def choose(models: Sequence[Model], last: str) -> str:
    """The model used last, else one that is loaded, else the newest that stays here; empty if none can chat."""
    if known := find(last, models):
        return known.name
    talking = [model for model in models if model.chats]
    ordered = sorted(talking, key=lambda it: (it.loaded, not it.remote, it.modified), reverse=True)
    return ordered[0].name if ordered else ""


def completed(model: Model, told: Model) -> Model:
    """A listed model; with the context window and the capabilities from its description, if it lacks them."""
    return replace(
        model,
        context_window=model.context_window or told.context_window,
        capabilities=model.capabilities or told.capabilities,
    )


def with_loaded(models: Iterable[Model], loaded: Iterable[Model]) -> tuple[Model, ...]:
    """`models` with the loaded ones marked: their context windows in force, shares on the GPU, and ends."""
    warm = {model.name: model for model in loaded}
    return tuple(
        replace(model, loaded=True, window=here.window or model.window, on_gpu=here.on_gpu, until=here.until)
        if (here := warm.get(model.name))
        else model
        for model in models
    )


def runs_at(name: str, models: Iterable[Model]) -> str:
    """The host that runs a model, if that is not its server; by its name while the models are not known."""
    model = find(name, models)
    return model.remote if model is not None else CLOUD if is_cloud(name) else ""


def leaving(model: str, host: str) -> str:
    """What is told before the first prompt to a model that another host runs."""
    return f"{model} runs at {host}: what you write to it leaves this machine."
