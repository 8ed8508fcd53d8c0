"""Find in this chat: a line below the log that goes to matches while the user types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.widget import Widget
from textual.widgets import Input

from tui_chat.text.fold import fold
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.field import Field
from tui_chat.ui.widgets.finding import Finding

_KEYS: Final = "{find-previous} {find-next}"


class FindScreen(Dialog[None]):
    """Marks matches in the log; Enter and Down go to the next one, Up to the one before."""

    BINDINGS = bindings(Scope.FIND)
    BOX = "find"

    def __init__(self, keys: Keymap, finding: Finding, words: str = "") -> None:
        super().__init__(keys, "Find", f"{_KEYS} · {{close}} close")
        self._finding = finding
        self._words = words

    def body(self) -> Iterable[Widget]:
        """The words; the hint beside them says how many messages have them."""
        yield Field(self._words, "in this chat", id="find-text")

    def on_unmount(self) -> None:
        """Remove the marks; the log does not scroll."""
        self._finding.look_for(())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find what is typed so far."""
        wanted = fold(event.value.strip())
        self._finding.look_for((wanted,) if wanted else ())
        self._finding.nearest()
        self._count()

    def accept(self) -> None:
        """Go to the next match."""
        self.move(1)

    def move(self, direction: int) -> None:
        """Go to the next match below (1) or above (-1)."""
        self._finding.move(direction)
        self._count()

    def _count(self) -> None:
        hits = len(self._finding.hits)
        words = f"message {self._finding.number} of {hits}" if hits else "no matches"
        self.query_one(Hint).say(self.keys.line(f"{words} · {_KEYS}"))
