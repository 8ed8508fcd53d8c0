"""A question that Enter says yes to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.screens.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Asks before something that cannot be taken back; Esc says no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Yes", show=False, priority=True),
        Binding("escape,ctrl+c", "dismiss(False)", "No", show=False, priority=True),
    ]

    def __init__(self, question: str, hint: str) -> None:
        super().__init__()
        self._question = question
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The question and the keys."""
        with Vertical(id="ask"):
            yield Static(Content(self._question), id="ask-title")
            yield Static(Content(self._hint), id="ask-hint")
