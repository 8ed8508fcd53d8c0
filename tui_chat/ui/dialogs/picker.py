"""A list of choices with a filter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget
from textual.widgets import Input

from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.choice_list import Choice, ChoiceList, Value, matching
from tui_chat.ui.widgets.field import Field


class Picker(Dialog[Value]):
    """Answers one of its choices, or none. New choices may arrive while it is open."""

    BINDINGS = bindings(Scope.LIST)
    BOX = "picker"

    def __init__(
        self,
        keys: Keymap,
        title: str,
        choices: Sequence[Choice[Value]],
        *,
        empty: str = "",
        hint: str = "{accept} choose · {close} close",
    ) -> None:
        """`empty`: what is said where there is nothing to choose."""
        super().__init__(keys, title, hint)
        self.list = ChoiceList(id="picker-list")
        self._choices = list(choices)
        self._empty = empty

    def body(self) -> Iterable[Widget]:
        """A filter, which keeps the focus, above a list."""
        yield Field(placeholder="Type to filter", id="picker-filter")
        yield self.list

    def on_mount(self) -> None:
        """List the choices."""
        self.show(self._choices)

    def show(self, choices: Sequence[Choice[Value]], *, empty: str | None = None) -> None:
        """Show the choices that match what is typed. Does nothing once the list is closed."""
        self._choices = list(choices)
        self._empty = self._empty if empty is None else empty
        before = self.list.choice
        for field in self.query(Input):
            self.filter(field.value)
        if before is not None:
            self.list.highlight(before.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self.filter(event.value)

    def accept(self) -> None:
        """Choose the highlighted one."""
        if (choice := self.list.choice) is not None:
            self.take(choice)

    def on_choice_list_clicked(self, event: ChoiceList.Clicked) -> None:
        """Choose by a click."""
        event.stop()
        self.take(event.choice)

    def take(self, choice: Choice[Value]) -> None:
        """Answer with a choice."""
        self.dismiss(choice.value)

    def move(self, step: int) -> None:
        """Move the highlight by some rows."""
        if self.list.choice is not None:
            self.list.highlighted = (self.list.highlighted or 0) + step

    def filter(self, typed: str) -> None:
        """Show the choices that contain all words that are typed."""
        found = matching(typed, self._choices)
        self.list.show(found, "Nothing matches." if self._choices else self._empty)
        if not typed.strip():
            marked = (index for index, choice in enumerate(found) if choice.marked)
            self.list.highlighted = next(marked, 0 if found else None)
