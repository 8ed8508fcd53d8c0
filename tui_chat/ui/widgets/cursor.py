"""Stepping by key through messages, and the code blocks and links in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tui_chat.markdown.code import suffix_of
from tui_chat.messages import Message, Role
from tui_chat.ui.widgets.column import MARGIN
from tui_chat.ui.widgets.entry import Entry, EntryRows
from tui_chat.ui.widgets.entry_stack import EntryStack
from tui_chat.ui.widgets.viewport import Viewport


@dataclass(frozen=True, slots=True)
class Step:
    """One stop: rows of an entry, and what copying there copies."""

    first: int
    last: int
    what: str
    """Its name for a person: `the message`, `code block 2`, `link 1 of 3`."""
    text: str
    href: str = ""
    name: str = "reply"
    """A name for a file of it, without suffix."""
    suffix: str = ".md"
    places: tuple[tuple[int, int, int], ...] = ()
    """Of a link: rows, and from which cell to which it stands there."""


class MessageCursor:
    """The stop that the reader has selected, if any."""

    def __init__(self, stack: EntryStack, viewport: Viewport, refresh: Callable[[], object]) -> None:
        """`refresh` draws the log anew."""
        self._stack = stack
        self._viewport = viewport
        self._refresh = refresh
        self._at: tuple[int, int] | None = None
        """A message, and which of its stops."""
        self._marked: Step | None = None
        """That stop, as it was when it was selected."""

    @property
    def message(self) -> Message | None:
        """The message of the selected stop; None if nothing is selected."""
        return None if self._at is None else self._stack.entries[self._at[0]].message

    def enter(self, index: int) -> None:
        """Select a message."""
        self._at, self._marked = (index, 0), self._stops(index)[0]
        self._refresh()

    def leave(self) -> None:
        """Select nothing."""
        if self._at is not None:
            self._at = self._marked = None
            self._refresh()

    def cut(self) -> None:
        """Select nothing if the message of the selected stop is gone."""
        if self._at is not None and self._at[0] >= len(self._stack.entries):
            self.leave()

    def renew(self) -> None:
        """Find the selected stop among new rows."""
        if self._at is not None:
            self._marked = self.chosen()

    def move(self, direction: int) -> None:
        """Go to the next stop below (1) or above (-1); from nowhere, to the last message or its last stop."""
        last = len(self._stack.entries) - 1
        if last < 0:
            return
        if self._at is None:
            index, number = last, 0 if direction > 0 else len(self._stops(last)) - 1
        else:
            index, number = self._at[0], self._at[1] + direction
            if number < 0 and index > 0:
                index, number = index - 1, len(self._stops(index - 1)) - 1
            elif number >= len(self._stops(index)) and index < last:
                index, number = index + 1, 0
        stops = self._stops(index)
        number = max(0, min(number, len(stops) - 1))
        self._at, self._marked = (index, number), stops[number]
        self._viewport.reveal(index, stops[number].first)

    def chosen(self) -> Step | None:
        """The selected stop, else the last reply; None in an empty log."""
        if self._at is not None:
            stops = self._stops(self._at[0])
            return stops[min(self._at[1], len(stops) - 1)]
        last = max(self._replies(), default=None)
        return None if last is None else self._stops(last)[0]

    def code_block(self, number: int) -> Step | None:
        """A code block of the chat by its number."""
        before = (index for index in self._replies() if self._stack.entries[index].blocks < number)
        index = max(before, default=None)
        stops = () if index is None else self._stops(index)
        return next((stop for stop in stops if stop.what == f"code block {number}"), None)

    def marks(self, index: int, row: int) -> bool:
        """Whether a row of a message belongs to the selected stop."""
        if self._at is None or self._marked is None or self._at[0] != index:
            return False
        return self._marked.first <= row <= self._marked.last

    def places(self, index: int, row: int) -> tuple[tuple[int, int], ...]:
        """The cells of the selected link in a row."""
        if self._marked is None or not self.marks(index, row):
            return ()
        return tuple((start, end) for at, start, end in self._marked.places if at == row)

    def _replies(self) -> Iterator[int]:
        return (at for at, entry in enumerate(self._stack.entries) if entry.message.role is Role.ASSISTANT)

    def _stops(self, index: int) -> list[Step]:
        return _stops_of(self._stack.entries[index], self._viewport.rows_at(index))


def _stops_of(entry: Entry, rows: EntryRows) -> list[Step]:
    """The stops of a message from top to bottom: the message itself first."""
    last = max(rows.fold_row, rows.height - 1)
    name = "reply" if entry.message.role is Role.ASSISTANT else "prompt"
    stops = [Step(rows.fold_row - 1, last, "the message", entry.said, name=name)]
    if rows.answer is None:
        return stops
    top, links = rows.answer_row, rows.answer.links()
    for block in rows.answer.code_blocks():
        first, end, number = top + block.first_row, top + block.last_row, block.number
        what, name, suffix = f"code block {number}", f"code-{number}", suffix_of(block.language)
        stops.append(Step(first, end, what, block.source, name=name, suffix=suffix))
    for number, link in enumerate(links, 1):
        places = tuple((top + row, MARGIN + start, MARGIN + end) for row, start, end in link.places)
        what = f"link {number} of {len(links)}" if len(links) > 1 else "the link"
        stops.append(Step(places[0][0], places[-1][0], what, link.href, link.href, places=places))
    return sorted(stops, key=lambda stop: stop.first)
