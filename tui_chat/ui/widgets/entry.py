"""One message of the transcript as rows: name, thinking, text, files, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_chat.markdown.document import Document, count_fences
from tui_chat.markdown.draw import PROSE, Row, Rows
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.wrap import Piece, wrap
from tui_chat.messages import Message, Role, State
from tui_chat.parts import File, Image
from tui_chat.text.figures import duration, size
from tui_chat.ui.look import Look
from tui_chat.ui.phrases import ending, heading, shortened
from tui_chat.ui.widgets.column import MARGIN, Column
from tui_chat.ui.widgets.rows import FixedRows, Indented
from tui_chat.ui.widgets.scrolling import RowStrip

_PICTURES: Final = 128
"""Rows of a message whose pictures are kept: they weigh some kilobytes each, and few screens show more."""


@dataclass(slots=True, eq=False)
class Entry:
    """A message and how it is shown. While it is live its documents grow; afterwards they are made on demand."""

    message: Message
    before: InitVar[Sequence[Entry]] = ()
    live: bool = False
    version: tuple[int, int] | None = None
    """Its number among the versions of this message, and their count."""
    blocks: int = field(default=0, init=False)
    """Code blocks in the replies before it."""
    unfolded: bool = field(default=False, init=False)
    """Whether the thinking is shown."""
    thought_seconds: float | None = None
    pictures: Mapping[str, Rows] = field(default_factory=dict)
    """Its pictures that are shown, by digest."""
    _answer: Document | None = field(default=None, init=False)
    _thoughts: Document | None = field(default=None, init=False)

    def __post_init__(self, before: Sequence[Entry]) -> None:
        self.unfolded = self.live
        if before:
            last = before[-1]
            self.blocks = last.blocks + (count_fences(last.said) if last.message.role is Role.ASSISTANT else 0)

    @property
    def answer(self) -> Document:
        """The answer's Markdown."""
        if self._answer is None:
            self._answer = Document(self.message.text, growing=self.live, blocks=self.blocks)
        return self._answer

    @property
    def thoughts(self) -> Document:
        """The thinking's Markdown."""
        if self._thoughts is None:
            self._thoughts = Document(self.message.thinking, growing=self.live)
        return self._thoughts

    @property
    def said(self) -> str:
        """The answer's source so far."""
        return self.message.text if self._answer is None else self._answer.source

    @property
    def has_thoughts(self) -> bool:
        """Whether the model thought."""
        return bool(self._thoughts.source if self._thoughts else self.message.thinking)

    def restart(self, text: str) -> None:
        """Replace the answer by `text`."""
        self._answer = Document(text, growing=self.live, blocks=self.blocks)

    def become(self, message: Message, *, live: bool = False) -> None:
        """Show the message as it is now: `live` lets it grow again, else its growth ends."""
        self.message, self.live = message, live
        for document in filter(None, (self._answer, self._thoughts)):
            document.growing = live

    def forget(self) -> None:
        """Drop the documents: they can be made again."""
        if not self.live:
            self._answer = self._thoughts = None

    def estimate(self, width: int, column: Column) -> int:
        """About how many rows it takes: for the scrollbar, until it is measured."""
        text, air = self.said, column.airy and self.message.role is Role.ASSISTANT
        return 3 + air + len(self.message.files) + text.count("\n") + len(text) // max(20, min(PROSE, width))


