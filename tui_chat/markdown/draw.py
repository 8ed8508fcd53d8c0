"""Units to rows of a terminal, at one width and in one palette."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Final, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_chat.markdown import inline, maths, panel
from tui_chat.markdown.code import LexState, highlighter_for
from tui_chat.markdown.frame import Prefix, prefix_of
from tui_chat.markdown.inline import Mark
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.table import Columns, draw_row, extent, widened, with_open_row
from tui_chat.markdown.units import (
    Alert,
    Break,
    CodeEnd,
    CodeLine,
    CodeStart,
    Definition,
    Maths,
    Place,
    Run,
    TableRow,
    Text,
    Unit,
    begins_run,
)
from tui_chat.markdown.wrap import Line, Piece, chop, graphemes_of, wrap

PROSE: Final = 100
"""Cells of a line of prose at most: longer ones are hard to read. Code and tables may be wider."""
_BOLD: Final = Style(bold=True)
_UPRIGHT: Final = Style(italic=False)
_COPIED: Final = Style.from_meta({"source": ""})
_INDENT: Final = 2
"""Cells by which displayed maths is moved to the right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the terminal.

    Args:
        segments: what is shown; narrower than the width mostly, the caller pads.
        text: its content, without decoration, with the spaces at which it was wrapped.
        indent: cells of decoration (markers, bars, gutters) left of the content.
        lead: the decoration as Markdown, for a copy.
        continues: the content continues that of the row before.
        source: the text to copy for the whole row where that is not its content.
    """

    segments: tuple[Segment, ...]
    text: str = ""
    indent: int = 0
    lead: str = ""
    continues: bool = False
    source: str | None = None

    def strip(self) -> Strip:
        return Strip(self.segments, sum([cell_len(segment.text) for segment in self.segments]))


class Rows(Protocol):
    """Rows, drawn on demand: a layout, or what is stacked of layouts."""

    @property
    def height(self) -> int:
        """How many rows there are."""

    def row(self, y: int) -> Row:
        """Row `y`; it may be shorter than the width."""


@dataclass(frozen=True, slots=True)
class State:
    """The state that a unit leaves to the next.

    Args:
        pieces: its unfinished last row.
        continues: whether that row continues the one before.
        place: where the row stands if it is the first of its leaf.
        lexer: the state of the code's lexer.
        columns: the columns so far of the table or code block that it is of.
    """

    pieces: tuple[Piece, ...] = ()
    continues: bool = False
    place: Place | None = None
    lexer: LexState = field(default_factory=LexState)
    columns: Columns = field(default_factory=Columns)


NOTHING: Final = State()


class Painter:
    """Draws units.

    Args:
        width: cells of a row, at least 8.
        references: where labels lead, normalised; may change between calls.
        copies: the hint on a code block's first row that copies it; `{number}` stands for the block's number.
    """

    def __init__(self, width: int, palette: Palette, references: Mapping[str, str], copies: str) -> None:
        self.width = width
        self.references = references
        self._copies = copies
        self._palette = palette
        self._style = cache(self._marked)
        self._token_style = cache(self._syntax_style)
        self._cell = lru_cache(maxsize=512)(self._parse_cell)

    def forget_cells(self) -> None:
        """The references are others now."""
        self._cell.cache_clear()

    def room(self, place: Place) -> int:
        """Cells of a row that are left for content."""
        return self.width - prefix_of(place, self.width, self._palette).width

    def measured(self, unit: Run, before: State) -> State:
        """The state after a unit of a table or code block, with its columns widened by it."""
        columns = Columns() if begins_run(unit) else before.columns
        if isinstance(unit, CodeStart | CodeLine):
            columns = panel.widened(columns, unit, self.room(unit.place), self._copies)
        elif isinstance(unit, TableRow) and unit.closed == len(unit.cells):
            extents = [extent(self._cell(cell, unit.head)) for cell in unit.cells]
            columns = widened(columns, extents, self.room(unit.place))
        return before if columns is before.columns else replace(before, columns=columns)

    def columns(self, unit: Run, columns: Columns) -> Columns:
        """The columns of a table that ends with `unit`, given those of what is complete.

        A row that is not complete changes no height but its own.
        """
        if not isinstance(unit, TableRow) or unit.closed == len(unit.cells) or not columns.fits:
            return columns
        cells = [extent(self._cell(cell, False))[0] for cell in unit.cells]
        return with_open_row(columns, cells, unit.closed, self.room(unit.place))

    def draw(self, unit: Unit, before: State, columns: Columns | None) -> tuple[list[Row], State]:
        """The rows of a unit and the state after it; `columns` are those of its table or code block."""
        place = before.place or unit.place
        prefix = prefix_of(place, self.width, self._palette)
        room = self.width - prefix.width
        prose = min(room, max(8, PROSE - prefix.width))
        after = NOTHING
        copied_as_shown = isinstance(unit, Text) or (isinstance(unit, Maths) and not unit.whole)
        source = None if copied_as_shown else unit.text
        if isinstance(unit, Text):
            lines, after = self._text(unit, before, prose)
        elif isinstance(unit, CodeStart | CodeLine | CodeEnd):
            assert columns is not None
            return self._code(unit, before, prefix, columns.widths[0])
        elif isinstance(unit, TableRow):
            assert columns is not None
            after = self.measured(unit, before)
            lines = draw_row(unit, columns, room, self._cell, self._palette)
        elif isinstance(unit, Alert):
            style = self._palette.alerts.get(unit.name, self._palette.text) + _BOLD
            lines = [Line(((unit.name.capitalize(), style),))]
        elif isinstance(unit, Break):
            lines = [Line((("─" * prose, self._palette.frame),))]
        elif isinstance(unit, Maths):
            lines = self._maths(unit, room)
        else:
            lines = wrap(self._definition(unit), prose)
        if after.place is not None:
            return [], replace(after, place=place)
        rows = self._rows(lines, prefix, source)
        if isinstance(unit, Text) and unit.level == 1 and lines:
            rule = Segment(
                "━" * min(room, max(cell_len(line.text.rstrip()) for line in lines)), self._palette.frame
            )
            rows.append(Row((*prefix.rest, rule), "", prefix.width, continues=True, source=""))
        return rows, after

    # Text

    def _text(self, unit: Text, before: State, room: int) -> tuple[list[Line], State]:
        base = self._palette.headings[unit.level - 1] if unit.level else self._palette.text
        pieces = [*before.pieces, *self._pieces(unit.text, base)]
        if not pieces and (unit.joined or unit.text):
            return [], NOTHING
        lines = wrap(pieces, room, continues=before.continues)
        if unit.ahead:
            last = lines[-1]
            shown = chop([(unit.ahead, self._palette.maths)], room - cell_len(last.text))[0].pieces
            lines[-1] = Line((*last.pieces, *shown), last.continues)
        if not unit.open:
            return lines, NOTHING
        last = lines.pop()
        # A place here says that nothing of the paragraph is drawn yet; `draw` puts in the one where it began.
        undrawn = unit.place if not lines and (before.place is not None or not unit.joined) else None
        return lines, State(last.pieces, last.continues, undrawn)

    def _pieces(self, text: str, base: Style) -> list[Piece]:
        pieces = []
        for span in inline.parse(text, self.references):
            ticked = span.marks & Mark.CODE_INLINE and self._palette.code_ticks
            shown = f"`{span.text}`" if ticked else span.text
            if span.marks & Mark.KBD and self._palette.code_ticks:
                shown = f"[{shown}]"
            style = self._style(base, span.marks, span.href) if span.marks else base
            if span.source:  # the first character of it copies all of what was written, the others nothing
                first = graphemes_of(shown)[0][1]
                pieces.append((shown[:first], style + Style.from_meta({"source": span.source})))
                shown, style = shown[first:], style + _COPIED
            pieces.append((shown, style))
        return pieces

    def _maths(self, unit: Maths, room: int) -> list[Line]:
        """Displayed maths: drawn if it is understood and there is room for it, else as it was written."""
        style = self._palette.maths
        source = unit.text.replace("\t", "    ")
        if unit.open:
            return chop([(source, style)], room)[:1]
        rows = maths.drawn(unit.text) if unit.whole else None
        widest = max(map(cell_len, rows or (source,)))
        if rows is None or widest > room:
            return wrap([(rows[0] if rows and len(rows) == 1 else source, style)], room)
        indent = " " * min(_INDENT, room - widest)
        if len(rows) > 1:
            style += _UPRIGHT  # the parts of a bracket stand on each other
        return [Line(((indent + row, style),)) for row in rows]

    def _parse_cell(self, cell: str, head: bool) -> list[Piece]:
        return self._pieces(cell, self._palette.table_head if head else self._palette.text)

    def _marked(self, style: Style, marks: int, href: str) -> Style:
        for mark in Mark:
            if mark & marks:
                style += getattr(self._palette, mark.name.lower())
        return style + Style.from_meta({"href": href}) if href else style

    def _definition(self, unit: Definition) -> list[Piece]:
        before, href, after = unit.text.replace("\t", " ").partition(unit.href.replace("\t", " "))
        marks, link = (Mark.LINK, unit.href) if inline.is_allowed(unit.href) else (0, "")
        dim = self._palette.dim
        return [(before, dim), (href, self._style(dim, marks, link)), (after, dim)]

    # Code

    def _code(
        self, unit: CodeStart | CodeLine | CodeEnd, before: State, prefix: Prefix, width: int
    ) -> tuple[list[Row], State]:
        """The rows of a unit of a code block, on its panel of `width` cells."""
        part: panel.Part = "code"
        source: str | None = unit.text
        after = self.measured(unit, before)
        if isinstance(unit, CodeStart):
            part, after = "first", State(columns=after.columns)
            lines = panel.first_row(unit, width, self._copies, self._palette)
        elif isinstance(unit, CodeEnd):
            part, lines = "last", [Line(())]
        else:
            pieces, lexer = self._code_pieces(unit, before)
            room = self.width - prefix.width - panel.GUTTER - panel.MARGIN
            lines = chop([*before.pieces, *pieces], room, continues=before.continues)
            if unit.open:
                last = lines.pop()
                after = State(last.pieces, last.continues, lexer=lexer, columns=after.columns)
            elif before.pieces or lexer != before.lexer:
                after = State(lexer=lexer, columns=after.columns)
            if len(lines) != 1 or "\t" not in unit.text:
                source = None
        drawn = [panel.row(line, part, width, self._palette) for line in lines]
        return self._rows(lines, prefix, source, drawn), after

    def _code_pieces(self, unit: CodeLine, before: State) -> tuple[list[Piece], LexState]:
        highlighter = highlighter_for(unit.language) if unit.language and not (unit.joined or unit.open) else None
        if highlighter is None:
            return panel.expanded([(unit.text, self._palette.panel + self._palette.code)]), before.lexer
        tokens, lexer = highlighter.line(unit.text, before.lexer)
        return panel.expanded([(text, self._token_style(kind)) for kind, text in tokens]), lexer

    def _syntax_style(self, kind: str) -> Style:
        while kind and kind not in self._palette.syntax:
            kind = kind.rpartition(".")[0]
        return self._palette.panel + self._palette.syntax.get(kind, self._palette.code)

    # Rows

    @staticmethod
    def _rows(
        lines: list[Line], prefix: Prefix, source: str | None, panels: list[list[Segment]] | None = None
    ) -> list[Row]:
        """The rows of `lines`; `panels`: how they look where they stand on a panel."""
        rows = [Row(tuple(segments), lead=lead) for segments, lead in prefix.above] if lines else []
        indent = prefix.width + (panel.GUTTER if panels else 0)
        for index, line in enumerate(lines):
            margin, lead = (prefix.rest, prefix.lead_rest) if index else (prefix.first, prefix.lead)
            segments = panels[index] if panels else line.segments()
            continues = line.continues
            if index and source is not None:
                continues, source = True, ""
            rows.append(Row((*margin, *segments), line.text, indent, lead, continues, source))
        return rows
