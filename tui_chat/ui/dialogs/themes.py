"""The list of themes, each shown while it is highlighted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.await_complete import AwaitComplete

from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.palettes import DARK, LIGHT
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp


class ThemesScreen(Picker[str]):
    """All themes, each used while it is highlighted; answers the one to keep."""

    def __init__(self, app: ChatApp) -> None:
        self._use, self._present = app.use_theme, "" if app.follows_background else app.theme
        names = ["", *dict.fromkeys([DARK, LIGHT, *sorted(app.available_themes)])]
        choices = [Choice(name, name or "tui-chat", (_about(name),), name == self._present) for name in names]
        super().__init__(app.keys, "Themes", choices)

    def move(self, step: int) -> None:
        """Move the highlight, and show that theme."""
        super().move(step)
        self._show()

    def filter(self, typed: str) -> None:
        """Show the themes that match, and the first of them."""
        super().filter(typed)
        self._show()

    def _show(self) -> None:
        if (choice := self.list.choice) is not None:
            self._use(choice.value)

    def dismiss(self, result: str | None = None) -> AwaitComplete:
        """Close; without a choice, return to the theme before."""
        if result is None and self.is_active:
            self._use(self._present)
        return super().dismiss(result)


def _about(name: str) -> str:
    if name.startswith("ansi-"):
        return "the terminal's own colours"
    return "" if name else "dark or light, like the terminal"