class EntryRows:
    """The rows of an entry at one width in one look."""

    def __init__(
        self, entry: Entry, width: int, look: Look, column: Column, *, first: bool, before: EntryRows | None = None
    ) -> None:
        """`before`: the rows as they were, whose Markdown is not laid out again."""
        self._laid_out: dict[Document, Layout] = before._laid_out if before is not None else {}
        self._pictures: dict[int, tuple[Style, RowStrip]] = {}
        self._live = entry.live
        self._whole = False
        self._reached = entry.estimate(width, column)
        self.answer: Layout | None = None
        self.thoughts: Layout | None = None
        inner = max(8, width - 2 * MARGIN + 1)
        gap, is_reply = FixedRows.silent(()), entry.message.role is Role.ASSISTANT
        air = [gap] if column.airy else []
        blocks = self._blocks = list[Rows]() if first else list[Rows]((gap,))

        def beside(rows: Rows, *mark: Segment) -> Rows:
            if is_reply:
                return Indented(rows, [Segment(" " * MARGIN), *mark])
            return Indented(rows, [Segment("▌ ", look.user)], (min(width, column.width), look.prompt))

        blocks.append(beside(_head(entry, look, inner)))
        self.fold_row = sum(block.height for block in blocks)
        """The row of the line that folds the thinking, if there is any."""
        if entry.has_thoughts:
            blocks.append(beside(_fold(entry, look, inner)))
            if entry.unfolded:
                self.thoughts = self._layout(entry.thoughts, inner - 2, look.thinking, "")
                blocks.append(beside(self.thoughts, Segment("┊ ", look.dim)))
        blocks += [gap] if entry.has_thoughts and entry.said else air if is_reply else []
        self._above = tuple(blocks)
        if is_reply:
            self.answer = self._layout(entry.answer, inner, look.markdown, look.copies)
            blocks.append(beside(self.answer))
        elif entry.message.text or not entry.message.files:
            blocks.append(beside(FixedRows.plain(entry.message.text, min(inner, PROSE), look.text)))
        for file in entry.message.files:
            picture = entry.pictures.get(file.blob.digest)
            blocks += [beside(_file(file, look, inner, shown=picture is not None))]
            blocks += [beside(picture)] if picture is not None else []
        if (foot := _foot(entry, look, inner)).height:
            blocks += [gap, beside(foot)] if entry.said else [beside(foot)]

    def _layout(self, document: Document, width: int, palette: Palette, copies: str) -> Layout:
        layout = self._laid_out.get(document)
        if layout is None:
            layout = self._laid_out[document] = Layout(document, width, palette, copies=copies, by_pieces=True)
        return layout

    def advance(self) -> bool:
        """Lay out a piece more of the Markdown: some milliseconds. Whether there is more to do."""
        if any(layout is not None and layout.advance() for layout in (self.thoughts, self.answer)):
            return True
        self._reached = self._reached if self._live and self._whole else 0
        self._whole = True
        return False

    @property
    def height(self) -> int:
        """How many rows there are; about, until all is laid out.

        A live entry gets no shorter: where a link's address or a mark of emphasis has gone, the rows that it took
        stay blank until there is text for them, and nothing above moves down and up again.
        """
        return max(self.laid_out, self._reached)

    @property
    def laid_out(self) -> int:
        """How many of them are there already."""
        return sum(block.height for block in self._blocks)

    @property
    def answer_row(self) -> int:
        """The first row of the text."""
        return sum(block.height for block in self._above)

    def take_changes(self) -> int:
        """The first row that is not what it was when this was last asked."""
        first = self.height
        if self.answer is not None and (row := self.answer.take_changed()) is not None:
            first = self.answer_row + row
        if self.thoughts is not None and (row := self.thoughts.take_changed()) is not None:
            first = min(first, self.fold_row + 1 + row)
        for y in [y for y in self._pictures if y >= first]:
            del self._pictures[y]
        if self._live:
            self._reached = self.height
        return first

    def picture(self, y: int, ground: Style, draw: Callable[[Strip], RowStrip]) -> RowStrip:
        """The picture of row `y` on a ground, drawn once; the same object while nothing changes."""
        kept = self._pictures.get(y)
        if kept is None or kept[0] != ground:
            if len(self._pictures) >= _PICTURES:
                del self._pictures[next(iter(self._pictures))]
            kept = self._pictures[y] = ground, draw(self.row(y).strip())
        return kept[1]

    def row(self, y: int) -> Row:
        """Row `y` with what is needed to copy from it."""
        for block in self._blocks:
            if y < (height := block.height):
                return block.row(y)
            y -= height
        return Row((), source="")


def _head(entry: Entry, look: Look, width: int) -> Rows:
    name, figures = heading(entry.message, entry.version)
    style = look.user if entry.message.role is Role.USER else look.assistant
    figures = f" · {figures}" if figures and not entry.live else ""
    if cell_len(name + figures) > width:  # one row, as while it was live: nothing jumps at the end
        figures = ""
    return _aside([(shortened(name, width), style), (figures, look.dim)], width)


def _fold(entry: Entry, look: Look, width: int) -> Rows:
    arrow = "▾" if entry.unfolded else "▸"
    usage = entry.message.usage
    seconds = usage.thinking_seconds if usage and entry.thought_seconds is None else entry.thought_seconds
    words = f"thought for {duration(seconds)}" if seconds is not None else "thinking" if entry.live else "thought"
    return _aside([(f"{arrow} {words}", look.dim + Style.from_meta({"fold": True}))], width)


def _file(file: Image | File, look: Look, width: int, *, shown: bool) -> Rows:
    told = " · ".join(filter(None, (file.mime, size(file.blob.size))))
    pieces = [(f"▪ {file.name or 'a file without a name'}", look.text), (f" · {told}", look.dim)]
    if isinstance(file, Image):
        pieces.append((f" · {'hide' if shown else 'show'}", look.dim + Style.from_meta({"picture": True})))
    return _aside(pieces, width)


def _foot(entry: Entry, look: Look, width: int) -> Rows:
    message = entry.message
    if entry.live or not (said := ending(message)):
        return FixedRows.silent()
    style = look.error if message.state is State.FAILED else look.warning
    mark = {State.STOPPED: "■", State.FAILED: "✗"}.get(message.state, "…")
    return _aside([(f"{mark} {said}", style), (f" · {message.error}" if message.error else "", look.dim)], width)


def _aside(pieces: list[Piece], width: int) -> Rows:
    """Rows about a message, wrapped."""
    lines = wrap([piece for piece in pieces if piece[0]], width)
    return FixedRows.silent(*(line.segments() for line in lines))
