"""How the model of the open chat thinks and answers; `/set` and `/show`, as people know them from `ollama run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_chat.chat import settings as chat_settings
from tui_chat.chat.settings import DEFAULT
from tui_chat.errors import ReplyError
from tui_chat.parameters import PARAMETERS, Parameters, text_of
from tui_chat.presets import preset_names
from tui_chat.ui.commands import chats
from tui_chat.ui.completion import Candidate
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.settings_form import SettingsForm, save_as_preset
from tui_chat.ui.dialogs.text import TextScreen
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_NOW: Final = "answer now"
_HELP: Final = {_NOW: "end the thinking of this reply", "off": "answers directly"}


async def think(screen: ChatScreen, level: str) -> None:
    """Choose how much the model thinks, in this chat and new ones with this model."""
    workspace = screen.workspace
    await workspace.connection.learn_abilities()
    model, levels = workspace.connection.model, think_levels(screen)
    if not levels and level not in ("off", DEFAULT):
        screen.notify(f"{model or 'This model'} cannot think.", timeout=4, markup=False)
        return
    if not level:
        default = text_of(workspace.config.think)
        help = _HELP | {DEFAULT: default and f"{default}, as in the settings"}
        present = text_of(chat_settings.think_of(workspace))
        names = [_NOW] * can_answer_now(screen) + [DEFAULT, *levels]
        rows = [Choice(name, name, (help.get(name, ""),), name == (present or DEFAULT)) for name in names]
        title = f"Thinking of {model}, in this chat and new ones"
        level = await screen.ask(Picker(screen.keys, title, rows)) or ""
    if level == _NOW:
        await answer_now(screen)
    elif level:
        await set_think(screen, level)


async def set_think(screen: ChatScreen, level: str) -> None:
    """Let this chat, and new ones with its model, think like this, without a level at all.

    Raises:
        ConfigError: the model does not think, or that is no level.
    """
    screen.notify(await chat_settings.set_think(screen.workspace, level or "on"), timeout=4)
    screen.server.show_names()


async def settings(screen: ChatScreen) -> None:
    """Change the system prompt and the parameters of this chat."""
    if (changed := await screen.ask(SettingsForm(screen.keys, screen.workspace))) is not None:
        use(screen, *changed)


async def save(screen: ChatScreen, name: str) -> None:
    """Save model, system prompt and parameters of this chat as a preset."""
    workspace, chat = screen.workspace, screen.workspace.conversation.chat
    if path := await save_as_preset(screen, screen.keys, workspace, name, chat.system, chat.parameters):
        screen.notify(f"Saved as {path}. /preset {name} uses it.", timeout=6)


async def load(screen: ChatScreen, name: str) -> None:
    """Use a model of the server or, if it has none of that name, a preset."""
    if chat_settings.is_preset(screen.workspace, name):
        await preset(screen, name)
    else:
        await chats.models(screen, name)


def loadable(screen: ChatScreen) -> list[str]:
    """The names of all models of the server and of all presets."""
    models = [model.name for model in screen.workspace.connection.models]
    return [*models, *preset_names(screen.workspace.config.presets)]


def use(screen: ChatScreen, system: str, parameters: Parameters) -> None:
    """Let the open chat have these settings, from the next reply on."""
    screen.workspace.conversation.note(system=system, parameters=parameters)
    screen.server.show_names()
    screen.server.show_gauge()


async def preset(screen: ChatScreen, name: str) -> None:
    """Use a preset in this chat: its model, server, system prompt and parameters.

    Raises:
        ConfigError: there is no such preset, it is wrong, or its server cannot be used.
    """
    workspace = screen.workspace
    if not name:
        rows = [Choice(each, each) for each in preset_names(workspace.config.presets)]
        hint = screen.keys.hint("There are no presets yet. {settings} saves one from a chat.")
        name = await screen.ask(Picker(screen.keys, "Presets", rows, empty=hint)) or ""
    if not name:
        return
    chosen, server = chat_settings.chosen_preset(workspace, name)
    if server is not None:
        await screen.server.use(server, model=chosen.model)
    elif chosen.model:
        await screen.server.use_model(chosen.model)
    use(screen, chosen.system, chosen.parameters)
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


def parameter(screen: ChatScreen, text: str) -> None:
    """Change a parameter of this chat to a value; without a value it is as in the settings."""
    screen.notify(chat_settings.set_parameter(screen.workspace, text), timeout=5)
    screen.server.show()


def format(screen: ChatScreen, format: str) -> None:
    """Let the model answer in JSON, or as a JSON schema says."""
    parameter(screen, f"format {format}")


def names(_screen: ChatScreen) -> list[Candidate]:
    """The names of all parameters."""
    return [
        Candidate(f"{it.name} ", f"{it.help.rstrip('.')} ({it.range}).", more=True) for it in PARAMETERS.values()
    ]


def topics(_screen: ChatScreen) -> list[Candidate]:
    """What `/show` can show."""
    return [Candidate(topic, help) for topic, help in chat_settings.TOPICS.items()]


def system(screen: ChatScreen, text: str) -> None:
    """Change the system prompt of this chat; `""` removes it."""
    screen.notify(chat_settings.set_system(screen.workspace, text), timeout=4)


def figures(screen: ChatScreen) -> None:
    """Say where the figures of a reply are."""
    screen.notify("The status bar shows the figures of each reply.", timeout=4)


async def show(screen: ChatScreen, topic: str) -> None:
    """Show what is set and known: all of it, or one topic, which begins its heading."""
    texts = await chat_settings.shown(screen.workspace, topic)
    await screen.ask(TextScreen(screen.keys, screen.workspace.connection.model, texts))
