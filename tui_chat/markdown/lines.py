"""The kinds of lines: patterns of CommonMark and GFM, and a cursor over a line that expands tabs."""

from __future__ import annotations

import re
from typing import Final

from tui_chat.markdown.units import Align

FENCE: Final = re.compile(r"(?P<mark>`{3,})(?P<info>[^`]*)$|(?P<tildes>~{3,})(?P<words>.*)$")
HEADING: Final = re.compile(r"(#{1,6})(?:[ \t]+(.*))?$")
HEADING_END: Final = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
BREAK: Final = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
UNDERLINE: Final = re.compile(r"(=+|-{2,})[ \t]*$")
"""A setext underline. One `-` is not enough, unlike in CommonMark: it mostly begins a list."""
LIST: Final = re.compile(r"(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)")
TASK: Final = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
NOTE: Final = re.compile(r"\[\^([^\]\s]+)\]:")
DEFINITION: Final = re.compile(
    r"""\[((?:[^\[\]\\]|\\.){1,999})\]:[ \t]*       # label
        (?:<([^<>]+)>|([^\s<]\S*))                   # where it leads
        (?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?    # title
        [ \t]*$""",
    re.VERBOSE,
)
"""A reference definition; unlike CommonMark's it stands on one line."""
DELIMITERS: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
ALERT: Final = re.compile(r"\[!(note|tip|important|warning|caution)\][ \t]*", re.IGNORECASE)
UNDECIDED: Final = re.compile(
    r"""[ \t>]*+ (?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*+         # containers
        (?: [-+*_=\#~`|$: \t]*+ | \d{1,9}[.)]?              # a rule, a fence, a delimiter row; an item
          | \[[ xX]?\]?[ \t]*+ | \[![A-Za-z]*+\]? | \[\^[^\]\s]*+\]?:? | \\[\[(]?)  # a task, alert, note; maths
    """,
    re.VERBOSE,
)
"""The beginning of a line that may become a block of another kind with the next character."""
LANGUAGE: Final = re.compile(r"[^\s{}.,:;=]+")
_MATHS: Final = {"$$": "$$", "\\[": "\\]"}
_PIPE: Final = re.compile(r"(?<!\\)\|")
_TAB: Final = 4


def opens_formula(line: str) -> str:
    """What closes the displayed maths that a line begins; "" if it begins none, as an escaped link does."""
    closer = _MATHS.get(line[:2], "")
    return closer if line.find(closer, 2) in (-1, max(2, len(line) - 2)) and "](" not in line else ""


class Cursor:
    """The rest of a line, and the column it begins at."""

    __slots__ = ("_column", "rest")

    def __init__(self, text: str) -> None:
        self.rest = text
        self._column = 0

    @property
    def blank(self) -> bool:
        return not self.rest or self.rest.isspace()

    @property
    def indent(self) -> int:
        """Columns of white space ahead, tabs counted to their stops."""
        column = self._column
        for char in self.rest:
            if char == " ":
                column += 1
            elif char == "\t":
                column += _TAB - column % _TAB
            else:
                break
        return column - self._column

    def drop(self, columns: int) -> None:
        """Skip at most `columns` columns of white space; the rest of a tab turns to spaces."""
        goal = self._column + columns
        index = 0
        while self._column < goal and self.rest[index : index + 1] in (" ", "\t"):
            self._column += 1 if self.rest[index] == " " else _TAB - self._column % _TAB
            index += 1
        surplus = max(0, self._column - goal)
        self._column -= surplus
        self.rest = " " * surplus + self.rest[index:]

    def quote(self) -> bool:
        """Skip the mark of a quote, if there is one."""
        if self.indent >= 4 or not self.rest.lstrip(" \t").startswith(">"):
            return False
        self.drop(3)
        self.skip(1)
        self.drop(1)
        return True

    def skip(self, characters: int) -> None:
        """Skip characters that are not white space."""
        self.rest = self.rest[characters:]
        self._column += characters


def cells_of(line: str) -> tuple[list[str], int]:
    """The cells of a table's row, and how many of them a pipe has closed."""
    line = line.strip()
    cells = _PIPE.split(line.removeprefix("|"))
    closed = len(cells) - 1
    if closed and not cells[-1].strip():
        cells.pop()
    return [cell.strip().replace("\\|", "|") for cell in cells], closed


def aligns_of(line: str) -> tuple[Align, ...]:
    """The alignments that a table's delimiter row asks for; empty if the line is not one."""
    if "|" not in line or not DELIMITERS.match(line):
        return ()
    return tuple(_align(cell) for cell in cells_of(line)[0])


def _align(cell: str) -> Align:
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left"
