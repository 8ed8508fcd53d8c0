"""`/set` and `/show`, as people know them from `ollama run`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_chat.errors import ConfigError, Unsupported
from tui_chat.messages import Model
from tui_chat.parameters import PARAMETERS, Parameters
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.connection import find
from tui_chat.servers.dialect import Details
from tui_chat.servers.dialects import taken_by
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import nearest
from tui_chat.ui.completion import Candidate
from tui_chat.ui.dialogs.text import TextScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

TOPICS: Final = {
    "info": "what the server tells of the model",
    "system": "the system prompt",
    "parameters": "of this chat and of the model",
    "template": "how the model's prompts are built",
    "license": "the model's",
    "modelfile": "model, system prompt and parameters for ollama create",
}
"""What `/show` shows."""


def parameter(screen: ChatScreen, text: str) -> None:
    """Change a parameter of this chat to a value; without a value it is as in the settings."""
    name, _, value = text.partition(" ")
    connection = screen.workspace.connection
    _use(screen, _own(screen).with_text(name, value))
    if name in taken_by(connection.backend.server):
        screen.notify(f"{name}: {value.strip() or 'as in the settings'}.", timeout=4, markup=False)
    else:
        screen.notify(f"{connection.server.label} takes no {name}; it is kept for other servers.", timeout=6)


def format(screen: ChatScreen, format: str) -> None:
    """Let the model answer in JSON, or as a JSON schema says."""
    parameter(screen, f"format {format}")


def names(_screen: ChatScreen) -> list[Candidate]:
    """The names of all parameters."""
    return [Candidate(f"{it.name} ", f"{it.help} {it.range}.", more=True) for it in PARAMETERS.values()]


def topics(_screen: ChatScreen) -> list[Candidate]:
    """What `/show` can show."""
    return [Candidate(topic, help) for topic, help in TOPICS.items()]


def system(screen: ChatScreen, text: str) -> None:
    """Change the system prompt of this chat; `""` removes it."""
    text = text.strip('"').strip()
    screen.workspace.conversation.note(system=text)
    screen.notify("The system prompt counts from the next reply on." if text else "No system prompt.", timeout=4)


def figures(screen: ChatScreen) -> None:
    """Say where the figures of a reply are."""
    screen.notify("The status bar shows the figures of each reply.", timeout=4)


async def show(screen: ChatScreen, topic: str) -> None:
    """Show what is set and known: all of it, or one topic, which begins its heading."""
    if topic and topic not in TOPICS:
        raise ConfigError(f"/show does not know {clean_line(topic, 40)}.", nearest(topic, TOPICS))
    connection, own = screen.workspace.connection, screen.workspace.conversation.chat
    model, details = connection.model, None
    if isinstance(connection.backend, HttpBackend):
        with suppress(Unsupported):  # then it is known by name alone
            details = await connection.backend.details(model)
    details = details or Details(find(model, connection.models) or Model(model))
    texts = {
        "Info": _facts(details.model, connection.server.label),
        "System prompt": own.system or details.system,
        "Parameters of this chat": _lines(own.parameters),
        "Parameters of the model": details.parameters,
        "Template": details.template,
        "License": details.licence,
        "Modelfile": _modelfile(model, own.system, own.parameters),
    }
    shown = {heading: text for heading, text in texts.items() if heading.lower().startswith(topic)}
    if not any(text.strip() for text in shown.values()):
        raise ConfigError(f"{model} has no {topic}.", "/show shows all there is.")
    await screen.ask(TextScreen(screen.keys, model, shown))


def _facts(model: Model, server: str) -> str:
    window = f"context window {model.context_window:,}" if model.context_window else ""
    abilities = ", ".join(sorted(model.capabilities))
    size = " ".join(filter(None, [model.family, model.parameters, model.quantization]))
    return "\n".join(filter(None, [f"{model.name} on {server}", size, window, abilities]))


def _lines(parameters: Parameters) -> str:
    return "\n".join(f"{name} {parameters.text(name)}" for name in parameters.given)


def _modelfile(model: str, system: str, parameters: Parameters) -> str:
    quotes = '"' * 3
    lines = [f"FROM {model}", *([f"SYSTEM {quotes}{system}{quotes}"] if system else [])]
    for name, value in parameters.options.items():
        lines += [f"PARAMETER {name} {each}" for each in (value if isinstance(value, list) else [value])]
    return "\n".join(lines)


def _own(screen: ChatScreen) -> Parameters:
    return screen.workspace.conversation.chat.parameters


def _use(screen: ChatScreen, parameters: Parameters) -> None:
    screen.workspace.conversation.note(parameters=parameters)
    screen.server.show()
