"""How the model of the open chat thinks and answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_chat.errors import ConfigError, ReplyError
from tui_chat.parameters import Parameters, text_of
from tui_chat.presets import Preset, preset_names, read_preset, save_preset
from tui_chat.servers.dialects import taken_by
from tui_chat.servers.registry import same_place
from tui_chat.servers.table import server_at
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.settings_form import ChatSettings, SettingsForm
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_DEFAULT: Final = "default"
_NOW: Final = "answer now"
_HELP: Final = {_NOW: "end the thinking of this reply", "off": "answers directly"}


async def think(screen: ChatScreen, level: str) -> None:
    """Choose how much the model thinks, in this chat and later with this model."""
    workspace = screen.workspace
    model, levels = workspace.connection.model, think_levels(screen)
    if not levels and level not in ("off", _DEFAULT):
        screen.notify(f"{model or 'This model'} cannot think.", timeout=4, markup=False)
        return
    if not level:
        default = text_of(workspace.config.think)
        help = _HELP | {_DEFAULT: default and f"{default}, as in the settings"}
        present = text_of(workspace.choices.think(workspace.conversation.chat.parameters, workspace.connection))
        names = [_NOW] * can_answer_now(screen) + [_DEFAULT, *levels]
        rows = [Choice(name, name, (help.get(name, ""),), name == (present or _DEFAULT)) for name in names]
        level = await screen.ask(Picker(screen.keys, f"Thinking of {model}", rows, empty="")) or ""
    if level == _NOW:
        await answer_now(screen)
    elif level:
        set_think(screen, "" if level == _DEFAULT else level)


def set_think(screen: ChatScreen, level: str) -> None:
    """Let this chat, and later ones with its model, think like this; empty is the default.

    Raises:
        ConfigError: there is no such level.
    """
    workspace = screen.workspace
    chosen = Parameters().with_text("think", level).think
    parameters = replace(workspace.conversation.chat.parameters, think=chosen)
    kept = workspace.choices.prefer_think(workspace.connection.model, chosen)
    workspace.conversation.note(parameters=parameters, settings=kept)
    screen.server.show_names()
    screen.notify(f"Thinking: {level or _DEFAULT}.", timeout=4)


async def settings(screen: ChatScreen) -> None:
    """Change the system prompt and the parameters of this chat."""
    workspace = screen.workspace
    chat, config, connection = workspace.conversation.chat, workspace.config, workspace.connection

    def preset(name: str, settings: ChatSettings) -> Preset:
        return as_preset(screen, name, settings)

    form = SettingsForm(
        screen.keys,
        ChatSettings(chat.system, chat.parameters),
        taken=taken_by(connection.backend.server),
        defaults={**config.options, "think": config.think},
        levels=think_levels(screen),
        preset=preset,
        folder=config.presets,
    )
    if (changed := await screen.ask(form)) is not None:
        use(screen, changed)


def as_preset(screen: ChatScreen, name: str, settings: ChatSettings) -> Preset:
    """Settings of the open chat as a preset, with its model and server."""
    connection = screen.workspace.connection
    server = connection.server
    listed = server.name in {known.server.name for known in screen.catalog.book.known()}
    place = server.name if listed and server.name else server.address
    return Preset(name, connection.model, place, settings.system, settings.parameters)


async def save(screen: ChatScreen, name: str) -> None:
    """Save model, system prompt and parameters of this chat as a preset."""
    chat, folder = screen.workspace.conversation.chat, screen.workspace.config.presets
    preset = as_preset(screen, name, ChatSettings(chat.system, chat.parameters))
    path = await asyncio.to_thread(save_preset, folder, preset)
    screen.notify(f"Saved as {path}. /preset {name} uses it.", timeout=6, markup=False)


async def load(screen: ChatScreen, name: str) -> None:
    """Use a model of the server or, if it has none of that name, a preset."""
    models = {model.name for model in screen.workspace.connection.models}
    if name not in models and name in preset_names(screen.workspace.config.presets):
        await preset(screen, name)
    else:
        await screen.server.use_model(name)


def loadable(screen: ChatScreen) -> list[str]:
    """The names of all models of the server and of all presets."""
    models = [model.name for model in screen.workspace.connection.models]
    return [*models, *preset_names(screen.workspace.config.presets)]


def use(screen: ChatScreen, settings: ChatSettings) -> None:
    """Let the open chat have these settings, from the next reply on."""
    screen.workspace.conversation.note(system=settings.system, parameters=settings.parameters)
    screen.server.show_names()
    screen.server.show_gauge()


async def preset(screen: ChatScreen, name: str) -> None:
    """Use a preset in this chat: its model, server, system prompt and parameters."""
    folder, book = screen.workspace.config.presets, screen.catalog.book
    if not name:
        rows = [Choice(each, each) for each in preset_names(folder)]
        hint = screen.keys.hint("There are no presets yet. {settings} saves one from a chat.")
        name = await screen.ask(Picker(screen.keys, "Presets", rows, empty=hint)) or ""
    if not name:
        return
    servers = {known.server.name: known for known in book.known() if known.server.name}
    try:
        chosen = read_preset(folder, name, servers)
        known = servers.get(chosen.server) or book.at(chosen.server) if chosen.server else None
        server = known.server if known else server_at(chosen.server) if chosen.server else None
        if known and known.trouble:
            raise known.trouble
    except ConfigError as error:
        screen.status.say_error(error)
        return
    connection = screen.workspace.connection
    if server is not None and not same_place(server.address, connection.server.address):
        await screen.server.use(server, model=chosen.model)
    elif chosen.model:
        await screen.server.use_model(chosen.model)
    use(screen, ChatSettings(chosen.system or screen.workspace.config.system, chosen.parameters))
    screen.notify(f"This chat uses the preset {name}.", timeout=4, markup=False)


def think_levels(screen: ChatScreen) -> tuple[str, ...]:
    """What the model of the open chat can be told; empty if it does not think."""
    return screen.workspace.choices.levels(screen.workspace.connection)


def can_answer_now(screen: ChatScreen) -> bool:
    """Whether the reply thinks on a server that can end that."""
    generation = screen.workspace.current.generation
    return generation is not None and generation.end_thinking is not None


async def answer_now(screen: ChatScreen) -> None:
    """End the thinking of the reply: the model answers."""
    generation = screen.workspace.current.generation
    end = generation.end_thinking if generation else None
    if end is None:
        screen.notify("No reply is thinking that the server could hurry.", timeout=4)
        return
    try:
        await end()
    except ReplyError as error:
        screen.notify(error.told, severity="warning", timeout=6, markup=False)
