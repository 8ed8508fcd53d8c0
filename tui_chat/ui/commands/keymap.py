"""The keys of all commands, their labels, and the check of the config's `[keys]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final

from textual.content import Content
from textual.keys import Keys

from tui_chat.errors import ConfigError
from tui_chat.typed import nearest
from tui_chat.ui.commands.command import Command, Scope
from tui_chat.ui.widgets.clickable import clickable

_TOGETHER: Final = (
    (Scope.APP, Scope.CHAT, Scope.SELECT, Scope.COMPOSER),
    (Scope.APP, Scope.CHAT, Scope.COMPLETION),
    (Scope.LOG,),
    (Scope.DIALOG, Scope.LIST, Scope.CHATS),
    (Scope.DIALOG, Scope.LIST, Scope.SERVERS),
    (Scope.DIALOG, Scope.LIST, Scope.MODELS),
    (Scope.DIALOG, Scope.FORM),
    (Scope.DIALOG, Scope.FIND),
    (Scope.DIALOG, Scope.VIEW, Scope.LINK),
    (Scope.DIALOG, Scope.CONTEXT),
)
"""Scopes that are active together: a key has one meaning in each row. In the log, the chat's keys go first."""
_NAMES: Final = {"escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn"}
_ARROWS: Final = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


class Keymap:
    """All commands with their present keys."""

    def __init__(self, groups: Mapping[str, Sequence[Command]], own: Mapping[str, str]) -> None:
        """`own`: the user's keys by command id.

        Raises:
            ConfigError: an unknown command, an unknown key, or one key for two commands.
        """
        self.groups = groups
        self.commands = {command.id: command for group in groups.values() for command in group}
        self.own = check_keymap(self.commands, own)

    def keys(self, id: str) -> tuple[str, ...]:
        """All keys of a command, by Textual's names."""
        return tuple(filter(None, self.own.get(id, self.commands[id].keys).split(",")))

    def by_key(self, scope: Scope) -> dict[str, Command]:
        """The commands of a scope by their keys."""
        return {key: each for each in self.commands.values() if each.scope is scope for key in self.keys(each.id)}

    def labels(self, id: str) -> tuple[str, ...]:
        """The labels of all keys of a command."""
        return tuple(map(key_label, self.keys(id)))

    def __getitem__(self, id: str) -> str:
        """The label of a command's first key; without keys, how to find the command."""
        labels = self.labels(id)
        return labels[0] if labels else f"{self['command-palette']} {self.commands[id].title}"

    def hint(self, template: str) -> str:
        """Replace command ids in braces by their keys: `{stop} stops it` becomes `Esc stops it`."""
        return template.format_map(self)

    def line(self, template: str) -> Content:
        """A `hint` to be clicked: a key, and the words up to the next one, carry out its command."""
        line, action = Content(""), ""
        for words, id, _, _ in Formatter().parse(template):
            line += clickable(Content(words), action) if action else words
            if id is not None:
                action = f"screen.command({id!r})"
                line += clickable(Content.styled(self[id], "bold $foreground"), action)
        return line

    def footer(self, *ids: str, word: str = "") -> tuple[tuple[str, str, str], ...]:
        """Labels, words and actions of some commands, for the status bar."""
        return tuple((self[id], word or self.commands[id].footer, f"screen.command({id!r})") for id in ids)


def key_label(key: str) -> str:
    """The label of a key: `^P` for `ctrl+p`."""
    *modifiers, last = key.split("+")
    if not modifiers and (len(last) == 1 or last in _ARROWS):
        return _ARROWS.get(last, last)
    last = _NAMES.get(last, last.capitalize())
    if modifiers == ["ctrl"] and len(last) == 1:
        return f"^{last}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])


_WHILE_WRITING: Final = (Scope.APP, Scope.CHAT, Scope.SELECT, Scope.COMPOSER, Scope.COMPLETION)


def check_keymap(commands: Mapping[str, Command], keymap: Mapping[str, str]) -> dict[str, str]:
    """Check and normalise the user's keys by command id.

    Raises:
        ConfigError: an unknown command, an unknown key, or one key for two commands.
    """
    own = {id: ",".join(key.strip() for key in keys.split(",")) for id, keys in keymap.items()}
    for id, keys in own.items():
        if id not in commands:
            raise ConfigError(f"keys: there is no command {id!r}", nearest(id, commands))
        for key in keys.split(","):
            _check_key(id, key)
            if len(key) == 1 and commands[id].scope in _WHILE_WRITING:
                raise ConfigError(f"keys.{id}: {key} could not be typed any more", "Add ctrl+ or alt+ to it.")
    for scopes in _TOGETHER:
        taken: dict[str, str] = {}
        for command in commands.values():
            keys = own.get(command.id, command.keys) if command.scope in scopes else ""
            for key in filter(None, keys.split(",")):
                if (other := taken.setdefault(key, command.id)) != command.id:
                    both = f"keys: {key!r} is for both {other} and {command.id}"
                    raise ConfigError(both, "Give one of them another key.")
    return own


_ALIASES: Final = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+h": "Backspace"}
_MODIFIERS: Final = ("ctrl", "alt", "shift", "super", "meta", "hyper")


def _check_key(command: str, key: str) -> None:
    if key in _ALIASES:
        raise ConfigError(f"keys.{command}: terminals send {key} as {_ALIASES[key]}", "Choose another key.")
    *modifiers, last = key.split("+")
    names = {name.value for name in Keys}
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            wrong = f"keys.{command}: unknown key {key!r}: no modifier is called {modifier!r}"
            raise ConfigError(wrong, nearest(modifier.lower(), _MODIFIERS[:3]))
    if len(last) != 1 and last not in names:
        known = [name for name in names if "+" not in name and not name.startswith("<")]
        raise ConfigError(f"keys.{command}: unknown key {key!r}", nearest(last, known))
