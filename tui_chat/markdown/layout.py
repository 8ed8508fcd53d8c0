"""The rows of a document at one width: heights for all of it, rows for what is looked at.

Each unit leaves its height and the state that the next one is drawn from. Rows are drawn when they are asked for
and kept for a while. When the document has grown, only its former tail is drawn again. Units whose columns or link
addresses have changed become stale, and are measured again piece by piece.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from rich.cells import cell_len
from textual.strip import Strip

from tui_chat.markdown.document import PIECE, Document, labels_of
from tui_chat.markdown.draw import NOTHING, Painter, Row, State
from tui_chat.markdown.grids import Grids
from tui_chat.markdown.heights import Heights
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import CodeLine, CodeStart, Definition, Run, TableRow, Text, Unit
from tui_chat.text.overlap import common

KEPT_ROWS: Final = 600
"""Rows that are kept drawn."""
_UNIT: Final = 40
"""The fixed cost of drawing a unit, in characters."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fence: its number as it is shown, its rows (the last one included), its language and its code."""

    number: int
    first_row: int
    last_row: int
    language: str
    source: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its text, where it leads, and where it is shown."""

    text: str
    href: str
    places: tuple[tuple[int, int, int], ...]
    """Rows, and from which cell to which it stands there: several where it wraps."""


class Layout:
    """Rows of a document; up to date with it whenever it is asked for anything.

    Args:
        width: cells of a row, at least 8.
        copies: the hint on a code block's first row that copies it; `{number}` stands for its number.
        by_pieces: up to date only as far as `advance` was called.
    """

    def __init__(
        self, document: Document, width: int, palette: Palette, *, copies: str = "", by_pieces: bool = False
    ) -> None:
        self._document = document
        self._by_pieces = by_pieces
        self._painter = Painter(width, palette, document.references, copies)
        self._version = 0
        self._settled = 0
        self._tail: list[Unit] = []  # the units after the settled ones
        self._after: list[State] = []  # what each unit leaves to the next
        self._heights = Heights()
        self._stale: dict[int, None] = {}
        self._defined = 0
        self._on_trial: Mapping[str, str] = {}
        self._drawn: OrderedDict[int, list[Row]] = OrderedDict()
        self._kept = 0
        self._grids = Grids(self._painter)
        self._changed: int | None = None

    @property
    def height(self) -> int:
        """Rows in all."""
        self._sync()
        return self._heights.total

    def take_changed(self) -> int | None:
        """The first row that is not what it was when this was last asked; None if all are."""
        self._sync()
        changed, self._changed = self._changed, None
        return changed

    def strip(self, y: int) -> Strip:
        """Row `y` as it is shown, not padded; links carry `href` in their meta.

        Raises:
            IndexError: there is no such row.
        """
        return self.row(y).strip()

    def row(self, y: int) -> Row:
        """Row `y` with what is needed to copy from it.

        Raises:
            IndexError: there is no such row.
        """
        self._sync()
        if not 0 <= y < self._heights.total:
            raise IndexError(y)
        index, offset = self._heights.find(y)
        rows = self._rows_of(index)
        return rows[offset] if offset < len(rows) else Row(())  # while it is stale

    def code_blocks(self) -> list[CodeBlock]:
        """The code blocks, in order; one that is still open ends with the document."""
        self._sync()
        units = enumerate(self._units())
        return [self._code_block(index, unit, units) for index, unit in units if isinstance(unit, CodeStart)]

    def links(self) -> list[Link]:
        """The links, in order; draws the units that may hold one."""
        self._sync()
        links: list[Link] = []
        for index, unit in enumerate(self._units()):
            if self._heights[index] and _may_link(unit):
                links += self._links_in(index)
        return links

    # Following the document

    def advance(self) -> bool:
        """Follow the document by a piece: some milliseconds. Whether there is more to do."""
        document = self._document
        if document.version == self._version:
            document.read()
        if document.version != self._version:
            self._follow()
            if document.version != self._version or not document.is_read:
                return True
        room = PIECE
        while self._stale and room > 0:
            room -= self._measure_again(next(iter(self._stale)))
        return bool(self._stale)

    def _sync(self) -> None:
        document = self._document
        if not self._by_pieces and (self._stale or not document.is_read or document.version != self._version):
            while self.advance():
                pass

    def _follow(self) -> None:
        """Lay out a piece of the units settled since, and the document's tail after the last of them."""
        document = self._document
        relinked = self._follow_references()
        wanted, room, stop = list[Unit](), PIECE, self._settled
        while room > 0 and stop < len(document.units):
            wanted.append(document.units[stop])
            room -= _size(wanted[-1])
            stop += 1
        tail = document.tail if stop == len(document.units) else []
        wanted += tail
        same = 0 if relinked else common(wanted, self._tail)
        first, self._settled, self._tail = self._settled + same, stop, tail
        self._replace(first, wanted[same:])
        if stop == len(document.units):
            self._version = document.version

    def _replace(self, first: int, units: list[Unit]) -> None:
        """Replace the units from index `first` on."""
        old_height = self._heights.total
        old = self._drawn.get(first)
        while len(self._after) > first:
            self._after.pop()
            self._heights.pop()
            self._forget(len(self._after))
            self._stale.pop(len(self._after), None)
        self._reshape(first, units)
        for offset, unit in enumerate(units):
            self._grids.begin(first + offset, units[offset:])
            rows, after = self._draw(unit, self._before(first + offset))
            self._after.append(after)
            self._heights.append(len(rows))
            self._keep(first + offset, rows)
        equal = common(old, self._drawn.get(first, ())) if old else 0
        top = self._heights.top(first)
        if top + equal < max(old_height, self._heights.total):
            self._change(top + equal)

    def _unit(self, index: int) -> Unit:
        return self._document.units[index] if index < self._settled else self._tail[index - self._settled]

    def _units(self) -> Iterator[Unit]:
        return (self._unit(index) for index in range(len(self._after)))

    def _before(self, index: int) -> State:
        return self._after[index - 1] if index else NOTHING

    def _draw(self, unit: Unit, before: State) -> tuple[list[Row], State]:
        return self._painter.draw(unit, before, self._grids.columns_of(unit))

    def _measure_again(self, index: int) -> int:
        """Measure a stale unit; what depends on it becomes stale if it changes. Returns the unit's size."""
        del self._stale[index]
        unit = self._unit(index)
        self._forget(index)
        rows, after = self._draw(unit, self._before(index))
        self._heights.set(index, len(rows))
        self._change(self._heights.top(index))
        if after != self._after[index]:
            self._after[index] = after
            follower = self._unit(index + 1) if index + 1 < len(self._after) else None
            if follower is not None:
                self._stale[index + 1] = None
            if isinstance(unit, Run) and not (isinstance(follower, Run) and follower.run == unit.run):
                self._reshape(index + 1, [])
        return _size(unit)

    def _change(self, row: int) -> None:
        self._changed = row if self._changed is None else min(row, self._changed)

    # Tables and panels

    def _reshape(self, first: int, units: list[Unit]) -> None:
        """Fit the columns of the table or code block that stands before slot `first` to its rows in `units`."""
        last = self._unit(first - 1) if first else None
        change = self._grids.go_on(last, self._before(first), units)
        if change is None:
            return
        start, fits = change
        for index in [index for index in self._drawn if start <= index < first]:
            self._forget(index)
        self._change(self._heights.top(start))
        if not fits:
            self._stale.update(dict.fromkeys(range(start, first)))

    # References

    def _follow_references(self) -> bool:
        """Mark the units stale that mention a label with a new address; whether there is such a label."""
        document = self._document
        asked = self._on_trial.keys() | document.on_trial.keys()
        if self._defined < len(document.defined):
            asked |= set(islice(document.defined, self._defined, None))
        labels = {label for label in asked if self._on_trial.get(label) != document.references.get(label)}
        self._defined, self._on_trial = len(document.defined), document.on_trial
        self._painter.references = document.references
        if labels:
            self._painter.forget_cells()
        for label in labels:
            mentions = document.mentions.get(label, ())
            self._stale |= dict.fromkeys(index for index in mentions if index < self._settled)
        return bool(labels)

    # Drawn rows

    def _rows_of(self, index: int) -> list[Row]:
        if index not in self._drawn:
            rows, _ = self._draw(self._unit(index), self._before(index))
            self._keep(index, rows)
        self._drawn.move_to_end(index)
        return self._drawn[index]

    def _keep(self, index: int, rows: list[Row]) -> None:
        self._drawn[index] = rows
        self._kept += len(rows)
        while self._kept > KEPT_ROWS and len(self._drawn) > 1:
            _, oldest = self._drawn.popitem(last=False)
            self._kept -= len(oldest)

    def _forget(self, index: int) -> None:
        self._kept -= len(self._drawn.pop(index, ()))

    # Looking around

    def _code_block(self, start: int, unit: CodeStart, units: Iterator[tuple[int, Unit]]) -> CodeBlock:
        """The block that begins there; takes what belongs to it from `units`."""
        code: list[str] = []
        last = start
        for index, line in units:
            last = index
            if not isinstance(line, CodeLine):
                break
            code.append(line.text if line.open else line.text + "\n")
        first_row, last_row = (self._heights.top(index + 1) - 1 for index in (start, last))
        return CodeBlock(unit.number, first_row, last_row, unit.language, "".join(code))

    def _links_in(self, index: int) -> Iterable[Link]:
        """The links of a slot; a link that wraps, or is shown in several styles, is one."""
        found: list[Link] = []
        text = open_link = ""  # of the row before, up to where it was wrapped; where the link leads that ends it
        for y, row in enumerate(self._rows_of(index), self._heights.top(index)):
            if not row.continues:
                open_link = ""
            between = " " if text.endswith(" ") else ""
            cell = 0
            for shown, style, _ in row.segments:
                start, cell = cell, cell + cell_len(shown)
                if cell <= row.indent:
                    continue
                href = style.meta.get("href", "") if style else ""
                if href and href == open_link:
                    link = found[-1]
                    places = (*link.places, (y, start, cell))
                    found[-1] = replace(link, text=link.text + between + shown, places=places)
                elif href:
                    found.append(Link(shown, href, ((y, start, cell),)))
                open_link, between = href, ""
            text = row.text
        return found


def warm_up() -> None:
    """Load the parser and the lexers ahead of the first reply, which then need not wait for them. Takes 0.1 s."""
    Layout(Document("*a*\n\n```python\nb\n```\n"), 80, Palette()).strip(0)


def _may_link(unit: Unit) -> bool:
    if not isinstance(unit, Text | TableRow | Definition):
        return False
    return ":" in unit.text or "@" in unit.text or bool(labels_of(unit))


def _size(unit: Unit) -> int:
    """The cost of drawing a unit, in characters."""
    return _UNIT + len(unit.text)
