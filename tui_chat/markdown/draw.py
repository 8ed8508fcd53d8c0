"""Units to rows of a terminal, at one width and in one palette."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_chat.markdown import inline
from tui_chat.markdown.code import LexState, highlighter_for
from tui_chat.markdown.frame import Prefix, prefix_of
from tui_chat.markdown.inline import Mark
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.table import Columns, allocate, draw_row, widest, with_breaks
from tui_chat.markdown.units import (
    Break,
    CodeEnd,
    CodeLine,
    CodeStart,
    Definition,
    Maths,
    Place,
    TableRow,
    Text,
    Unit,
)
from tui_chat.markdown.wrap import Line, Piece, chop, wrap
from tui_chat.text.clusters import unjoined

_GUTTER: Final = "│ "
_WRAPPED: Final = "│↪"
_TAB: Final = 4
_OPEN_CELL: Final = 12
_EDGE: Final = 80
"""Cells of a frame's edge at most: they are three bytes each, and the eye needs no more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the terminal.

    Args:
        segments: what is shown; narrower than the width mostly, the caller pads.
        text: its content, without decoration, with the spaces at which it was wrapped.
        indent: cells of decoration (markers, bars, gutters) left of the content.
        lead: what stands for the decoration in a copy.
        continues: the content continues that of the row before.
        source: what to copy for the whole row where that is not its content.
    """

    segments: tuple[Segment, ...]
    text: str = ""
    indent: int = 0
    lead: str = ""
    continues: bool = False
    source: str | None = None

    def strip(self) -> Strip:
        return Strip(self.segments, sum([cell_len(segment.text) for segment in self.segments]))


@dataclass(frozen=True, slots=True)
class State:
    """What a unit leaves to the next.

    Args:
        pieces: its unfinished last row.
        continues: whether that row continues the one before.
        place: where the row stands if it is the first of its leaf.
        lexer: the state of the code's lexer.
        natural: the widest cell so far in each column of a table.
    """

    pieces: tuple[Piece, ...] = ()
    continues: bool = False
    place: Place | None = None
    lexer: LexState = field(default_factory=LexState)
    natural: tuple[int, ...] = ()


NOTHING: Final = State()


class Painter:
    """Draws units.

    Args:
        width: cells of a row, at least 8.
        references: where labels lead, normalised; may change between calls.
    """

    def __init__(self, width: int, palette: Palette, references: Mapping[str, str]) -> None:
        self.width = width
        self.references = references
        self._palette = palette
        self._styles: dict[tuple[Style, int, str], Style] = {}
        self._syntax: dict[str, Style] = {}
        self._cell = lru_cache(maxsize=512)(self._parse_cell)

    def forget_cells(self) -> None:
        """The references are others now."""
        self._cell.cache_clear()

    def room(self, place: Place) -> int:
        """Cells of a row that are left for content."""
        return self.width - prefix_of(place, self.width, self._palette).width

    def natural(self, row: TableRow, before: State) -> State:
        """The widths that the table's columns ask for with this row."""
        natural = before.natural if not row.head else (0,) * len(row.cells)
        wider = tuple(
            max(size, widest(self._cell(cell, row.head)) if index < row.closed and cell else 0)
            for index, (size, cell) in enumerate(zip(natural, row.cells, strict=True))
        )
        return before if wider == before.natural else State(natural=wider)

    def columns(self, row: TableRow, natural: tuple[int, ...]) -> Columns:
        """The columns of a table that ends with `row`.

        A cell that is still open does not widen its column before its width is known, but for a little.
        """
        room = self.room(row.place)
        columns = allocate(natural, room)
        if row.closed < len(natural) and columns.fits:
            ahead = [min(_OPEN_CELL, widest(self._cell(cell, row.head))) for cell in row.cells[row.closed :]]
            wider = (*natural[: row.closed], *map(max, natural[row.closed :], ahead))
            roomy = allocate(wider, room)
            return roomy if roomy.fits else columns
        return columns

    def draw(self, unit: Unit, before: State, columns: Columns | None) -> tuple[list[Row], State]:
        """The rows of a unit, and what it leaves to the next; `columns` are those of its table."""
        place = before.place or unit.place
        prefix = prefix_of(place, self.width, self._palette)
        room = self.width - prefix.width
        after = NOTHING
        source: str | None = None
        if isinstance(unit, Text):
            lines, after = self._text(unit, before, room)
        elif isinstance(unit, CodeLine):
            return self._code_line(unit, before, prefix, room)
        elif isinstance(unit, TableRow):
            assert columns is not None
            lines = draw_row(unit, columns, room, self._cell, self._palette)
            source = unit.source
        elif isinstance(unit, CodeStart | CodeEnd):
            lines, source = self._code_edge(unit, room), unit.source
        elif isinstance(unit, Break):
            lines, source = [Line((("─" * min(room, _EDGE), self._palette.frame),))], unit.source
        elif isinstance(unit, Maths):
            lines = wrap([(unit.text.replace("\t", "    "), self._palette.maths)], room)
        else:
            lines, source = wrap(self._definition(unit), room), unit.source
        if after.place is not None:
            return [], replace(after, place=place)
        return self._rows(lines, prefix, source), after

    # Text

    def _text(self, unit: Text, before: State, room: int) -> tuple[list[Line], State]:
        base = self._palette.headings[unit.level - 1] if unit.level else self._palette.text
        pieces = [*before.pieces, *self._pieces(unit.text, base)]
        if unit.joined and not pieces:
            return [], NOTHING
        lines = wrap(pieces, room, continues=before.continues)
        if not unit.open:
            return lines, NOTHING
        last = lines.pop()
        # A place here says that nothing of the paragraph is drawn yet; `draw` puts in the one where it began.
        undrawn = unit.place if not lines and (before.place is not None or not unit.joined) else None
        return lines, State(last.pieces, last.continues, undrawn)

    def _pieces(self, text: str, base: Style) -> list[Piece]:
        pieces = []
        for span in inline.parse(text, self.references):
            ticked = span.marks & Mark.CODE and self._palette.code_ticks
            shown = f"`{span.text}`" if ticked else span.text
            pieces.append((shown, self._style(base, span.marks, span.href) if span.marks else base))
        return pieces

    def _parse_cell(self, cell: str, head: bool) -> list[Piece]:
        return self._pieces(with_breaks(cell), self._palette.table_head if head else self._palette.text)

    def _style(self, base: Style, marks: int, href: str) -> Style:
        key = (base, marks, href)
        style = self._styles.get(key)
        if style is None:
            style = base
            for mark, added in self._marks():
                if marks & mark:
                    style += added
            if href:
                style += Style.from_meta({"href": href})
            self._styles[key] = style
        return style

    def _marks(self) -> Iterable[tuple[Mark, Style]]:
        palette = self._palette
        return (
            (Mark.EMPHASIS, palette.emphasis),
            (Mark.STRONG, palette.strong),
            (Mark.STRIKE, palette.strike),
            (Mark.MATHS, palette.maths),
            (Mark.NOTE, palette.marker),
            (Mark.IMAGE, palette.link),
            (Mark.LINK, palette.link),
            (Mark.CODE, palette.code_inline),
        )

    def _definition(self, unit: Definition) -> list[Piece]:
        spaced = str.maketrans("\t", " ")
        before, href, after = unit.source.translate(spaced).partition(unit.href.translate(spaced))
        marks, link = (Mark.LINK, unit.href) if inline.is_allowed(unit.href) else (0, "")
        dim = self._palette.dim
        return [(before, dim), (href, self._style(dim, marks, link)), (after, dim)]

    # Code

    def _code_edge(self, unit: CodeStart | CodeEnd, room: int) -> list[Line]:
        frame, room = self._palette.frame, min(room, _EDGE)
        if isinstance(unit, CodeEnd):
            return [Line((("└" + "─" * (room - 1), frame),))]
        info = unit.source.lstrip("`~").strip()  # the language, and what else the model says of it
        info = unjoined(info.replace("\t", " "))
        left = f"┌ {info} " if info else "┌─"
        right = f" {unit.number} ─"
        fill = room - cell_len(left) - cell_len(right)
        if fill < 0:
            return chop([(f"┌ {info} {unit.number}", frame)], room)
        return [Line((("┌", frame), (left[1:], self._palette.dim), ("─" * fill + right, frame)))]

    def _code_line(self, unit: CodeLine, before: State, prefix: Prefix, room: int) -> tuple[list[Row], State]:
        pieces, lexer = self._code_pieces(unit, before)
        lines = chop([*before.pieces, *pieces], room - len(_GUTTER), continues=before.continues)
        after = before
        if unit.open:
            last = lines.pop()
            after = State(last.pieces, last.continues, lexer=lexer)
        elif before.pieces or lexer != before.lexer:
            after = State(lexer=lexer)
        rows = self._rows(lines, prefix, None, gutter=True)
        if len(rows) == 1 and "\t" in unit.text:
            rows[0] = replace(rows[0], source=unit.text)
        return rows, after

    def _code_pieces(self, unit: CodeLine, before: State) -> tuple[list[Piece], LexState]:
        highlighter = highlighter_for(unit.language) if unit.whole and unit.language else None
        if highlighter is None:
            return _expanded([(unit.text, self._palette.code)]), before.lexer
        tokens, lexer = highlighter.line(unit.text, before.lexer)
        return _expanded([(text, self._syntax_style(kind)) for kind, text in tokens]), lexer

    def _syntax_style(self, kind: str) -> Style:
        style = self._syntax.get(kind)
        if style is None:
            name = kind
            while name and name not in self._palette.syntax:
                name = name.rpartition(".")[0]
            style = self._syntax[kind] = self._palette.syntax.get(name, self._palette.code)
        return style

    # Rows

    def _rows(self, lines: list[Line], prefix: Prefix, source: str | None, *, gutter: bool = False) -> list[Row]:
        rows = [Row(tuple(segments), lead=lead) for segments, lead in prefix.above]
        first = prefix.first
        for line in lines:
            segments = [*first, *line.segments()]
            indent = prefix.width
            if gutter:
                segments.insert(len(first), Segment(_WRAPPED if line.continues else _GUTTER, self._palette.frame))
                indent += len(_GUTTER)
            lead = prefix.lead if first is prefix.first else prefix.lead_rest
            rows.append(Row(tuple(segments), line.text, indent, lead, line.continues or source == "", source))
            first = prefix.rest
            if source is not None:
                source = ""
        return rows


def _expanded(pieces: list[Piece]) -> list[Piece]:
    """`pieces` with their tabs as spaces up to the next stop, and neighbours of one style joined."""
    expanded: list[Piece] = []
    column = 0
    for text, style in pieces:
        shown = text
        if "\t" in text:
            shown = ""
            for char in text:
                shown += " " * (_TAB - (column + cell_len(shown)) % _TAB) if char == "\t" else char
        column += cell_len(shown)
        if expanded and expanded[-1][1] is style:
            expanded[-1] = (expanded[-1][0] + shown, style)
        else:
            expanded.append((shown, style))
    return expanded
