"""The message log: one Line-API widget for all messages, the live one included.

Finished messages keep their source and height; rows are rendered on demand and kept in a bounded cache.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message as UiMessage
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.markdown import CodeBlock, Row, copied
from tui_chat.messages import Message
from tui_chat.text.fold import words_of
from tui_chat.ui.look import Look
from tui_chat.ui.widgets.column import Column
from tui_chat.ui.widgets.cursor import MessageCursor
from tui_chat.ui.widgets.entry import Entry, EntryRows
from tui_chat.ui.widgets.finding import Finding
from tui_chat.ui.widgets.lines import RowStrip
from tui_chat.ui.widgets.selecting import ends_of, highlight, highlight_cells, paragraph_at, word_at
from tui_chat.ui.widgets.virtual_list import VirtualList

_CACHED: Final = 48
"""Entries whose rows are kept; a screen shows fewer."""
_PICTURES: Final = 128
"""Rows whose pictures are kept at least; most screens show fewer."""
_PIECES: Final = 4
"""Pieces of a message that are laid out at once in any case: most messages are no longer."""
_PATIENCE: Final = 0.01
"""Seconds for which more of them are; five times as much of both where a place in the message is looked for."""
_FAR: Final = 1000
"""Rows of a message from which on a resize finds the reader's place by rows and no more by characters."""


