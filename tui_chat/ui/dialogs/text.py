"""Dialogs that show something to be scrolled."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.scrollbar import ThinScroll


class View(Dialog[None]):
    """Shows something to be scrolled."""

    BINDINGS = bindings(Scope.VIEW)
    BOX = "help"

    def __init__(self, keys: Keymap, title: str = "") -> None:
        super().__init__(keys, title, "↑ ↓ scroll · {close} close")

    @abstractmethod
    def lines(self) -> Iterable[Widget]:
        """What is scrolled."""

    def body(self) -> Iterable[Widget]:
        """One text that scrolls."""
        with ThinScroll():
            yield from self.lines()

    def accept(self) -> None:
        """Close it."""
        self.dismiss()


class TextScreen(View):
    """Texts below their headings."""

    def __init__(self, keys: Keymap, title: str, texts: Mapping[str, str]) -> None:
        """`texts`: by their headings; empty ones are left out."""
        super().__init__(keys, title)
        self._texts = texts

    def lines(self) -> Iterable[Widget]:
        """Each text below its heading."""
        for heading, text in self._texts.items():
            if text.strip():
                yield Static(Content.assemble("\n", (heading, "bold underline"), "\n", text.strip("\n")))
