"""The command palette: the table of commands, to be searched and to learn the keys from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_chat.ui.commands import COMMANDS, Command, Scope, key_label
from tui_chat.ui.screens.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice

_WIDTH: Final = max(len(command.title) for command in COMMANDS)


class CommandsScreen(Picker[Command]):
    """All commands but those that only make sense as a key; gives back the one to carry out."""

    def __init__(self, own: Mapping[str, str]) -> None:
        """`own`: the user's keys by command id."""
        super().__init__("Commands", [_choice(command, own) for command in _chosen()], empty="")


def _chosen() -> list[Command]:
    return [
        command for command in COMMANDS if command.scope is not Scope.COMPOSER and command.id != "command-palette"
    ]


def _choice(command: Command, own: Mapping[str, str]) -> Choice[Command]:
    keys = own.get(command.id, command.keys)
    title = f"{command.title:<{_WIDTH}}"
    return Choice(command, title, key_label(keys) if keys else "", also=f"{command.id} {command.help}")
