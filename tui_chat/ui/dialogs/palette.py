"""The command palette: the table of commands, to be searched and to learn the keys from."""

from __future__ import annotations

from tui_chat.ui.commands.command import Command, Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice


class PaletteScreen(Picker[Command]):
    """All commands but those that only make sense as a key; gives back the one to carry out."""

    def __init__(self, keys: Keymap) -> None:
        offered = [
            command
            for command in keys.commands.values()
            if command.scope in (Scope.APP, Scope.CHAT) and command.id != "command-palette"
        ]
        rows = [
            Choice(
                command,
                command.title,
                (next(iter(keys.labels(command.id)), ""),),
                also=f"{command.id} {command.help} {command.slash}",
            )
            for command in offered
        ]
        super().__init__(keys, "Commands", rows, empty="")
