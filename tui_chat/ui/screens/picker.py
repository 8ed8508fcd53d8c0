"""A list that opens over the chat, is filtered as one types, and gives back what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.ui.screens.dialog import Dialog
from tui_chat.ui.widgets.choice_list import Choice, ChoiceList, Value, matching
from tui_chat.ui.widgets.field import Field


class Picker(Dialog[Value | None]):
    """Shows choices; Enter takes one, Esc none. New choices may arrive while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "close", "Close", show=False),
        Binding("down,ctrl+n", "cursor(1)", "Down", show=False, priority=True),
        Binding("up,ctrl+p", "cursor(-1)", "Up", show=False, priority=True),
        Binding("pagedown", "cursor(10)", "Page down", show=False, priority=True),
        Binding("pageup", "cursor(-10)", "Page up", show=False, priority=True),
    ]

    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012  as Textual declares it

    def __init__(self, title: str, choices: Sequence[Choice[Value]], *, empty: str, hint: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._shown: list[Choice[Value]] = []
        self._empty = empty
        self.hint = hint or "Enter chooses · Esc closes"

    def compose(self) -> ComposeResult:
        """A filter above a list."""
        with Vertical(id="picker"):
            yield Static(Content(self._title), id="picker-title")
            yield Field(placeholder="Type to filter", id="picker-filter")
            yield ChoiceList(id="picker-list")
            yield Static(Content(self.hint), id="picker-hint")

    def on_mount(self) -> None:
        """The keys go to the filter all the time."""
        self.query(Input).focus()
        self.show(self._choices)

    def show(self, choices: Sequence[Choice[Value]], *, empty: str | None = None) -> None:
        """Show these choices, as far as they match what is typed. Does nothing once the list is closed."""
        self._choices = list(choices)
        self._empty = self._empty if empty is None else empty
        before = self.highlighted
        for field in self.query(Input):
            self.filter(field.value)
        if before is not None:
            self.highlight(before.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self.filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter was pressed."""
        self.submit(event.value)

    def submit(self, _typed: str) -> None:
        """Take the highlighted one."""
        if (choice := self.highlighted) is not None:
            self.take(choice)

    def take(self, choice: Choice[Value]) -> None:
        """Give back what was chosen."""
        self.dismiss(choice.value)

    def on_listing_clicked(self, event: ChoiceList.Clicked) -> None:
        """A click takes one."""
        event.stop()
        if event.index < len(self._shown):
            self.take(self._shown[event.index])

    def action_close(self) -> None:
        """Take none."""
        self.dismiss(None)

    def action_cursor(self, step: int) -> None:
        """Move the highlight."""
        listing = self.query_one(ChoiceList)
        if self._shown:
            listing.highlighted = (listing.highlighted or 0) + step

    @property
    def highlighted(self) -> Choice[Value] | None:
        """The choice that Enter would take; None once the list is closed."""
        index = next((listing.highlighted for listing in self.query(ChoiceList)), None)
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def highlight(self, value: Value) -> None:
        """What was highlighted stays so, wherever it is now."""
        index = next((at for at, choice in enumerate(self._shown) if choice.value == value), None)
        for listing in self.query(ChoiceList) if index is not None else ():
            listing.highlighted = index

    def filter(self, typed: str) -> None:
        """Show the choices that contain all words that are typed."""
        found = matching(typed, self._choices)
        self.fill(found, "Nothing matches." if self._choices else self._empty)
        if not typed.strip():
            marked = (index for index, choice in enumerate(found) if choice.marked)
            self.query_one(ChoiceList).highlighted = next(marked, 0 if found else None)

    def say(self, title: str, hint: str) -> None:
        """Change the lines above and below the list. Does nothing once it is closed."""
        for id, text in (("#picker-title", title), ("#picker-hint", hint)):
            for line in self.query(id).results(Static):
                line.update(Content(text))

    def tell(self, text: str) -> None:
        """Say something below the list, where no key's hint is covered; in a small terminal above it."""
        self.say(text if self.has_class("-short") else self._title, text)

    def outdate(self) -> None:
        """Others are on their way: what the list shows until then cannot be taken any more."""
        self._shown = []

    def fill(self, choices: Sequence[Choice[Value]], empty: str, *, keep: bool = False) -> None:
        """List these choices, or say that there are none. Does nothing once the list is closed.

        With `keep` what was highlighted stays so; if it is gone, what is in its place.
        """
        for listing in self.query(ChoiceList):
            before, row = self.highlighted, listing.highlighted
            self._shown = list(choices)
            listing.show(self._shown, empty)
            if keep and before is not None:
                listing.highlighted = row if choices else None
                self.highlight(before.value)
