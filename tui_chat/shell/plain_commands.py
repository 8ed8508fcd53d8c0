"""The commands of plain mode: those of the screen that need none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_chat.chat.retry import plan_again
from tui_chat.chat.settings import (
    DEFAULT,
    as_preset,
    chosen_preset,
    is_preset,
    model_named,
    set_parameter,
    set_system,
    set_think,
    shown,
)
from tui_chat.chat.summary import GO_ON, SUM_UP, summary_in
from tui_chat.chat.workspace import find_chat
from tui_chat.errors import ConfigError, StoreError
from tui_chat.files import unused_name, write_new
from tui_chat.output import put
from tui_chat.presets import preset_names, save_preset
from tui_chat.shell.asking import confirmed
from tui_chat.store.export import to_markdown
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.typed import user_path

if TYPE_CHECKING:
    from tui_chat.shell.plain import PlainChat

_LISTED: Final = 20
"""Chats that are listed."""


@dataclass(frozen=True, slots=True)
class PlainCommand:
    """A command of plain mode, named as on the screen."""

    slash: str
    """Its names, comma-separated."""
    function: Callable[[PlainChat, str], Awaitable[None]]
    """Its docstring is the help."""
    needs: str = ""
    """What has to follow its name."""


async def new(plain: PlainChat, _: str) -> None:
    """Start a new chat."""
    plain.workspace.new_chat()
    put("A new chat.")


async def chats(plain: PlainChat, wanted: str) -> None:
    """List the chats, or open one by the beginning of its ID."""
    store = plain.workspace.store
    if not wanted:
        put(*(f"{chat.id[:12]}  {chat.title or 'Untitled'}" for chat in await store.chats("", _LISTED)))
        return
    await plain.workspace.open_chat(await find_chat(store, wanted))
    await plain.begin()


async def delete(plain: PlainChat, _: str) -> None:
    """Delete this chat and start a new one."""
    workspace = plain.workspace
    chat = workspace.conversation.chat
    if await confirmed(f"Delete {chat.title or 'this chat'}?", unasked=True):
        await workspace.conversation.settle()
        with suppress(StoreError):  # it is listed again then
            await workspace.store.save(chat.id, deleted=True)
        await new(plain, "")


async def model(plain: PlainChat, name: str) -> None:
    """List the models, or use one."""
    connection = plain.workspace.connection
    if not name:
        marks = {True: "*", False: " "}
        put(*(f"{marks[each.name == connection.model]} {each.name}" for each in connection.models))
    else:
        known = model_named(plain.workspace, name)
        await plain.workspace.use_model(known)
        put(f"{known} answers from now on.")


async def preset(plain: PlainChat, name: str) -> None:
    """List the presets, or use one: its model, server, system prompt and parameters."""
    workspace = plain.workspace
    if not name:
        put(*preset_names(workspace.config.presets) or ["There are no presets yet. /save saves one."])
        return
    chosen, server = chosen_preset(workspace, name)
    if server is not None:
        await workspace.use(server, model=chosen.model)
    elif chosen.model:
        await workspace.use_model(chosen.model)
    workspace.conversation.note(system=chosen.system, parameters=chosen.parameters)
    put(f"This chat uses the preset {name}.")
    if server is not None:
        await plain.begin()


async def load(plain: PlainChat, name: str) -> None:
    """Use a model of the server or, if it has none of that name, a preset."""
    await (preset if is_preset(plain.workspace, name) else model)(plain, name)


async def save(plain: PlainChat, name: str) -> None:
    """Save model, system prompt and parameters of this chat as a preset."""
    workspace, chat = plain.workspace, plain.workspace.conversation.chat
    if name in preset_names(workspace.config.presets) and not await confirmed(f"Replace the preset {name}?"):
        return
    path = save_preset(workspace.config.presets, as_preset(workspace, name, chat.system, chat.parameters))
    put(f"Saved as {path}. /preset {name} uses it.")


async def parameter(plain: PlainChat, text: str) -> None:
    """Set a parameter of this chat; without a value it is as in the settings."""
    put(set_parameter(plain.workspace, text))


async def system(plain: PlainChat, text: str) -> None:
    """Set the system prompt of this chat; "" removes it."""
    put(set_system(plain.workspace, text))


async def answer_format(plain: PlainChat, text: str) -> None:
    """Let the model answer in JSON, or by a schema."""
    put(set_parameter(plain.workspace, f"format {text}"))


async def no_format(plain: PlainChat, _: str) -> None:
    """Let the model answer in text."""
    put(set_parameter(plain.workspace, "format"))


async def think(plain: PlainChat, level: str) -> None:
    """List how much the model can think, or choose it."""
    if level:
        put(await set_think(plain.workspace, level))
    else:
        await plain.workspace.connection.learn_abilities()
        levels = plain.workspace.choices.levels(plain.workspace.connection)
        put(*(f"/think {each}" for each in (DEFAULT, *levels)))


async def set_thinking(plain: PlainChat, level: str) -> None:
    """Let the model think."""
    put(await set_think(plain.workspace, level or "on"))


async def no_thinking(plain: PlainChat, _: str) -> None:
    """Let the model answer without thinking."""
    put(await set_think(plain.workspace, "off"))


async def show(plain: PlainChat, topic: str) -> None:
    """Show the model, the system prompt and the parameters."""
    for heading, text in (await shown(plain.workspace, topic)).items():
        put(f"{heading}:", clean(text).strip("\n"), "")


async def find_words(plain: PlainChat, words: str) -> None:
    """List the lines of this chat that contain some words."""
    for message in plain.workspace.conversation.branch:
        found = [line for line in message.text.split("\n") if words.casefold() in line.casefold()]
        put(*(f"{message.model or 'you'}: {line.strip()}" for line in found))


async def retry(plain: PlainChat, _: str) -> None:
    """Continue a cut reply, retry a failed one, regenerate a whole one."""
    if plan_again(plain.workspace.conversation) is None:
        raise ConfigError("There is no reply yet.", "Ask something.")
    await plain.show(lambda hear: plain.workspace.current.again(hear=hear))


async def summary(plain: PlainChat, _: str) -> None:
    """Let the model sum up this chat, and start a new one with that."""
    before = plain.workspace.current
    if not before.conversation.branch:
        raise ConfigError("There is nothing to sum up yet.", "Ask something.")
    if not summary_in(before.conversation):
        await plain.show(lambda hear: before.send(SUM_UP, hear=hear))
    if text := summary_in(before.conversation):
        plain.workspace.new_chat()
        plain.attach("Summary", GO_ON.format(text).strip())
        await plain.workspace.current.follow_on(before, "")
        put("A new chat. The summary goes along with your next prompt.")


async def rename(plain: PlainChat, title: str) -> None:
    """Change the title of this chat."""
    await plain.workspace.conversation.note(title=clean_line(title, 80))


async def export(plain: PlainChat, name: str) -> None:
    """Save this chat to a Markdown file."""
    conversation = plain.workspace.conversation
    await conversation.settle()
    path: Path = user_path(name or unused_name("chat", ".md"))
    markdown = to_markdown(await plain.workspace.store.load(conversation.chat.id))
    await asyncio.to_thread(write_new, path, markdown)
    put(f"Saved this chat as {path}.")


async def help(_: PlainChat, __: str) -> None:
    """List the commands."""
    for command in _TABLE:
        names = command.slash.replace(",", ", ")
        put(f"{names}{f' {command.needs}' if command.needs else ''}: {command.function.__doc__}")
    put('@path in a prompt attaches a file. """ begins a prompt of several lines and ends it.')
    put("!command runs a shell command; its output goes along with the next prompt.")
    put("Ctrl+C stops a reply, Ctrl+D leaves.")


