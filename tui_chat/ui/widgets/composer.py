"""The composer: several lines, readline's keys, Enter sends."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from math import inf
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events, on
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Location

from tui_chat.text.sanitize import clean
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.slash import is_open, typed_as
from tui_chat.ui.completion import Candidate, Completion
from tui_chat.ui.widgets.completions import Completions
from tui_chat.ui.widgets.earlier import EarlierPrompts
from tui_chat.ui.widgets.field import LongField
from tui_chat.ui.widgets.folding import PASTED_LINES, FoldedTexts, can_unfold
from tui_chat.ui.widgets.quoting import Quotes

_PASTE_SECONDS: Final = 0.05
"""An Enter this soon after a paste was part of it: some terminals let an end-of-paste be forged."""


class Composer(LongField):
    """The prompt that is being written."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"composer--mark"}

    def __init__(
        self,
        keys: Keymap,
        completions: Completions,
        earlier: EarlierPrompts,
        send: Callable[[str], None],
        run: Callable[[str], None],
        unqueue: Callable[[], bool],
        pasted: Callable[[str, Location, Location], None],
    ) -> None:
        """`send` takes each prompt, `run` each shell command, `unqueue` brings the last waiting prompt back, if
        there is one, and `pasted` is told of each paste.

        They are called, and not sent messages: the next key may open another chat.
        """
        self._keys = keys
        self._folded = FoldedTexts(keys.hint("{unfold} unfolds"), keys.hint("{editor} edits"))
        self.quotes = Quotes(self, self._folded)
        self.completions = completions
        completions.put = self._complete
        self.earlier = earlier
        self._send = send
        self._run = run
        self._unqueue = unqueue
        self._tell_paste = pasted
        super().__init__(placeholder="Ask anything")
        self._pasted = -inf
        self.returned = ""
        """The text after one was put back last."""
        self._commands = keys.by_key(Scope.COMPOSER)
        self._completing = keys.by_key(Scope.COMPLETION)

    @property
    def text(self) -> str:
        """All that is written, long texts included. The cursor is at the end of a text that is set."""
        return self._folded.unfold(self.document.text)

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(self._folded.fold(value))
        self.move_cursor(self.document.end)
        self.completions.rest(self.document.text)

    def get_text_range(self, start: Location, end: Location) -> str:
        """The text between two places, long texts included."""
        return self._folded.unfold(super().get_text_range(start, end))

    def edit(self, edit: Edit) -> EditResult:
        """Replace a range by a text. A long one is folded; a label within which the range ends goes with it."""
        start = self._folded.beyond(self.document, edit.top, after=edit.top == edit.bottom)
        end = self._folded.beyond(self.document, edit.bottom)
        text = self._folded.fold(edit.text, beside=len(self.document.text))
        return super().edit(Edit(text, start, end, edit.maintain_selection_offset))

    def unfold(self) -> None:
        """Replace the label nearest to the cursor by its text, if keys stay quick with that."""
        text = self.document.text
        before = self.document.get_text_range((0, 0), self.cursor_location)
        if (span := self._folded.nearest(text, len(before))) is None:
            self.notify("No text is folded.", timeout=3)
            return
        label = text[slice(*span)]
        whole = self._folded.unfold(label)
        if not can_unfold(whole, beside=len(text)):
            self.notify(self._keys.hint("Too long to be edited here: {editor} opens your editor."), timeout=6)
            return
        self.history.checkpoint()
        super().edit(Edit(whole, self._place(span[0]), self._place(span[1]), maintain_selection_offset=False))
        self.history.checkpoint()
        self.quotes.unfolded(label, whole)

    def on_click(self) -> None:
        """A click on a label unfolds it."""
        row, column = self.cursor_location
        if self.selection.is_empty and self._folded.around(self.document.get_line(row), column):
            self.unfold()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows, the first one behind a mark."""
        strips = super().render_lines(crop)
        if strips and crop.x == crop.y == 0 and self.size.width:
            mark = Segment("❯ ", self.get_component_rich_style("composer--mark"))
            strips[0] = Strip.join([Strip([mark], 2), strips[0].crop(2)])
        return strips

    def render_line(self, y: int) -> Strip:
        """A row; Textual's own fails where there is no room for the placeholder."""
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(self.size.width)

    async def on_key(self, event: events.Key) -> None:
        """Carry out the composer's commands, and type what Textual would not."""
        # Not by bindings: they would run before the keys that were typed just before are in the text.
        self._look()
        completing = self._completing.get(event.key) if self.completions.completion is not None else None
        if (command := completing or self._commands.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            command.function(self.completions if completing else self)
        elif event.character and not event.is_printable and unicodedata.category(event.character) != "Cc":
            # Joiners, wide blanks, signs younger than Python's tables: `TextArea` would not take them for text.
            event.stop()
            event.prevent_default()
            self.replace(clean(event.character), *self.selection, maintain_selection_offset=False)

    def send(self) -> None:
        """Send the text, if there is any. After a backslash at the end of a line: a new line in its place."""
        if time.monotonic() - self._pasted < _PASTE_SECONDS:
            self.insert("\n")
            return
        row, column = self.cursor_location
        if self.cursor_at_end_of_line and self.document.get_line(row)[:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column))
            return
        self._look()
        if (meant := self.completions.meant()) is not None:
            self.completions.take()
            if meant.more:
                return
        elif self.completions.covers_folder() and self.completions.decline():
            return
        if command := self.quotes.command:
            self.delete((self.document.line_count - 1, 0), self.document.end)
            self._run(self._folded.unfold(command))
            return
        text = self.text.strip("\n")
        if is_open(text):
            self.insert("\n")
            self.notify('It is sent when a line ends with """', timeout=5)
            return
        if text.strip():
            self.clear()  # at once: what is typed from now on is the next prompt
            self._send(text)

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    def _look(self) -> None:
        """Show what completes the text at the cursor, as one types and moves."""
        before = self.document.get_text_range((0, 0), self.cursor_location)
        self.completions.look(self.document.text, len(before))

    def on_blur(self) -> None:
        """Nothing is typed here now."""
        self.completions.decline()

    def _complete(self, completion: Completion, candidate: Candidate) -> None:
        start, end = self._place(completion.start), self._place(completion.end)
        self.replace(candidate.text, start, end, maintain_selection_offset=False)
        self._look()

    def _place(self, index: int) -> Location:
        """The row and column of a character."""
        before = self.document.text[:index]
        return before.count("\n"), index - 1 - before.rfind("\n")

    def take_back(self, prompt: str) -> None:
        """Put a prompt back that was not sent after all, before the text typed since."""
        self.put_back(typed_as(prompt))

    def recall(self, prompt: str) -> None:
        """Insert an earlier prompt at the cursor."""
        self.insert(prompt if self.text else typed_as(prompt), maintain_selection_offset=False)
        self.completions.rest(self.document.text)

    def put_back(self, text: str) -> None:
        """Put a text back, before the text typed since."""
        self.insert(f"{text}\n" if self.text else text, (0, 0))
        self.returned = self.text
        self.completions.rest(self.document.text)

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; from the first row to an earlier prompt that begins with what is typed.

        In an empty composer to the last waiting prompt, or to the last one of this chat.
        """
        if not select and not self.text and self._unqueue():
            return
        if select or not self._recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; from a prompt that was recalled, to the prompt after."""
        if select or not self._recall(1):
            super().action_cursor_down(select)

    def _recall(self, step: int) -> bool:
        """Show the prompt before or after; whether there is one, one before is looked for, or the cursor stays."""
        text, is_first = self.text, self.navigator.is_first_wrapped_line(self.cursor_location)
        if not self.earlier.recalled(text):
            if step > 0 or not is_first:
                return False
            if text and not self.earlier.shows(text):
                self.run_worker(self._look_back(text), group="earlier", exclusive=True)
                return True
            if not text:
                self.earlier.begin("")
        wanted = self.earlier.step(step)
        if wanted is None:  # at its end a row stays as it is, to be typed on
            return step < 0 and is_first and self.cursor_location == self.document.end
        self.text = wanted
        return True

    async def _look_back(self, typed: str) -> None:
        """Show the last prompt that begins with what is typed, unless that has changed meanwhile."""
        await self.earlier.search(typed)
        if self.text == typed and not self._recall(-1):
            super().action_cursor_up()

    def action_cursor_line_start(self, select: bool = False) -> None:
        """Home; in an empty composer it is the log's."""
        if self.text:
            super().action_cursor_line_start(select)
        else:
            self._keys.commands["top"].function(self.screen)

    def action_cursor_line_end(self, select: bool = False) -> None:
        """End; in an empty composer it is the log's."""
        if self.text:
            super().action_cursor_line_end(select)
        else:
            self._keys.commands["follow"].function(self.screen)

    async def _on_paste(self, event: events.Paste) -> None:
        self._pasted = time.monotonic()
        event.stop()
        event.prevent_default()
        text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        start = min(self.selection)
        await super()._on_paste(events.Paste(self._folded.fold(text, lines=PASTED_LINES)))
        self._tell_paste(text, start, self.cursor_location)
