"""What `/set`, `/show` and presets change in the open chat and tell of it, with a screen or without."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError, Unsupported
from tui_chat.messages import Model
from tui_chat.parameters import Parameters, text_of
from tui_chat.presets import Preset, preset_names, read_preset
from tui_chat.server import Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.connection import Connection, find
from tui_chat.servers.dialect import Details
from tui_chat.servers.dialects import taken_by
from tui_chat.servers.facts import facts
from tui_chat.servers.registry import same_place
from tui_chat.servers.table import server_at
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import nearest, unquoted

DEFAULT: Final = "default"
"""The level of thinking that leaves it to the settings."""
TOPICS: Final = {
    "info": "what the server tells of the model",
    "system": "the system prompt",
    "parameters": "of this chat and of the model",
    "template": "how the model's prompts are built",
    "license": "the model's",
    "modelfile": "model, system prompt and parameters for ollama create",
}
"""What `/show` shows."""


def set_parameter(workspace: Workspace, text: str) -> str:
    """Set a parameter of the chat, `name value`; without a value it is as in the settings. Returns what is said.

    Raises:
        ConfigError: there is no such parameter, or that is no value of it.
    """
    name, _, value = text.partition(" ")
    conversation, server = workspace.conversation, workspace.connection.backend.server
    conversation.note(parameters=conversation.chat.parameters.with_text(name, value))
    if name in taken_by(server):
        return f"{name}: {value.strip() or 'as in the settings'}."
    return f"{server.label} takes no {name}; it is kept for other servers."


def set_system(workspace: Workspace, text: str) -> str:
    """Set the system prompt of the chat; `""` removes it. Returns what is said."""
    text = unquoted(text).strip()
    workspace.conversation.note(system=text)
    return "The system prompt counts from the next reply on." if text else "No system prompt."


async def set_think(workspace: Workspace, level: str) -> str:
    """Let this chat, and new ones with its model, think like this. Returns what is said.

    Raises:
        ConfigError: the model does not think, or that is no level.
    """
    connection = workspace.connection
    await connection.learn_abilities()
    levels = workspace.choices.levels(connection)
    if not levels and level not in ("off", DEFAULT):
        raise ConfigError(f"{connection.model or 'This model'} cannot think.")
    chosen = Parameters().with_text("think", "" if level == DEFAULT else level).think
    parameters = replace(workspace.conversation.chat.parameters, think=chosen)
    kept = workspace.choices.prefer_think(workspace.connection.model, chosen)
    workspace.conversation.note(parameters=parameters, settings=kept)
    level = text_of(chosen) or DEFAULT
    where = f", in this chat and new ones with {connection.model}" if connection.model else ""
    return f"Thinking: {level}{where}. {about_level(level, levels)}".rstrip()


def think_of(workspace: Workspace) -> bool | str | None:
    """How much the open chat thinks."""
    choices, chat, connection = workspace.choices, workspace.conversation, workspace.connection
    return choices.think(choices.parameters(chat.chat.parameters, connection, new=chat.unanswered), connection)


def about_level(level: str, levels: Collection[str]) -> str:
    """That a model is not known to take a level of thinking besides `levels`; empty if it is."""
    if not levels or level in ("off", DEFAULT, *levels):
        return ""
    return f"This model is known to take {', '.join(levels)}: {level} may count as one of those."


def window_of(workspace: Workspace) -> int | None:
    """The context window of the open chat in tokens: the one set for it, else that of the loaded model."""
    own, connection = workspace.conversation.chat.parameters.num_ctx, workspace.connection
    if own is None or "num_ctx" not in taken_by(connection.backend.server):
        return connection.window
    model = find(connection.model, connection.models)
    return min(own, (model and model.context_window) or own)


def as_preset(workspace: Workspace, name: str, system: str, parameters: Parameters) -> Preset:
    """A preset of these settings with the chat's model and server."""
    server = workspace.connection.server
    listed = server.name in {known.server.name for known in workspace.choices.registry.known()}
    place = server.name if listed and server.name else server.address
    return Preset(name, workspace.connection.model, place, system, parameters)


def chosen_preset(workspace: Workspace, name: str) -> tuple[Preset, Server | None]:
    """A preset and its server; None if it leaves that as it is. Its system prompt is the settings' if it has none.

    Raises:
        ConfigError: there is no such preset, it is wrong, or its server cannot be used.
    """
    config, registry = workspace.config, workspace.choices.registry
    servers = {known.server.name: known for known in registry.known() if known.server.name}
    preset = read_preset(config.presets, name, servers)
    preset = replace(preset, system=preset.system or config.system)
    if not preset.server:
        return preset, None
    known = servers.get(preset.server) or registry.at(preset.server)
    if known is not None and known.trouble is not None:
        raise known.trouble
    server = known.server if known else server_at(preset.server)
    return preset, None if same_place(server.address, workspace.connection.server.address) else server


def model_named(workspace: Workspace, name: str) -> str:
    """The whole name of a model of the server; `name` while its models are not known.

    Raises:
        ConfigError: the server has no such model.
    """
    models = workspace.connection.models
    known = find(name, models)
    if models and known is None:
        missing = f"{workspace.connection.server.label} has no model {clean_line(name, 80)}."
        raise ConfigError(missing, nearest(name, [model.name for model in models]))
    return known.name if known else name


def is_preset(workspace: Workspace, name: str) -> bool:
    """Whether `/load` with this name means a preset: the server has no model of that name."""
    models = {model.name for model in workspace.connection.models}
    return name not in models and name in preset_names(workspace.config.presets)


async def shown(workspace: Workspace, topic: str) -> dict[str, str]:
    """What is set and known, by heading: all of it, or one topic, which begins its heading.

    Raises:
        ConfigError: there is no such topic, or nothing to say about it.
        ReplyError: the server does not tell.
    """
    if topic and topic not in TOPICS:
        raise ConfigError(f"/show does not know {clean_line(topic, 40)}.", nearest(topic, TOPICS))
    connection, own = workspace.connection, workspace.conversation.chat
    model, details = connection.model, await details_of(connection)
    listed = find(model, connection.models) or Model(model)
    texts = {
        "Info": f"{model} on {connection.server.label}\n{facts(listed, details.model)}",
        "System prompt": own.system or details.system,
        "Parameters of this chat": _lines(replace(own.parameters, think=think_of(workspace))),
        "Parameters of the model": details.parameters,
        "Template": details.template,
        "License": details.licence,
        "Modelfile": _modelfile(model, own.system, own.parameters),
    }
    found = {
        heading: text for heading, text in texts.items() if heading.lower().startswith(topic) and text.strip()
    }
    if not found:
        raise ConfigError(f"{model} has no {topic}.", "/show shows all there is.")
    return found


async def details_of(connection: Connection) -> Details:
    """All that the server tells of the present model; of some servers that is only its place in the list.

    Raises:
        ReplyError: the server does not tell.
    """
    if isinstance(connection.backend, HttpBackend):
        with suppress(Unsupported):
            return await connection.backend.details(connection.model)
    return Details(find(connection.model, connection.models) or Model(connection.model))


def _lines(parameters: Parameters) -> str:
    return "\n".join(f"{name} {parameters.text(name)}" for name in parameters.given)


def _modelfile(model: str, system: str, parameters: Parameters) -> str:
    quotes = '"' * 3
    lines = [f"FROM {model}", *([f"SYSTEM {quotes}{system}{quotes}"] if system else [])]
    for name, value in parameters.options.items():
        lines += [f"PARAMETER {name} {each}" for each in (value if isinstance(value, list) else [value])]
    return "\n".join(lines)
