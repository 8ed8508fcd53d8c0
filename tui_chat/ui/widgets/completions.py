"""The candidates for what is being typed, in a list over the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from tui_chat.ui.completion import Candidate, Completer, Completion
from tui_chat.ui.phrases import shortened
from tui_chat.ui.widgets.choice_list import Choice, ChoiceList
from tui_chat.ui.widgets.divider import Divider

_ROWS: Final = 8
_BESIDE: Final = 5
"""Cells of a row beside name and help: a mark, a gap, the scrollbar."""
_LEAST_HELP: Final = 12
"""Cells below which the help of the candidates is left out."""


class Completions(Container):
    """A list right above the composer's rule. It covers the log and moves nothing."""

    def __init__(self, *completers: Completer) -> None:
        """The first completer that knows what to complete is asked."""
        super().__init__()
        self.list = ChoiceList()
        self.list.can_focus = False
        self.put: Callable[[Completion, Candidate], None] = lambda *_: None
        """Puts a candidate into the text; the composer's."""
        self._completers = completers
        self._text, self._cursor = "", 0
        self.completion: Completion | None = None
        """What is shown, or awaited."""
        self._declined: int | None = None
        """Where the part begins for which the user has closed the list."""
        self._moved = False

    def compose(self) -> ComposeResult:
        """The list."""
        yield self.list

    def look(self, text: str, cursor: int) -> None:
        """Show what completes the text at the cursor. A list opens only when text is typed."""
        if (text, cursor) == (self._text, self._cursor) or (text == self._text and self.completion is None):
            return
        self._text, self._cursor = text, cursor
        asked = (completer(text, cursor) for completer in self._completers)
        found = next((each for each in asked if each is not None), None)
        if found is None or found.start != self._declined:
            self._declined = None
            self._show(found)

    def rest(self, text: str) -> None:
        """Show nothing until this text changes."""
        self._text = text
        self._show(None)

    def decline(self) -> bool:
        """Close the list for what is being typed; whether it was open."""
        if self.completion is None:
            return False
        self._declined = self.completion.start
        self._show(None)
        return True

    def move(self, step: int) -> None:
        """Highlight another candidate; from the last one on to the first."""
        if self.list.choice is not None:
            self._moved = True
            self.list.highlighted = ((self.list.highlighted or 0) + step) % len(self.list.choices)

    def take(self) -> None:
        """Take the highlighted candidate, if it is there already."""
        if self.completion is not None and self.list.choice is not None:
            self.put(self.completion, self.list.choice.value)

    def meant(self) -> Candidate | None:
        """The candidate that is meant by Enter: none where the text is as good as it is."""
        if self.completion is None or self.list.choice is None:
            return None
        candidate: Candidate = self.list.choice.value
        typed = self._text[self.completion.start : self.completion.end]
        is_whole = not typed or self.completion.free or candidate.text == typed
        return None if is_whole and not self._moved else candidate

    def covers_folder(self) -> bool:
        """Whether the list stands where it is said what a mentioned folder would attach."""
        typed = self._text[self.completion.start : self.completion.end] if self.completion is not None else ""
        return typed.startswith("@") and typed.endswith("/")

    def on_choice_list_clicked(self, event: ChoiceList.Clicked) -> None:
        """Take what is clicked."""
        event.stop()
        if self.completion is not None:
            self.put(self.completion, event.choice.value)

    def on_resize(self, event: events.Resize) -> None:
        """The help has another width."""
        if event.size.width and self.list.choices:
            self._list([choice.value for choice in self.list.choices])

    def _show(self, completion: Completion | None) -> None:
        """Show another completion, or none."""
        self.completion, self._moved = completion, False
        self.workers.cancel_node(self)
        if completion is None:
            self._list(())
        elif callable(completion.candidates):
            self.list.outdate()
            work: Any = partial(self._find, completion, completion.candidates)
            self.run_worker(work)
        else:
            self._list(completion.candidates)

    async def _find(self, completion: Completion, find: Callable[[], Awaitable[Sequence[Candidate]]]) -> None:
        candidates = await find()
        if self.completion is completion:
            self._list(candidates)

    def _list(self, candidates: Sequence[Candidate]) -> None:
        if not candidates:
            self.completion = None
            self.display = False
            return
        self.display = True
        above = self.screen.query_one(Divider).region.y - 1
        self.styles.height = max(1, min(_ROWS, len(candidates), above))
        widest = max(cell_len(each.text.rstrip()) for each in candidates)
        room = (self.size.width or self.screen.size.width) - widest - _BESIDE

        def row(candidate: Candidate) -> Choice[Candidate]:
            help = (set_cell_size(shortened(candidate.help, room), room),) if room >= _LEAST_HELP else ()
            return Choice(candidate, candidate.text.rstrip(), help)

        self.list.show([row(each) for each in candidates], "")