async def bye(plain: PlainChat, _: str) -> None:
    """Leave; all is saved."""
    plain.code = 0


_TABLE: Final = (
    PlainCommand("/new,/clear", new),
    PlainCommand("/chats", chats),
    PlainCommand("/delete", delete),
    PlainCommand("/model", model),
    PlainCommand("/preset", preset),
    PlainCommand("/load", load, "model or preset"),
    PlainCommand("/save", save, "name"),
    PlainCommand("/set parameter", parameter, "name value"),
    PlainCommand("/set system", system, "text"),
    PlainCommand("/set format", answer_format, "json or schema"),
    PlainCommand("/set noformat", no_format),
    PlainCommand("/set think", set_thinking),
    PlainCommand("/set nothink", no_thinking),
    PlainCommand("/think", think),
    PlainCommand("/show", show),
    PlainCommand("/find", find_words, "words"),
    PlainCommand("/retry,/regenerate", retry),
    PlainCommand("/summary", summary),
    PlainCommand("/rename", rename, "title"),
    PlainCommand("/export", export),
    PlainCommand("/help,/?", help),
    PlainCommand("/bye,/exit,/quit", bye),
)
COMMANDS: Final[Mapping[str, PlainCommand]] = {
    name: command for command in _TABLE for name in command.slash.split(",")
}
"""By their slash names, which are those of the screen's table."""
