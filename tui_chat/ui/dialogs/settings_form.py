"""The form of a chat's settings: its system prompt and its parameters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from textual import on, work
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui_chat.chat.settings import about_level, as_preset, details_of
from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError, ReplyError
from tui_chat.parameters import PARAMETERS, Parameters, text_of
from tui_chat.presets import preset_names, preset_path, save_preset
from tui_chat.servers.dialects import taken_by
from tui_chat.text.sanitize import clean
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.ask import AskScreen, ConfirmScreen
from tui_chat.ui.dialogs.dialog import or_cancel
from tui_chat.ui.dialogs.form import Form
from tui_chat.ui.widgets.field import Field, LongField

_HINT: Final = "{form-save} save · {form-preset} as preset · {close} cancel"
_SYSTEM: Final = "What the model is told before the chat. Enter starts a new line."
_RELOADS: Final = " Reloads the model."


class SettingsForm(Form[tuple[str, Parameters]]):
    """A field for each parameter; answers system prompt and parameters. Nothing wrong can be saved."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (19, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(self, keys: Keymap, workspace: Workspace) -> None:
        super().__init__(keys, "Settings of this chat", _HINT)
        self._workspace = workspace
        self._taken = taken_by(workspace.connection.backend.server)
        self._levels = workspace.choices.levels(workspace.connection)
        self._values: Mapping[str, str] = {}
        """The model's own parameters."""
        self._most = 0
        """Tokens of context window that the model can use; 0 while that is unknown."""

    def rows(self) -> Iterable[tuple[str, Widget]]:
        """The system prompt, then the parameters."""
        chat = self._workspace.conversation.chat
        yield "system", LongField(chat.system, id="system", tab_behavior="focus")
        for name, parameter in PARAMETERS.items():
            text = chat.parameters.text(name)
            fits = name in self._taken and (name != "think" or bool(self._levels))
            field = Field(text, self._placeholder(name), id=name, disabled=not fits and not text)
            yield f"{name}{' ↻' if parameter.reloads else ''}", field

    def _placeholder(self, name: str) -> str:
        if name not in self._taken:
            return "this server does not take it"
        if name == "think" and not self._levels:
            return "this model does not think"
        config = self._workspace.config
        if default := text_of(config.think if name == "think" else config.options.get(name)):
            return f"{default}, by your settings"
        return f"{own}, by the model" if (own := self._values.get(name)) else self._range(name)

    def _range(self, name: str) -> str:
        return ", ".join(self._levels) if name == "think" and self._levels else PARAMETERS[name].range

    def on_mount(self) -> None:
        """Ask for the model's own parameters, which empty fields leave in force too."""
        self._learn()

    @work(group="details")
    async def _learn(self) -> None:
        with suppress(ReplyError):
            details = await details_of(self._workspace.connection)
            self._values, self._most = details.values, details.model.context_window or 0
            for field in self.query(Field):
                field.placeholder = self._placeholder(field.id or "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The arrow keys leave the system prompt only at its ends."""
        if action == "command" and isinstance(prompt := self.focused, TextArea):
            ends = {"form-next": prompt.cursor_at_last_line, "form-previous": prompt.cursor_at_first_line}
            if not all(ends.get(str(id), True) for id in parameters):
                return False
        return super().check_action(action, parameters)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Say what the field means, or what is wrong with it."""
        self._explain(event.widget)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.input.set_class(bool(self._mistake(event.input)), "-wrong")
        if event.input.has_focus:
            self._explain(event.input)

    def _explain(self, field: Widget) -> None:
        if isinstance(field, Input) and (parameter := PARAMETERS.get(field.id or "")):
            mistake, reloads = self._mistake(field), _RELOADS if parameter.reloads else ""
            self.say(mistake or self._doubt(field) or f"{parameter.help}{reloads} ({self._range(parameter.name)})")
            self.query("#form-state").set_class(bool(mistake), "-wrong")
        else:
            self.say(_SYSTEM)

    def _doubt(self, field: Input) -> str:
        """That the model may not take this context window or level of thinking; empty if it does."""
        own = Parameters().with_text(field.id or "", field.value)
        if own.think is not None:
            return about_level(text_of(own.think), self._levels)
        asked = own.num_ctx or 0
        if not 0 < self._most < asked:
            return ""
        return f"More than the {self._most:,} tokens that the model can take: it will use those."

    def _mistake(self, field: Input) -> str:
        """What is wrong with the text of a field; empty if nothing is."""
        try:
            Parameters().with_text(field.id or "", field.value)
        except ConfigError as error:
            return error.sentence
        return ""

    def _filled_in(self) -> tuple[str, Parameters] | None:
        """The settings of the fields; None if one is wrong, which gets the focus."""
        fields = [field for field in self.query(Field) if field.id in PARAMETERS]
        if wrong := [field for field in fields if self._mistake(field)]:
            wrong[0].focus()
            self._explain(wrong[0])
            return None
        parameters = Parameters()
        for field in fields:
            parameters = parameters.with_text(field.id or "", field.value)
        return clean(self.query_one(TextArea).text).strip("\n"), parameters

    def accept(self) -> None:
        """Save."""
        if (settings := self._filled_in()) is not None:
            self.dismiss(settings)

    @work(group="preset", exclusive=True)
    async def keep(self) -> None:
        """Save the settings as a preset."""
        if (settings := self._filled_in()) is None:
            return
        check = partial(preset_path, self._workspace.config.presets)
        name = await self.app.push_screen_wait(
            AskScreen(self.keys, "Name of the preset", or_cancel("save"), check=check)
        )
        try:
            if name and (path := await save_as_preset(self, self.keys, self._workspace, name, *settings)):
                self.say(f"Saved as {path}.")
        except ConfigError as error:
            self.fail(error)


async def save_as_preset(
    screen: Screen[Any], keys: Keymap, workspace: Workspace, name: str, system: str, parameters: Parameters
) -> Path | None:
    """Save model, server and these settings as a preset; None if the person rather keeps the one of that name.

    Raises:
        ConfigError: it cannot be written.
    """
    question = ConfirmScreen(keys, f"Replace the preset {name}?", or_cancel("replace"))
    if name in preset_names(workspace.config.presets) and not await screen.app.push_screen_wait(question):
        return None
    preset = as_preset(workspace, name, system, parameters)
    return await asyncio.to_thread(save_preset, workspace.config.presets, preset)
