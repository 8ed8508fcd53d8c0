"""The base of all dialogs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_chat.errors import ChatError
from tui_chat.ui.commands.command import Scope, carry_out
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.widgets.clickable import Hint

Answer = TypeVar("Answer")
_READING: Final = 20.0
"""Seconds to read an error."""


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A box with a title, something below it, and a line about the keys.

    Closes once, and only itself: keys that arrive while it closes do nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DIALOG)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012  as Textual declares it
    BOX = "ask"
    """The id of the box; those of its title and hint begin with it."""

    def __init__(self, keys: Keymap, title: str, hint: str | Content) -> None:
        """`hint`: the line about the keys, or a template of it for `Keymap.line`."""
        super().__init__()
        self.keys = keys
        self.hint = keys.line(hint) if isinstance(hint, str) else hint
        self._title = title

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id=self.BOX):
            if self._title:
                yield Static(Content(self._title), id=f"{self.BOX}-title")
            yield from self.body()
            yield Hint(self.hint, id=f"{self.BOX}-hint")

    def body(self) -> Iterable[Widget]:
        """What stands between title and hint."""
        return ()

    def on_mount(self) -> None:
        """Focus what takes keys. Tell the styles whether it is over a dialog, and whether a veil is below it."""
        self.query("Input, ThinScroll").focus()
        self.set_class(sum(isinstance(screen, Dialog) for screen in self.app.screen_stack) > 1, "-over")
        self.set_class(self.app.no_color or self.app.theme_variables["veil"] == "transparent", "-unveiled")

    def action_command(self, id: str) -> None:
        """Carry out a command whose key was pressed; a notice about the one before goes.

        A click may be for a screen that was there when it came, and is covered or closed now.
        """
        self.hush()
        own = (binding for base in type(self).__mro__ for binding in vars(base).get("BINDINGS", ()))
        if any(isinstance(binding, Binding) and binding.id == id for binding in own):
            carry_out(self.keys.commands[id], self, failed=self.fail, once=False)

    def fail(self, error: ChatError) -> None:
        """Say why something cannot be done."""
        self.notify(error.told, severity="error", timeout=_READING)

    @on(Input.Changed)
    def hush(self) -> None:
        """End a notice."""
        for hint in self.query(Hint):
            hint.hush()

    def accept(self) -> object:
        """Choose, save or confirm."""

    def on_input_submitted(self) -> None:
        """Enter in a field accepts."""
        self.accept()

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close with an answer. A second call does nothing; Textual's would raise, or close what is below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


def or_cancel(verb: str) -> str:
    """The hint of a question that Enter answers and Esc does not."""
    return f"{{accept}} {verb} · {{close}} cancel"
