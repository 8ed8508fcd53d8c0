"""The rows of a document at one width: heights for all of it, rows for what is looked at.

Each unit leaves a slot: its height and the state it was drawn from. Rows are drawn when they are asked for and
kept for a while. When the document has grown only what was its tail is drawn again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rich.cells import cell_len
from textual.strip import Strip

from tui_chat.ui.markdown.document import Document, labels_of
from tui_chat.ui.markdown.draw import NOTHING, Painter, Row, State
from tui_chat.ui.markdown.palette import Palette
from tui_chat.ui.markdown.table import Columns
from tui_chat.ui.markdown.units import CodeEnd, CodeLine, CodeStart, Definition, TableRow, Text, Unit

KEPT_ROWS: Final = 600
"""Rows that are kept drawn."""


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

    @property
    def row(self) -> int:
        """The row it begins in."""
        return self.places[0][0]


@dataclass(slots=True)
class _Slot:
    unit: Unit
    before: State
    after: State
    height: int


@dataclass(slots=True)
class _Drawn:
    rows: list[Row]
    strips: list[Strip | None] = field(default_factory=list)


@dataclass(slots=True)
class _Grid:
    """Where a table begins, and its columns."""

    start: int
    columns: Columns


class Layout:
    """Rows of a document; up to date with it whenever it is asked for anything.

    Args:
        width: cells of a row, at least 8.
    """

    def __init__(self, document: Document, width: int, palette: Palette) -> None:
        self.width = width
        self.palette = palette
        self._document = document
        self._painter = Painter(width, palette, document.references)
        self._version = 0
        self._settled = 0
        self._slots: list[_Slot] = []
        self._tops: list[int] = [0]  # the first row of each slot, and after the last one the height
        self._drawn: OrderedDict[int, _Drawn] = OrderedDict()
        self._kept = 0
        self._grids: dict[int, _Grid] = {}
        self._changed: int | None = None

    @property
    def height(self) -> int:
        """Rows in all."""
        self._sync()
        return self._tops[-1]

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
        drawn, offset = self._find(y)
        strip = drawn.strips[offset]
        if strip is None:
            strip = drawn.strips[offset] = drawn.rows[offset].strip()
        return strip

    def row(self, y: int) -> Row:
        """Row `y` with what is needed to copy from it.

        Raises:
            IndexError: there is no such row.
        """
        drawn, offset = self._find(y)
        return drawn.rows[offset]

    def code_blocks(self) -> list[CodeBlock]:
        """The fences, in order; one that is still open ends with the document."""
        self._sync()
        blocks = []
        for index, slot in enumerate(self._slots):
            if isinstance(slot.unit, CodeStart):
                blocks.append(self._code_block(index, slot.unit))
        return blocks

    def links(self) -> list[Link]:
        """The links, in order; draws the units that may hold one."""
        self._sync()
        links: list[Link] = []
        for index, slot in enumerate(self._slots):
            if slot.height and _may_link(slot.unit):
                links += self._links_in(index)
        return links

    # Following the document

    def _sync(self) -> None:
        document = self._document
        document.read()
        if document.version == self._version:
            return
        self._version = document.version
        relinked = self._follow_references(document.references)
        wanted = [*document.units[self._settled :], *document.tail]
        first = self._settled
        if not relinked:
            first += self._same(wanted)
        self._replace(first, wanted[first - self._settled :])
        self._settled = len(document.units)

    def _same(self, wanted: list[Unit]) -> int:
        """How many of the wanted units are what stands in the slots after the settled ones."""
        count = 0
        for unit, slot in zip(wanted, self._slots[self._settled :], strict=False):
            if unit is not slot.unit and unit != slot.unit:
                break
            count += 1
        return count

    def _replace(self, first: int, units: list[Unit]) -> None:
        """Let `units` stand in the slots from `first` on."""
        old_height = self._tops[-1]
        old = self._drawn.get(first)
        for index in range(first, len(self._slots)):
            self._forget(index)
        del self._slots[first:], self._tops[first + 1 :]
        self._reshape(first, units)
        before = self._slots[-1].after if self._slots else NOTHING
        for offset, unit in enumerate(units):
            if isinstance(unit, TableRow) and unit.head:
                self._reshape(first + offset, units[offset:])
            before = self._append(unit, before)
        new = self._drawn.get(first)
        equal = _share_strips(old, new) if old and new else 0
        if self._tops[first] + equal < max(old_height, self._tops[-1]):
            self._change(self._tops[first] + equal)

    def _append(self, unit: Unit, before: State) -> State:
        index = len(self._slots)
        rows, after = self._draw(unit, before)
        self._slots.append(_Slot(unit, before, after, len(rows)))
        self._tops.append(self._tops[-1] + len(rows))
        self._keep(index, rows)
        return after

    def _draw(self, unit: Unit, before: State) -> tuple[list[Row], State]:
        if not isinstance(unit, TableRow):
            return self._painter.draw(unit, before, None)
        rows, _ = self._painter.draw(unit, NOTHING, self._grids[unit.table.serial].columns)
        return rows, self._painter.natural(unit, before)

    def _change(self, row: int) -> None:
        self._changed = row if self._changed is None else min(row, self._changed)

    # Tables

    def _reshape(self, first: int, units: list[Unit]) -> None:
        """Fit the columns of the table that ends before slot `first`, or begins there, to its rows in `units`."""
        last = self._slots[first - 1] if first else None
        head = units[0] if units else None
        if isinstance(head, TableRow) and head.head:
            row, natural, start = head, NOTHING, first
        elif last is not None and isinstance(last.unit, TableRow):
            row, natural, start = last.unit, last.after, self._grids[last.unit.table.serial].start
        else:
            return
        for unit in units:
            if not isinstance(unit, TableRow) or unit.table.serial != row.table.serial:
                break
            row, natural = unit, self._painter.natural(unit, natural)
        columns = self._painter.columns(row, natural.natural)
        grid = self._grids.get(row.table.serial)
        self._grids[row.table.serial] = _Grid(start, columns)
        if grid is not None and grid.columns != columns and start < first:
            self._reflow(start, first, fits=grid.columns.fits and columns.fits)

    def _reflow(self, start: int, stop: int, *, fits: bool) -> None:
        """The columns of the table in these slots have changed; where all cells fit, heights have not."""
        for index in [index for index in self._drawn if start <= index < stop]:
            self._forget(index)
        self._change(self._tops[start])
        if fits:
            return
        for index in range(start, stop):
            slot = self._slots[index]
            rows, _ = self._draw(slot.unit, slot.before)
            slot.height = len(rows)
        self._stack(start)

    def _stack(self, start: int) -> None:
        """Count the rows anew from slot `start` on."""
        top = self._tops[start]
        for index in range(start, len(self._slots)):
            top += self._slots[index].height
            self._tops[index + 1] = top

    # References

    def _follow_references(self, references: Mapping[str, str]) -> bool:
        """Draw again what mentions a label that leads elsewhere now; whether there is one."""
        old = self._painter.references
        if references is old:
            return False
        self._painter.forget_references(references)
        labels = {label for label in old.keys() | references.keys() if old.get(label) != references.get(label)}
        for index in sorted({index for label in labels for index in self._document.mentions(label)}):
            if index < self._settled:
                self._redraw(index)
        return bool(labels)

    def _redraw(self, index: int) -> None:
        """Draw settled slot `index` anew, and those after it as far as they depend on it."""
        first = index
        while index < len(self._slots):
            slot = self._slots[index]
            self._forget(index)
            if index > first:
                slot.before = self._slots[index - 1].after
            rows, after = self._draw(slot.unit, slot.before)
            slot.height = len(rows)
            same = after == slot.after
            slot.after = after
            index += 1
            if same:
                break
        self._stack(first)
        self._change(self._tops[first])
        unit = self._slots[first].unit
        if isinstance(unit, TableRow):
            stop = self._grids[unit.table.serial].start
            while stop < len(self._slots) and _is_row_of(self._slots[stop].unit, unit):
                stop += 1
            self._reshape(stop, [])

    # Drawn rows

    def _find(self, y: int) -> tuple[_Drawn, int]:
        self._sync()
        if not 0 <= y < self._tops[-1]:
            raise IndexError(y)
        index = bisect_right(self._tops, y) - 1
        return self._rows_of(index), y - self._tops[index]

    def _rows_of(self, index: int) -> _Drawn:
        drawn = self._drawn.get(index)
        if drawn is not None:
            self._drawn.move_to_end(index)
            return drawn
        slot = self._slots[index]
        rows, _ = self._draw(slot.unit, slot.before)
        return self._keep(index, rows)

    def _keep(self, index: int, rows: list[Row]) -> _Drawn:
        drawn = self._drawn[index] = _Drawn(rows, [None] * len(rows))
        self._kept += len(rows)
        while self._kept > KEPT_ROWS and len(self._drawn) > 1:
            _, oldest = self._drawn.popitem(last=False)
            self._kept -= len(oldest.rows)
        return drawn

    def _forget(self, index: int) -> None:
        drawn = self._drawn.pop(index, None)
        if drawn is not None:
            self._kept -= len(drawn.rows)

    # Looking around

    def _code_block(self, index: int, start: CodeStart) -> CodeBlock:
        code: list[str] = []
        first = self._tops[index + 1] - 1
        while index + 1 < len(self._slots):
            index += 1
            unit = self._slots[index].unit
            if isinstance(unit, CodeEnd):
                break
            if isinstance(unit, CodeLine):
                code.append(unit.text if unit.open else unit.text + "\n")
        return CodeBlock(start.number, first, self._tops[index + 1] - 1, start.language, "".join(code))

    def _links_in(self, index: int) -> Iterable[Link]:
        """The links of a slot; a link that wraps, or is shown in several styles, is one."""
        found: list[Link] = []
        text = open_link = ""  # of the row before, up to where it was wrapped; where the link leads that ends it
        for y, row in enumerate(self._rows_of(index).rows, self._tops[index]):
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


def _share_strips(old: _Drawn, new: _Drawn) -> int:
    """How many rows from the top have stayed; what was made of them stays too."""
    count = 0
    for one, other in zip(old.rows, new.rows, strict=False):
        if one != other:
            break
        new.strips[count] = old.strips[count]
        count += 1
    return count


def _may_link(unit: Unit) -> bool:
    if isinstance(unit, Text):
        text = unit.text
    elif isinstance(unit, TableRow | Definition):
        text = unit.source
    else:
        return False
    return ":" in text or "@" in text or bool(labels_of(unit))


def _is_row_of(unit: Unit, row: TableRow) -> bool:
    return isinstance(unit, TableRow) and unit.table.serial == row.table.serial
