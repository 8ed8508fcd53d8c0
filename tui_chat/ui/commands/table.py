"""The one table of commands: bindings, palette, help, README, the keymap's check and all hints derive from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_chat.ui.commands import chats, dialogs, program, read, reply, selected, write
from tui_chat.ui.commands.command import Command, commands_of

GROUPS: Final[Mapping[str, tuple[Command, ...]]] = {
    "Write": commands_of(write),
    "Reply": commands_of(reply),
    "Chats": commands_of(chats),
    "Read": commands_of(read),
    "Program": commands_of(program),
    "On a selected message": commands_of(selected),
    "In what opens over the chat": dialogs.COMMANDS,
}
"""As the help groups them."""
COMMANDS: Final = tuple(command for group in GROUPS.values() for command in group)


def by_slash(name: str) -> Command | None:
    """The command that a slash command, with the slash, stands for."""
    return next((command for command in COMMANDS if command.slash == name and name), None)
