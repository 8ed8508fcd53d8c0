"""The one table of commands. Bindings, palette, footer, help screen and the check of the keymap derive from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textual.binding import Binding, BindingType
from textual.keys import Keys

from tui_chat.config import nearest
from tui_chat.errors import ConfigError


class Scope(StrEnum):
    """Where a command's keys count."""

    APP = "app"
    CHAT = "chat"
    COMPOSER = "composer"


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can ask for."""

    id: str
    """Its name in the config; the action that runs it is the same with underscores."""
    title: str
    help: str
    keys: str = ""
    """Default keys, comma-separated, by Textual's names."""
    scope: Scope = Scope.CHAT
    group: str = "Chat"
    footer: str = ""
    """A word for the footer, if it stands there."""

    @property
    def action(self) -> str:
        """The name of the action that runs it, without its namespace."""
        return self.id.replace("-", "_")

    @property
    def binding(self) -> Binding:
        """Its keys, changeable by its id. They go before those of a focused widget."""
        return Binding(self.keys or f"f{_UNBOUND}", self.action, self.title, show=False, priority=True, id=self.id)


_UNBOUND: Final = 24
"""A function key that no keyboard has stands for no key: a binding cannot be without one."""

# A key with Alt has a second one without it: in plain xterms Alt types letters. Tab, Shift+Tab and F5 come through
# SSH, tmux, screen and PuTTY as they are; Ctrl with an arrow is kept by macOS, and is the bare arrow in PuTTY.
COMMANDS: Final = (
    Command("send", "Send", "Send what is written", "enter", Scope.COMPOSER, "Write"),
    Command("new-line", "New line", "Start a new line", "ctrl+j,alt+enter,shift+enter", Scope.COMPOSER, "Write",
            "new line"),
    Command("editor", "Editor", "Write in the editor that VISUAL or EDITOR names", "ctrl+g", group="Write"),
    Command("stop", "Stop the reply", "Stop the reply; what came stays", "escape", footer="stop"),
    Command("interrupt", "Copy, stop or quit", "Copy the selection, else stop, else quit at the second press",
            "ctrl+c"),
    Command("again", "Continue, retry or regenerate",
            "Continue a cut reply, try a failed one again, or make a new version of a whole one", "ctrl+r",
            footer="again"),
    Command("send-next", "Send the next waiting prompt",
            "Send the next waiting prompt now; a reply on its way is stopped", "f4", footer="send next"),
    Command("unqueue", "Take back a waiting prompt", "Take the last waiting prompt back into the composer"),
    Command("new-chat", "New chat", "Start a new chat", "ctrl+n"),
    Command("chats", "Chats and search", "Open another chat, or search in all of them", "ctrl+o", footer="chats"),
    Command("models", "Models", "Choose the model", "ctrl+l", footer="models"),
    Command("servers", "Servers", "Choose, add, test or remove servers", "f3", footer="servers"),
    Command("toggle-thinking", "Fold thinking", "Show or hide what the model thought", "ctrl+t", group="Read"),
    Command("follow", "To the end", "Go to the end and follow the reply", "ctrl+end", group="Read"),
    Command("top", "To the top", "Go to the beginning of the chat", "ctrl+home", group="Read"),
    Command("page-up", "Page up", "Scroll up by a page", "pageup", group="Read"),
    Command("page-down", "Page down", "Scroll down by a page", "pagedown", group="Read"),
    Command("line-up", "Line up", "Scroll up by a line", "shift+up", group="Read"),
    Command("line-down", "Line down", "Scroll down by a line", "shift+down", group="Read"),
    Command("step-up", "Step up", "Select the message, code block or link above", "alt+up,shift+tab",
            group="Read"),
    Command("step-down", "Step down", "Select the message, code block or link below", "alt+down,tab",
            group="Read"),
    Command("find", "Find", "Find in this chat", "ctrl+f", group="Read"),
    Command("copy", "Copy", "Copy the selected message, code block or link, else the last reply", "alt+c,f5",
            group="Read"),
    Command("save", "Save", "Write the selected message or code block, else the last reply, to a file", "ctrl+s",
            group="Read"),
    Command("demo", "Start the demo", "Talk to a built-in scripted server", "f2", group="Program"),
    Command("command-palette", "Commands", "Search all commands", "ctrl+p", Scope.APP, "Program", "commands"),
    Command("help", "Help", "Show the keys", "f1", Scope.APP, "Program", "help"),
    Command("theme", "Theme", "Choose the colours", "", Scope.APP, "Program"),
    Command("redraw", "Redraw", "Paint the whole screen anew", "", Scope.APP, "Program"),
    Command("quit", "Quit", "Save everything and leave", "ctrl+q", Scope.APP, "Program"),
)  # fmt: skip

BY_ID: Final[Mapping[str, Command]] = {command.id: command for command in COMMANDS}


def bindings(scope: Scope) -> list[BindingType]:
    """The bindings of one scope."""
    return [command.binding for command in COMMANDS if command.scope is scope]


def footer(own: Mapping[str, str], ids: Iterable[str], word: str = "") -> tuple[tuple[str, str], ...]:
    """Key labels and words of some commands for the status bar; `own` are the user's keys by command id."""
    chosen = (BY_ID[id] for id in ids)
    return tuple((key_label(own.get(command.id, command.keys)), word or command.footer) for command in chosen)


def key_labels(keys: str) -> tuple[str, ...]:
    """How a person reads keys: `ctrl+p,f9` is `^P` and `F9`."""
    return tuple(key_label(key) for key in keys.split(",") if key)


def key_label(keys: str) -> str:
    """The first of several keys, as a person reads it."""
    key = keys.split(",")[0]
    names = {"escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn", "enter": "Enter"}
    if key in names:
        return names[key]
    *modifiers, last = key.split("+")
    last = last.upper() if len(last) == 1 else names.get(last, last.capitalize())
    if modifiers == ["ctrl"] and len(last) == 1:
        return f"^{last}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])


def check_keymap(keymap: Mapping[str, str]) -> dict[str, str]:
    """The user's keys by command id, if they make sense.

    Raises:
        ConfigError: an unknown command, an unknown key, or one key for two commands.
    """
    for command, keys in keymap.items():
        if command not in BY_ID:
            raise ConfigError(f"keys: there is no command {command!r}", nearest(command, BY_ID))
        for key in keys.split(","):
            _check_key(command, key.strip())
    taken: dict[str, str] = {}
    for known in COMMANDS:
        for key in filter(None, (key.strip() for key in keymap.get(known.id, known.keys).split(","))):
            other = taken.setdefault(key, known.id)
            if other != known.id:
                raise ConfigError(
                    f"keys: {key!r} is for both {other} and {known.id}", "Give one of them another key."
                )
    return {command: ",".join(key.strip() for key in keys.split(",")) for command, keys in keymap.items()}


_ALIASES: Final = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+h": "Backspace"}
_MODIFIERS: Final = ("ctrl", "alt", "shift", "super", "meta", "hyper")


def _check_key(command: str, key: str) -> None:
    if key in _ALIASES:
        raise ConfigError(f"keys.{command}: terminals send {key} as {_ALIASES[key]}", "Choose another key.")
    *modifiers, last = key.split("+")
    names = {name.value for name in Keys}
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            raise ConfigError(f"keys.{command}: unknown key {key!r}", nearest(modifier, _MODIFIERS))
    if len(last) != 1 and last not in names:
        known = [name for name in names if "+" not in name and not name.startswith("<")]
        raise ConfigError(f"keys.{command}: unknown key {key!r}", nearest(last, known))
