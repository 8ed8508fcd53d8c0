"""The units of a Markdown source: a flat run, each drawn on its own.

A unit is the smallest piece that settles: a paragraph (or a chunk of a long one), one line of a code block, one
row of a table. It is a value that holds everything needed to draw it at any width, except what the unit before it
leaves (the unfinished row of a chunk, the state of the code's lexer, the widths of a table).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeGuard

Align = Literal["left", "center", "right"]

NO_GAP: Final = -1


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote; `serial` tells it from its neighbours, `alert` is the name of one like `> [!NOTE]`."""

    serial: int
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A list item.

    Args:
        serial: tells it from its neighbours.
        indent: columns that a line must be indented by to belong to the item (CommonMark 5.2).
        delimiter: the bullet, or the `.` or `)` after the number: items with another one are another list.
        number: its number in an ordered list, else None.
        depth: how many lists it is inside of.
        task: whether a task is done; None where the item is no task.
    """

    serial: int
    indent: int
    delimiter: str
    number: int | None
    depth: int
    task: bool | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """The definition of a footnote: `[^label]: ...`."""

    serial: int
    label: str


Container = Quote | Item | Note


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a unit in lists and quotes.

    Args:
        path: its containers, outermost first.
        fresh: how many of them, counted from the innermost, it is the first unit of: it shows their markers.
        gap: NO_GAP, or a blank row stands above, inside of this many of the containers.
    """

    path: tuple[Container, ...] = ()
    fresh: int = 0
    gap: int = NO_GAP


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph or heading, or a chunk of a paragraph.

    Args:
        text: inline Markdown; newlines are line breaks.
        level: 1 to 6 for a heading, 0 for a paragraph.
        joined: continues the last row of the unit before.
        open: the unit after continues the last row of this one.
        ahead: the beginning of an unfinished formula at its end, shown as far as the last row has room.
    """

    place: Place
    text: str
    level: int = 0
    joined: bool = False
    open: bool = False
    ahead: str = ""


@dataclass(frozen=True, slots=True)
class CodeStart:
    """The beginning of a code block: its number (from 1, over all documents), its language, the fence as written.

    Indented code has no fence: its `text` is empty. `run` is that of all units of the block.
    """

    place: Place
    run: int
    number: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of code, or a piece of a long one.

    Args:
        text: the code, tabs kept.
        joined: continues the last row of the unit before.
        open: the unit after continues the last row of this one.
    """

    place: Place
    run: int
    text: str
    language: str = ""
    joined: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class CodeEnd:
    """The end of a code block; `text` is the fence as it was written, or empty where there is none."""

    place: Place
    run: int
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """The head of a table, which all of its rows share."""

    serial: int
    head: tuple[str, ...]
    aligns: tuple[Align, ...]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Args:
        cells: inline Markdown, as many as the head has; an escaped pipe is a pipe.
        closed: how many cells are complete and so may widen their column.
        number: which row it is; the head is number 0.
        text: the line or lines as they were written.
    """

    place: Place
    table: Table
    cells: tuple[str, ...]
    closed: int
    number: int
    text: str

    @property
    def run(self) -> int:
        """That of all rows of the table."""
        return self.table.serial

    @property
    def head(self) -> bool:
        """Whether it is the table's head."""
        return self.number == 0


@dataclass(frozen=True, slots=True)
class Break:
    """A thematic break."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """The first line of a quote like `> [!NOTE]`, and its name."""

    place: Place
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Maths:
    """Displayed maths, its delimiters included.

    Args:
        whole: it is a formula, else a line of text that turned out to be none.
        open: the formula is still being written, this is its last line.
    """

    place: Place
    text: str
    whole: bool = True
    open: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a reference link, on one line."""

    place: Place
    label: str
    href: str
    text: str


Run = TableRow | CodeStart | CodeLine | CodeEnd
"""Units that follow each other with the same `run` share their width: a table, a code block."""
Unit = Text | CodeStart | CodeLine | CodeEnd | TableRow | Break | Alert | Maths | Definition


def begins_run(unit: Unit) -> TypeGuard[Run]:
    """Whether a unit is the first of a table or code block."""
    return isinstance(unit, CodeStart) or (isinstance(unit, TableRow) and unit.head)