class Transcript(VirtualList, can_focus=True, inherit_bindings=False):
    """All messages of a chat. Its keys are commands of the screen."""

    DEFAULT_CSS = "Transcript { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"
    FOCUS_ON_CLICK = False
    ALLOW_SELECT = True

    class Clicked(UiMessage):
        """A link, the copy hint of a code block, or a picture was clicked. Links never open by themselves."""

        def __init__(self, target: str | CodeBlock | Message) -> None:
            """`target`: where the link leads, the block, or the message with the picture."""
            super().__init__()
            self.target = target

    class Typed(UiMessage):
        """A key was pressed here that is meant for the composer."""

        def __init__(self, key: events.Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self, look: Look, keys: Collection[str] = (), *, id: str | None = None) -> None:
        """`keys` act on the selected message; all other typed text is meant for the composer."""
        super().__init__(id=id)
        self._look = look
        self._keys = keys
        self._entries: list[Entry] = []
        self._rows: OrderedDict[int, EntryRows] = OrderedDict()
        self._pictures: dict[int, tuple[Strip, Style, RowStrip]] = {}
        """By row: the strip that its picture was made from, on which style, and the picture."""
        self._anchor: tuple[int, int, int, int] | None = None
        """The reader's place before the last resize, until somebody scrolls: see `_character_at_top`."""
        self._wish: Callable[[], None] | None = None
        """The jump to make once the width is known."""
        self._typing = False
        """Whether keys go on to the composer, which is about to have the focus."""
        self._column = Column(0, 0)
        self.steps = MessageCursor(self)
        self.finding = Finding(self)
        self.rendered = 0
        """Pictures of rows made so far, for the tests."""

    # What is shown

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The messages from top to bottom."""
        return tuple(self._entries)

    def show(
        self, messages: Iterable[Message], versions: Mapping[str, tuple[int, int]] = MappingProxyType({})
    ) -> None:
        """Show these messages instead, from their end; `versions` are the `Entry.version`s by id."""
        self._entries = []
        for message in messages:
            self._entries.append(Entry(message, self._entries, version=versions.get(message.id)))
        self._rows.clear()
        self._wish = None
        self.leave_step()
        self.follows = True
        self._relay(len(self._entries))

    def add(self, message: Message, *, live: bool = False, version: tuple[int, int] | None = None) -> Entry:
        """Put a message below the others; a live one grows until it is finished."""
        entry = Entry(message, self._entries, live=live, version=version)
        self._entries.append(entry)
        self._append()
        return entry

    def drop_below(self, message: str | None) -> None:
        """Remove the entries after a message; all, if it is not there."""
        kept = 0 if (index := _index_of(message, self._entries)) is None else index + 1
        while len(self._entries) > kept:
            self._entries.pop()
            self._rows.pop(len(self._entries), None)
            self._pop()

    def changed(self, entry: Entry) -> None:
        """Redraw an entry whose head, fold or end has changed."""
        if entry not in self._entries:  # another chat is shown meanwhile
            return
        index = self._entries.index(entry)
        self._renew(index)
        self._measure(index, anew=True)
        self._settle()
        self.refresh()

    def grown(self) -> None:
        """Paint the new text of the live entry."""
        if self._width and self._entries:
            index = len(self._entries) - 1
            if index not in self._unfinished:
                self._lay_out(index, self._rows_of(index))
            self.paint_more(index)

    def paint_more(self, index: int) -> None:
        """Update an entry's height, and paint its new rows."""
        rows = self._rows_of(index)
        first, before = rows.take_changes(), self.scroll_offset.y
        above = self._heights.top(index + 1) <= before
        growth = self._measure(index, anew=True)
        if not self._entries[index].live:
            self._left_at += growth
        self._settle(shift=growth if above else 0)
        if growth < 0 or (growth and index + 1 < len(self._entries)):
            self.refresh()
        elif self.scroll_offset.y == before:
            top = self._heights.top(index)
            start, stop = max(top + first, before), min(top + rows.laid_out, before + self.size.height)
            if start < stop:
                self.refresh_lines(start, stop - start)

    def fold(self, entry: Entry, *, unfolded: bool) -> None:
        """Show or hide an entry's thinking, without moving the rows that the reader looks at."""
        if entry.unfolded == unfolded:
            return
        index = self._entries.index(entry)
        old = self._rows_of(index)
        row = self.scroll_offset.y - self._heights.top(index)
        entry.unfolded = unfolded
        self._renew(index)
        growth = self._measure(index, anew=True)
        self._left_at += growth  # nothing new has come
        if row > old.fold_row + old.fold_height:
            self._settle(shift=growth)
        elif row > old.fold_row:
            self._settle(shift=old.fold_row - row)
        else:
            self._settle()
        self.refresh()

    @property
    def look(self) -> Look:
        """The colours."""
        return self._look

    @look.setter
    def look(self, look: Look) -> None:
        self._look = look
        self._rows.clear()
        self.refresh()

    # Where the reader is

    def step_to(self, message: str, words: str = "") -> None:
        """Select a message, mark some words in it, and go to the first of them."""
        index = _index_of(message, self._entries)
        if index is None:
            return
        if not self._width:  # which row the words are in is not known yet
            self._wish = partial(self.step_to, message, words)
            return
        self.steps.enter(index)
        self.finding.look_for(words_of(words))
        self.go(index, max(0, self.finding.first_in(index) - self.size.height // 3))

    def leave_step(self) -> None:
        """Select nothing, and mark no words."""
        self.steps.leave()
        self.finding.look_for(())

    def return_to(self, message: str, row: int) -> None:
        """Go to where `place` was."""
        if not self._width:
            self._wish = partial(self.return_to, message, row)
        elif (index := _index_of(message, self._entries)) is not None:
            self.rows_at(index)
            self.go(index, row)

    def on_resize(self) -> None:
        """A new width lays everything out anew around the character at the top of the view."""
        width, column = self.scrollable_content_region.width, Column(*self.app.size)
        if (width, column.width, column.airy) == (self._width, self._column.width, self._column.airy):
            self._settle()
            return
        reading = self._width and self._entries and not self.follows
        anchor = (self._anchor or self._character_at_top()) if reading else None
        self._width, self._column = width, column
        self._rows.clear()
        self._relay(len(self._entries))
        self.steps.renew()
        if anchor is not None:
            self._return_to(anchor)
        wish, self._wish = self._wish, None
        if wish is not None:
            wish()

    def _return_to(self, anchor: tuple[int, int, int, int]) -> None:
        """Go to the character that was at the top of the view; about there, while its row is not known."""
        index, row, characters, before = anchor
        _, rows = self.rows_at(index)
        if index in self._unfinished or row > _FAR:
            row = row * before // self._width
        elif characters:
            row = _row_of_character(rows, characters)
        self.go(index, row)
        self._anchor = anchor  # another width finds the same character, not the first one of this row

    def finished(self, index: int) -> None:
        """A long message is laid out to its end: now the reader's row in it is known."""
        if self._anchor is not None and self._anchor[0] == index:
            self._return_to(self._anchor)

    def _look_where(self) -> None:
        self._anchor = None
        super()._look_where()

    def _character_at_top(self) -> tuple[int, int, int, int]:
        """Message, row, characters above the row in the message (0 where these are many), and width."""
        index, row = self.place()
        rows = self._rows_of(index)
        above = 0 if row > _FAR else sum(_letters(rows, y) for y in range(min(row, rows.height)))
        return index, row, above, self._width

    # Rows

    def estimated_height(self, index: int) -> int:
        """About how many rows a message takes."""
        return self._entries[index].estimate(self._width, self._column)

    def measured_height(self, index: int) -> int:
        """How many rows a message takes."""
        return self._rows_of(index).height

    def rows_at(self, index: int) -> tuple[Entry, EntryRows]:
        """A message and its rows, measured; all of them, unless these are too many to wait for."""
        rows = self._rows_of(index)
        if index in self._unfinished:
            self._lay_out(index, rows, times=5)
            self.paint_more(index)
        self._measure(index)
        return self._entries[index], rows

    def _renew(self, index: int) -> None:
        """Make a message's rows anew, but for its Markdown, which may be long."""
        if (rows := self._rows.get(index)) is not None:
            rows = self._rows[index] = rows.anew()
            self._lay_out(index, rows)

    def _lay_out(self, index: int, rows: EntryRows, *, times: int = 1) -> None:
        """Lay out a message as far as a key can wait for it; idle moments do the rest."""
        until = time.monotonic() + _PATIENCE * times
        pieces = 0
        while rows.advance():
            pieces += 1
            if pieces >= _PIECES * times and time.monotonic() > until:
                self._unfinished.add(index)
                self._await_idleness()
                return
        self._unfinished.discard(index)

    def measure_more(self, index: int) -> bool:
        """Lay out a piece more of a message; whether there is more of it."""
        return self._rows_of(index).advance()

    def _rows_of(self, index: int) -> EntryRows:
        rows = self._rows.get(index)
        if rows is None:
            rows = EntryRows(self._entries[index], self._width, self._look, self._column, first=index == 0)
            self._rows[index] = rows
            while len(self._rows) > _CACHED:
                oldest, _ = self._rows.popitem(last=False)
                self._entries[oldest].forget()
                if oldest in self._unfinished:
                    self._unfinished.remove(oldest)
                    self._unmeasured.add(oldest)
            self._lay_out(index, rows)
        else:
            self._rows.move_to_end(index)
        return rows

    def render_line(self, y: int) -> Strip:
        """A row of the view with the places that a selection goes by.

        What is painted has none: each would make a style of its own, of which Textual keeps thousands.
        """
        return self.picture(y).apply_offsets(0, self.scroll_offset.y + y)

    def picture(self, y: int) -> RowStrip:
        """A row of the view."""
        base = self.visual_style.rich_style
        row = self.scroll_offset.y + y
        if not self._width or row >= self._heights.total:
            return self.shown(Strip.blank(self.size.width, base))
        index, inner = self._heights.find(row)
        rows = self._rows_of(index)
        try:
            strip = rows.strip(inner)
        except IndexError:  # the message has become shorter, and nobody has asked for its height yet
            strip = Strip.blank(0)
        marked, selection = self.steps.marks(index, inner), self.text_selection
        found = self.finding.spans(index, strip.text) if inner >= rows.answer_row else ()
        if not marked and selection is None and not found:
            return self._plain(row, strip, base)
        self.rendered += 1
        strip = strip.adjust_cell_length(self._width)
        for place in found:
            here = self.finding.is_at(index, inner)
            strip = highlight(strip, place, self._look.found_here if here else self._look.found)
        for start, end in self.steps.places(index, inner):
            strip = highlight_cells(strip, start, end, self._look.found_here)
        if marked:
            strip = Strip.join([Strip([Segment("▎", self._look.mark)]), strip.crop(1, self._width)])
        if selection is not None and (span := selection.get_span(row)) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            style = self._look.selected + Style(bgcolor=style.bgcolor, reverse=style.reverse)
            strip = highlight(strip, span, style)
        return self.shown(strip.apply_style(base))

    def _plain(self, row: int, strip: Strip, base: Style) -> RowStrip:
        """A row on which nothing is marked."""
        known = self._pictures.get(row)
        if known is not None and known[0] is strip and known[1] == base and known[2].cell_length == self._width:
            return known[2]
        self.rendered += 1
        picture = self.shown(strip.adjust_cell_length(self._width).apply_style(base))
        while len(self._pictures) >= max(_PICTURES, 2 * self.size.height):
            del self._pictures[next(iter(self._pictures))]
        self._pictures[row] = (strip, base, picture)
        return picture

    @property
    def height(self) -> int:
        """All rows, measured or not."""
        return self._heights.total

    def row(self, y: int) -> Row:
        """A row of the whole transcript, with what is needed to copy from it."""
        index, inner = self._heights.find(y)
        rows = self._rows_of(index)
        return rows.row(inner) if inner < rows.height else Row(())

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as its source has it: no hard breaks, gutters or borders."""
        if not self._entries:
            return None
        return copied(self, *ends_of(selection, self)).strip("\n"), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002  Textual's signature
        """Redraw: the log paints its selection itself."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Act on a click on a link, a code block's hint or a fold; two clicks select a word, three a paragraph."""
        meta = event.style.meta
        if event.chain > 1:
            event.stop()
            event.prevent_default()  # Textual selects everything
        index, _ = self._heights.find(self.scroll_offset.y + event.y)
        if href := meta.get("href"):
            self.post_message(self.Clicked(str(href)))
        elif (number := meta.get("copy")) and (answer := self._rows_of(index).answer) is not None:
            self.post_message(self.Clicked(answer.code_blocks()[number - 1]))
        elif meta.get("picture"):
            self.post_message(self.Clicked(self._entries[index].message))
        elif meta.get("fold"):
            entry = self._entries[index]
            self.fold(entry, unfolded=not entry.unfolded)
        elif event.chain > 1:
            self._select_around(event.x, self.scroll_offset.y + event.y, whole=event.chain > 2)

    def _select_around(self, cell: int, row: int, *, whole: bool) -> None:
        if row < self.height:
            chosen = paragraph_at(self, row) if whole else word_at(self, row, cell)
            self.screen.selections = {self: chosen} if chosen is not None else {}

    def on_key(self, event: events.Key) -> None:
        """Pass typed text on to the composer."""
        meant = self.steps.active and event.key in self._keys
        if self._typing or (event.is_printable and event.character and not meant):
            self._typing = True  # until the composer has the focus: keys of one burst all come here
            event.stop()
            self.post_message(self.Typed(events.Key(event.key, event.character)))

    def on_blur(self) -> None:
        """The keys go elsewhere from now on."""
        self._typing = False


def _index_of(message: str | None, entries: Sequence[Entry]) -> int | None:
    return next((index for index, entry in enumerate(entries) if entry.message.id == message), None)


def _letters(rows: EntryRows, y: int) -> int:
    return sum(not character.isspace() for character in rows.row(y).text)


def _row_of_character(rows: EntryRows, characters: int) -> int:
    for y in range(rows.height):
        characters -= _letters(rows, y)
        if characters < 0:
            return y
    return max(0, rows.height - 1)
