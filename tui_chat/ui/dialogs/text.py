"""A dialog that shows texts."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.scrollbar import ThinScroll


class TextScreen(Dialog[None]):
    """Texts below their headings, to be scrolled."""

    BINDINGS = bindings(Scope.VIEW)

    def __init__(self, keys: Keymap, title: str, texts: Mapping[str, str]) -> None:
        """`texts`: by their headings; empty ones are left out."""
        super().__init__(keys)
        self._title = title
        self._texts = texts

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(id="help"):
            yield Static(Content.styled(self._title, "bold"))
            with ThinScroll():
                for heading, text in self._texts.items():
                    if text.strip():
                        yield Static(Content.assemble("\n", (heading, "bold underline"), "\n", text.strip("\n")))
            yield Hint(self.keys.line("↑ ↓ scroll · {close} close"), id="help-hint")

    def on_mount(self) -> None:
        """Focus the text, so that keys scroll it."""
        self.query_one(ThinScroll).focus()

    def accept(self) -> None:
        """Close it."""
        self.dismiss()
