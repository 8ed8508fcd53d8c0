"""What the models screen does with the highlighted row."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.connection import find
from tui_chat.servers.facts import facts
from tui_chat.servers.jobs import Job, model_name
from tui_chat.text.figures import size
from tui_chat.ui.dialogs.ask import AskScreen, ConfirmScreen
from tui_chat.ui.dialogs.dialog import or_cancel
from tui_chat.ui.dialogs.model_rows import ModelRow, ModelRows, Offer, Wanted
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.text import TextScreen
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.dialogs.models import ModelsScreen

_TIMES: Final = (
    Choice(300, "5 minutes"),
    Choice(1800, "30 minutes"),
    Choice(7200, "2 hours"),
    Choice(86_400, "a day"),
    Choice(-1, "until it is unloaded"),
)
"""How long a model may be kept in memory after its last use, in seconds."""


class ModelVerbs:
    """The commands of the models screen; one that the server of a row does not have does nothing."""

    def __init__(self, screen: ModelsScreen, rows: ModelRows, workspace: Workspace) -> None:
        self._screen = screen
        self._rows = rows
        self._workspace = workspace

    def _row(self) -> ModelRow | None:
        choice = self._screen.list.choice
        return choice.value if choice else None

    def _model(self, verb: str) -> tuple[HttpBackend, Offer] | None:
        """The highlighted model and its server, if that has the verb."""
        row = self._row()
        backend = self._rows.backend(row)
        return (backend, row) if isinstance(row, Offer) and backend and self._rows.can(verb, row) else None

    async def inspect(self) -> None:
        """Show all that the server tells of a model, or the layers of a pull."""
        row, keys = self._row(), self._screen.keys
        if isinstance(row, Job):
            layers = [
                f"{layer[:19]}  {100 * done // total:>3} %  {size(done)} of {size(total)}"
                for layer, (done, total) in row.tally.layers.items()
            ]
            texts = {"Error": f"{row.error}\n{row.error.hint}" if row.error else "", "Layers": "\n".join(layers)}
            texts["Now"] = " · ".join(filter(None, [row.tally.status, *row.tally.figures()]))
            self._screen.app.push_screen(TextScreen(keys, row.model, texts))
        elif (chosen := self._model("details")) is not None:
            backend, offer = chosen
            details = await backend.details(offer.name)
            texts = {"Model": facts(offer.model, details.model), "Parameters of the model": details.parameters}
            texts |= {"System prompt": details.system, "Template": details.template, "Licence": details.licence}
            self._screen.app.push_screen(TextScreen(keys, offer.name, texts))

    async def pull(self) -> None:
        """Ask for a name, and pull that model."""
        row = self._row()
        if self._rows.can("pull"):
            typed = row.name if isinstance(row, Wanted) else self._screen.typed
            question = f"Pull a model to {self._rows.connection.server.label}: its name at ollama.com or hf.co"
            if name := await self._name(question, "pull", typed):
                self.begin_pull(name)

    def begin_pull(self, typed: str) -> None:
        """Pull a model to the present server; of a wrong name it is said what is wrong."""
        try:
            name = model_name(typed)
        except ConfigError as error:
            self._screen.fail(error)
            return
        if (backend := self._rows.backend(None)) is not None:
            self._rows.jobs.pull(backend, name)
            self._screen.clear_filter()
            self._screen.list.highlight(self._rows.jobs.find("pull", backend, name))

    async def load(self) -> None:
        """Load a model, or unload it if it is loaded."""
        if (chosen := self._model("load")) is not None and not chosen[1].model.loaded:
            self._load(*chosen)
        elif (chosen := self._model("unload")) is not None:
            await self._change(chosen[0].unload(chosen[1].name))

    async def keep(self) -> None:
        """Ask how long a model is to be kept in memory; loads it if need be."""
        if (chosen := self._model("keeps")) is not None:
            picker = Picker(self._screen.keys, f"Keep {chosen[1].name} in memory", _TIMES)
            if (seconds := await self._screen.app.push_screen_wait(picker)) is not None:
                self._load(*chosen, keep_alive=seconds)

    def _load(self, backend: HttpBackend, offer: Offer, **settings: object) -> None:
        """Load a model with the settings of the chat: with other options it would be loaded again for that."""
        config, own = self._workspace.config, self._workspace.conversation.chat.parameters
        own_settings = {"options": {**config.options, **own.options}, "keep_alive": own.keep_alive, **settings}
        self._rows.jobs.load(backend, offer.name, {name: value for name, value in own_settings.items() if value})
        self._screen.refresh_rows()

    async def copy(self) -> None:
        """Ask for a second name, and give the model that."""
        if (chosen := self._model("copy")) is not None:
            backend, offer = chosen
            name = await self._name(f"A second name for {offer.name}", "copy")
            if name and find(name, [offer.model]):
                self._screen.notify(f"{name} is its own name.")
            elif name:
                there, label = find(name, await backend.models()), backend.server.label
                lost = f"{label} has {there.name} already. Replace it by the copy?" if there else ""
                if not lost or await self._confirmed(lost, "replace"):
                    await self._change(backend.copy(offer.name, name))

    async def delete(self) -> None:
        """Delete a model after asking; cancel a pull that runs, and forget one that does not."""
        row = self._row()
        if isinstance(row, Job):
            await row.cancel() if row.running else self._rows.jobs.forget(row)
            self._screen.refresh_rows()
        elif (chosen := self._model("delete")) is not None:
            backend, offer = chosen
            freed = 0 if offer.model.remote else offer.model.size
            frees = f" That frees up to {size(freed)}." if freed else ""
            if await self._confirmed(f"Delete {offer.name} from {backend.server.label}?{frees}", "delete"):
                await self._change(backend.delete(offer.name))

    async def _confirmed(self, question: str, verb: str) -> bool:
        box = ConfirmScreen(self._screen.keys, question, or_cancel(verb))
        answer = await self._screen.app.push_screen_wait(box)
        return bool(answer)

    async def _name(self, question: str, verb: str, typed: str = "") -> str:
        """Ask for a model's name until it is one; empty if the question is closed."""
        box = AskScreen(self._screen.keys, question, or_cancel(verb), typed, model_name)
        answer = await self._screen.app.push_screen_wait(box)
        return model_name(answer) if answer else ""

    async def _change(self, work: Awaitable[None]) -> None:
        """Change a model, and list them all again, whether that worked or not."""
        try:
            await work
        finally:
            if self._screen.is_attached:
                self._screen.ask()
