"""The message log: one Line-API widget for all messages, the live one included. Its rows are drawn on demand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message as UiMessage
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.markdown.copying import copied
from tui_chat.markdown.layout import CodeBlock
from tui_chat.messages import Message
from tui_chat.text.fold import words_of
from tui_chat.ui.look import Look
from tui_chat.ui.widgets.column import Column
from tui_chat.ui.widgets.cursor import MessageCursor
from tui_chat.ui.widgets.entry import Entry
from tui_chat.ui.widgets.entry_stack import EntryStack
from tui_chat.ui.widgets.finding import Finding
from tui_chat.ui.widgets.idle_layout import IdleLayout
from tui_chat.ui.widgets.scrolling import LineView, RowStrip, thin_scrollbar
from tui_chat.ui.widgets.selecting import ends_of, highlight, highlight_cells, paragraph_at, word_at
from tui_chat.ui.widgets.viewport import Viewport


class Transcript(LineView, can_focus=True, inherit_bindings=False):
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

    def __init__(
        self, look: Look, keys: Collection[str] = (), below: Callable[[int | None], None] = lambda _: None
    ) -> None:
        """`keys` act on the selected message; all other typed text is meant for the composer.

        `below`: see `Viewport`.
        """
        super().__init__()
        self._keys = keys
        self._typing = False
        """Whether keys go on to the composer, which is about to have the focus."""
        self.idle = IdleLayout(self)
        self.stack = EntryStack(look, self.idle.request)
        self.viewport = Viewport(self, self.stack, self.idle.request, below)
        self.steps = MessageCursor(self.stack, self.viewport, self.refresh)
        self.finding = Finding(self.stack, self.viewport, self.refresh)
        self.rendered = 0
        """Pictures of rows made so far, for the tests."""

    # What is shown

    @property
    def entries(self) -> Sequence[Entry]:
        """The messages from top to bottom."""
        return self.stack.entries

    def show(
        self, messages: Iterable[Message], versions: Mapping[str, tuple[int, int]] = MappingProxyType({})
    ) -> None:
        """Show these messages instead, from their end; `versions` are the `Entry.version`s by id."""
        self.stack.show(messages, versions)
        self.leave_step()
        self.viewport.follow()
        self.refresh()

    def add(self, message: Message, *, live: bool = False, version: tuple[int, int] | None = None) -> Entry:
        """Put a message below the others; a live one grows until it is finished."""
        entry = Entry(message, self.stack.entries, live=live, version=version)
        self.viewport.settle(new=self.stack.append(entry))
        return entry

    def drop_below(self, message: str | None) -> None:
        """Remove the entries after a message; all, if it is not there."""
        index = self.stack.index_of(message)
        if dropped := self.stack.cut(0 if index is None else index + 1):
            self.steps.cut()
            self.viewport.settle(new=-dropped)
            self.refresh()

    def changed(self, entry: Entry) -> None:
        """Redraw an entry whose head, pictures or end have changed."""
        if entry in self.stack.entries:  # else another chat is shown meanwhile
            index = self.stack.entries.index(entry)
            is_above = self.stack.heights.top(index + 1) <= self.scroll_offset.y
            growth = self.stack.renew(index)
            is_last = index + 1 == len(self.stack.entries)
            self.viewport.settle(shift=growth if is_above else 0, new=growth if is_last else 0)
            self.refresh()

    def grown(self) -> None:
        """Paint the new text of the live entry."""
        if self.stack.width and self.stack.entries:
            index = len(self.stack.entries) - 1
            if index not in self.stack.unfinished:
                self.stack.lay_out(index)
            self.viewport.update(index)

    def fold(self, entry: Entry, *, unfolded: bool) -> None:
        """Show or hide an entry's thinking, without moving the rows that the reader looks at."""
        if entry.unfolded == unfolded:
            return
        index = self.stack.entries.index(entry)
        old = self.stack.rows(index)
        row = self.scroll_offset.y - self.stack.heights.top(index)
        entry.unfolded = unfolded
        growth = self.stack.renew(index)
        if row > old.fold_row + (old.thoughts.height if old.thoughts else 0):
            self.viewport.settle(shift=growth)
        else:
            self.viewport.settle(shift=min(0, old.fold_row - row))
        self.refresh()

    def recolour(self, look: Look) -> None:
        """Show everything in another look."""
        self.stack.recolour(look)
        self.viewport.settle()
        self.refresh()

    def step_to(self, message: str, words: str = "") -> None:
        """Select a message, mark some words in it, and go to the first of them."""

        def step(index: int) -> None:
            self.steps.enter(index)
            self.finding.look_for(words_of(words))
            self.viewport.go(index, max(0, self.finding.first_in(index) - self.size.height // 3))

        self.viewport.reach(message, step)

    def leave_step(self) -> None:
        """Select nothing, and mark no words."""
        self.steps.leave()
        self.finding.look_for(())

    # What the view does

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scrollbar: without a thumb while the view follows the end."""
        return thin_scrollbar(self, lambda: not self.viewport.follows)

    def on_resize(self) -> None:
        """A new width lays everything out anew."""
        width, column, stack = self.scrollable_content_region.width, Column(*self.app.size), self.stack
        if (width, column.width, column.airy) == (stack.width, stack.column.width, stack.column.airy):
            self.viewport.settle()
        else:
            self.viewport.resize(width, column)
            self.steps.renew()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end, or stop following, after the reader has scrolled."""
        super().watch_scroll_y(old_value, new_value)
        if old_value != new_value:
            self.viewport.scrolled()

    def render_line(self, y: int) -> Strip:
        """A row of the view with the places that a selection goes by.

        What is painted has none: each would make a style of its own, of which Textual keeps thousands.
        """
        return self.picture(y).apply_offsets(0, self.scroll_offset.y + y)

    def picture(self, y: int) -> RowStrip:
        """A row of the view."""
        base, look = self.visual_style.rich_style, self.stack.look
        row, width = self.scroll_offset.y + y, self.stack.width
        if not width or row >= self.stack.height:
            return self.shown(Strip.blank(self.size.width, base))
        index, inner = self.stack.heights.find(row)
        rows = self.stack.rows(index)
        marked, selection = self.steps.marks(index, inner), self.text_selection
        found = self.finding.spans(index, inner)

        def draw(strip: Strip) -> RowStrip:
            self.rendered += 1
            return self.shown(strip.adjust_cell_length(width).apply_style(base))

        if not marked and selection is None and not found:
            return rows.picture(inner, base, draw)
        strip = rows.row(inner).strip().adjust_cell_length(width)
        for place in found:
            here = self.finding.at == (index, inner)
            strip = highlight(strip, place, look.found_here if here else look.found)
        for start, end in self.steps.places(index, inner):
            strip = highlight_cells(strip, start, end, look.found_here)
        if marked:
            strip = Strip.join([Strip([Segment("▎", look.user)]), strip.crop(1, width)])
        if selection is not None and (span := selection.get_span(row)) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            style = look.selected + Style(bgcolor=style.bgcolor, reverse=style.reverse)
            strip = highlight(strip, span, style)
        return draw(strip)

    # What the user does

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as its source has it: no hard breaks, gutters or borders."""
        if not self.stack.entries:
            return None
        return copied(self.stack, *ends_of(selection, self.stack)).strip("\n"), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002  Textual's signature
        """Redraw: the log paints its selection itself."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Act on a click on a link, a code block's hint or a fold; two clicks select a word, three a paragraph."""
        meta, row = event.style.meta, self.scroll_offset.y + event.y
        if event.chain > 1:
            event.stop()
            event.prevent_default()  # Textual selects everything
        index, _ = self.stack.heights.find(row)
        if href := meta.get("href"):
            self.post_message(self.Clicked(str(href)))
        elif (number := meta.get("copy")) and (answer := self.stack.rows(index).answer) is not None:
            self.post_message(self.Clicked(answer.code_blocks()[number - 1]))
        elif meta.get("picture"):
            self.post_message(self.Clicked(self.stack.entries[index].message))
        elif meta.get("fold"):
            entry = self.stack.entries[index]
            self.fold(entry, unfolded=not entry.unfolded)
        elif event.chain > 1 and row < self.stack.height:
            chosen = paragraph_at(self.stack, row) if event.chain > 2 else word_at(self.stack, row, event.x)
            self.screen.selections = {self: chosen} if chosen is not None else {}

    def on_key(self, event: events.Key) -> None:
        """Pass typed text on to the composer."""
        meant = self.steps.message is not None and event.key in self._keys
        if self._typing or (event.is_printable and event.character and not meant):
            self._typing = True  # until the composer has the focus: keys of one burst all come here
            event.stop()
            self.post_message(self.Typed(events.Key(event.key, event.character)))

    def on_blur(self) -> None:
        """The keys go elsewhere from now on."""
        self._typing = False
