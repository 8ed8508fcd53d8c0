"""A question that Enter says yes to."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Asks before something that cannot be taken back."""

    def __init__(self, keys: Keymap, question: str, hint: str) -> None:
        super().__init__(keys)
        self._question = question
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The question and the keys."""
        with Vertical(id="ask"):
            yield Static(Content(self._question), id="ask-title")
            yield Static(Content(self._hint), id="ask-hint")

    def accept(self) -> None:
        """Say yes."""
        self.dismiss(True)
