"""The colours to choose from."""

from __future__ import annotations

from collections.abc import Iterable

from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice


class ThemesScreen(Picker[str]):
    """All themes; gives back the name of the one to use."""

    def __init__(self, keys: Keymap, themes: Iterable[str], present: str) -> None:
        choices = [
            Choice(name, name, "the terminal's own colours" if name.startswith("ansi-") else "", name == present)
            for name in sorted(themes)
        ]
        super().__init__(keys, "Colours", choices, empty="")
