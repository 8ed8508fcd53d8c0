"""A question that a line answers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.field import Field


class AskScreen(Dialog[str]):
    """Asks for a line of text, with a first suggestion; answers nothing where it is closed."""

    def __init__(self, keys: Keymap, question: str, suggestion: str, hint: str) -> None:
        super().__init__(keys)
        self._question = question
        self._suggestion = suggestion
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The question, the line, and the keys."""
        with Vertical(id="ask"):
            yield Static(Content(self._question), id="ask-title")
            yield Field(self._suggestion, select_on_focus=False)
            yield Static(Content(self._hint), id="ask-hint")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        self.dismiss(event.value.strip() or None)


def title_screen(keys: Keymap, title: str) -> AskScreen:
    """Asks for the new title of a chat."""
    hint = keys.hint("{accept} keeps the new title · {close} leaves it as it was")
    return AskScreen(keys, "Rename this chat", title, hint)
