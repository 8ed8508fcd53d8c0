"""The base of forms: a row for each setting, and a line that says what is wrong."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.errors import ChatError
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.dialogs.dialog import Answer, Dialog
from tui_chat.ui.widgets.scrolling import ThinScroll


class Form(Dialog[Answer]):
    """Fields to fill in and save."""

    # Ahead of other keys, so that text typed ahead lands in its field: one of them is a secret.
    BINDINGS = bindings(Scope.FORM)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (17, "-tall")]  # noqa: RUF012  as Textual declares it
    BOX = "form"

    @abstractmethod
    def rows(self) -> Iterable[tuple[str, Widget]]:
        """The label of each setting, and its field."""

    def body(self) -> Iterable[Widget]:
        """The rows, and the line below them."""
        with ThinScroll(id="form-fields", can_focus=False):
            for label, field in self.rows():
                yield Horizontal(Static(Content(label), classes="form-label"), field)
        yield Static("", id="form-state")

    def test(self) -> object:
        """Try the settings, where that makes sense."""

    def keep(self) -> object:
        """Save the settings as a preset, where that makes sense."""

    def fail(self, error: ChatError) -> None:
        """Say why something cannot be done."""
        self.say(error.told)

    def say(self, words: str) -> None:
        """Show a line below the fields."""
        for state in self.query("#form-state").results(Static):  # none if it was closed
            state.update(Content(words))
