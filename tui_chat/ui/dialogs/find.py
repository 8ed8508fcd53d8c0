"""Find in this chat: a line at the bottom of the log, which goes from place to place as one types."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.text.fold import fold
from tui_chat.ui.commands import dialogs
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.field import Field
from tui_chat.ui.widgets.finding import Finding

_KEYS: Final = "{find-previous} {find-next}"


class FindScreen(Dialog[None]):
    """What is typed is marked in the log; Enter and Down go to the next place, Up to the one before."""

    BINDINGS: ClassVar[list[BindingType]] = dialogs.bindings(Scope.FIND)

    def __init__(self, keys: Keymap, finding: Finding, words: str = "") -> None:
        super().__init__(keys)
        self._finding = finding
        self._words = words

    def compose(self) -> ComposeResult:
        """One line: what is looked for, and how often it is there."""
        with Horizontal(id="find"):
            yield Static(Content("Find"), id="find-title")
            yield Field(self._words, "Type to find in this chat", id="find-text")
            yield Static(Content(self.keys.hint(f"{_KEYS} · {{close}} closes")), id="find-count")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query(Input).focus()

    def on_unmount(self) -> None:
        """The marks go with the line; the reader stays where he is."""
        self._finding.look_for(())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it as one types."""
        wanted = fold(event.value.strip())
        self._finding.look_for((wanted,) if wanted else ())
        self._finding.nearest()
        self._count()

    def on_input_submitted(self) -> None:
        """Enter goes on."""
        self.move(1)

    def move(self, direction: int) -> None:
        """Go to the next place below (1) or above (-1)."""
        self._finding.move(direction)
        self._count()

    def _count(self) -> None:
        hits = len(self._finding.hits)
        message = "message" if hits == 1 else "messages"
        words = f"{self._finding.number} of {hits} {message}" if hits else "not in this chat"
        self.query_one("#find-count", Static).update(Content(f"{words} · {self.keys.hint(_KEYS)}"))
