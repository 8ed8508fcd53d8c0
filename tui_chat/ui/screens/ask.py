"""A question that a line answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.ui.screens.dialog import Dialog
from tui_chat.ui.widgets.field import Field


class AskScreen(Dialog[str | None]):
    """Asks for a line of text, with a first suggestion; Esc answers nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "dismiss(None)", "Close", show=False)]

    def __init__(self, question: str, suggestion: str, hint: str) -> None:
        super().__init__()
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
        """Enter answers."""
        self.dismiss(event.value.strip() or None)
