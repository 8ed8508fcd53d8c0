"""A list that opens over the chat, is filtered as one types, and gives back what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.ui.commands import dialogs
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.choice_list import Choice, ChoiceList, Value, matching
from tui_chat.ui.widgets.field import Field


class Picker(Dialog[Value]):
    """Shows choices; one is taken, or none. New choices may arrive while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = dialogs.bindings(Scope.LIST)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(
        self, keys: Keymap, title: str, choices: Sequence[Choice[Value]], *, empty: str, hint: str = ""
    ) -> None:
        """`hint`: what to say of the keys, as `Keymap.hint` takes it."""
        super().__init__(keys)
        self.list = ChoiceList(id="picker-list")
        self.hint = keys.hint(hint or "{accept} chooses · {close} closes")
        self._title = title
        self._choices = list(choices)
        self._empty = empty

    def compose(self) -> ComposeResult:
        """A filter above a list."""
        with Vertical(id="picker"):
            yield Static(Content(self._title), id="picker-title")
            yield Field(placeholder="Type to filter", id="picker-filter")
            yield self.list
            yield Static(Content(self.hint), id="picker-hint")

    def on_mount(self) -> None:
        """The keys go to the filter all the time."""
        self.query(Input).focus()
        self.show(self._choices)

    def show(self, choices: Sequence[Choice[Value]], *, empty: str | None = None) -> None:
        """Show these choices, as far as they match what is typed. Does nothing once the list is closed."""
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

    def on_input_submitted(self) -> None:
        """Take the highlighted one."""
        if (choice := self.list.choice) is not None:
            self.take(choice)

    def on_choice_list_clicked(self, event: ChoiceList.Clicked) -> None:
        """A click takes one."""
        event.stop()
        self.take(event.choice)

    def take(self, choice: Choice[Value]) -> None:
        """Give back what was chosen."""
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

    def say(self, title: str, hint: str) -> None:
        """Change the lines above and below the list. Does nothing once it is closed."""
        for id, text in (("#picker-title", title), ("#picker-hint", hint)):
            for line in self.query(id).results(Static):
                line.update(Content(text))

    def tell(self, text: str) -> None:
        """Say something below the list, where no key's hint is covered; in a small terminal above it."""
        self.say(text if self.has_class("-short") else self._title, text)
