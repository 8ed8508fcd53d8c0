"""The leaf that a block parser has open: what it must know to read the next line."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.markdown.units import Place, Table


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The unsettled rest of a paragraph; `joined` if a part of it has settled."""

    text: str
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A fence, or indented code.

    Args:
        mark: of the fence; indented code has none.
        indent: columns that its lines are indented by, at most.
        blanks: blank lines that belong to it if more code follows.
    """

    run: int
    mark: str = ""
    indent: int = 4
    language: str = ""
    blanks: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """A table, and how many rows it has."""

    table: Table
    count: int = 1


@dataclass(frozen=True, slots=True)
class Formula:
    """Displayed maths.

    Args:
        place: of its next unit.
        text: its source so far, opener included; empty once it is too long to wait for its end.
    """

    closer: str
    place: Place
    text: str


Leaf = Paragraph | Code | Rows | Formula
