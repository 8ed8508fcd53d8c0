"""A terminal's screen as text: no colours, and fast, since the bench must not be what is slow (pyte is 40 times slower)."""

from __future__ import annotations

import codecs
import re
from typing import Final

from rich.cells import get_character_cell_size

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<numbers>[\d;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-~]|\x1b(?P<escape>[0-Z\\^-~])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)|(?P<control>[\x00-\x1f\x7f])"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[()])?\Z")


class Screen:
    """What a terminal shows after the bytes it was fed."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.alternate = False
        """Whether the alternate screen is on: a full-screen program has begun."""
        self.dirty: set[int] = set()
        """Rows that were written to; the reader clears it."""
        self._lines = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._top, self._bottom = 0, rows - 1
        self._wrap_next = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""

    def row(self, y: int) -> str:
        """The text of a row, without blanks at its end."""
        return "".join(self._lines[y]).rstrip()

    def text(self) -> list[str]:
        """The text of all rows."""
        return [self.row(y) for y in range(self.rows)]

    def feed(self, data: bytes) -> None:
        """Take what a program has written."""
        text = self._held + self._decode(data)
        unfinished = _UNFINISHED.search(text, max(0, text.rfind("\x1b") - 1))
        self._held = unfinished[0] if unfinished else ""
        for token in _TOKEN.finditer(text, 0, len(text) - len(self._held)):
            if token["text"]:
                self._put(token["text"])
            elif token["final"]:
                self._sequence(token["private"], token["numbers"], token["between"], token["final"])
            elif token["control"]:
                self._control(token["control"])
            elif token["escape"] == "M":
                self._index(-1)

    def _put(self, text: str) -> None:
        if not text.isascii():
            for character in text:
                if width := get_character_cell_size(character):
                    self._put_cells([character, ""][:width])
            return
        while text:
            room = self.columns - (0 if self._wrap_next else self._x)
            self._put_cells(list(text[:room]))
            text = text[room:]

    def _put_cells(self, cells: list[str]) -> None:
        if self._wrap_next or self._x + len(cells) > self.columns:
            self._x, self._wrap_next = 0, False
            self._index(1)
        self._lines[self._y][self._x : self._x + len(cells)] = cells
        self.dirty.add(self._y)
        self._x += len(cells)
        if self._x >= self.columns:
            self._x, self._wrap_next = self.columns - 1, True

    def _index(self, lines: int) -> None:
        """Step down or up a row, scrolling at the margin."""
        if self._y == (self._bottom if lines > 0 else self._top):
            self._scroll(self._top, lines)
        else:
            self._y = max(0, min(self.rows - 1, self._y + lines))

    def _scroll(self, top: int, lines: int) -> None:
        """Rows from `top` to the bottom margin move up (down where negative)."""
        for _ in range(min(abs(lines), self._bottom - top + 1)):
            del self._lines[top if lines > 0 else self._bottom]
            self._lines.insert(self._bottom if lines > 0 else top, [" "] * self.columns)
        self.dirty.update(range(top, self._bottom + 1))

    def _control(self, control: str) -> None:
        if control == "\b":
            self._x = max(0, self._x - 1)
        elif control == "\r":
            self._x = 0
        elif control == "\n":
            self._index(1)
        self._wrap_next = False

    def _sequence(self, private: str, numbers: str, between: str, final: str) -> None:
        if private or between:
            if private == "?" and numbers == "1049":
                self.alternate = final == "h"
                self._erase(0, 0, self.rows, self.columns)
            return
        if final == "m":
            return
        self._wrap_next = False
        given = [int(number or 0) for number in numbers.split(";")]
        count = given[0] or 1
        second = given[1] if len(given) > 1 else 0
        if final == "r":
            self._top, self._bottom = count - 1, (second or self.rows) - 1
            self._x = self._y = 0
        elif final in "KXJ":
            self._erase_by(final, given[0], count)
        elif final in "LM" and self._top <= self._y <= self._bottom:
            self._scroll(self._y, count if final == "M" else -count)
        else:
            self._move(final, count, second or 1)

    def _move(self, final: str, count: int, second: int) -> None:
        x, y = {
            "H": (second - 1, count - 1),
            "A": (self._x, self._y - count),
            "B": (self._x, self._y + count),
            "C": (self._x + count, self._y),
            "D": (self._x - count, self._y),
            "G": (count - 1, self._y),
            "d": (self._x, count - 1),
        }.get(final, (self._x, self._y))
        self._x, self._y = max(0, min(self.columns - 1, x)), max(0, min(self.rows - 1, y))

    def _erase_by(self, final: str, how: int, count: int) -> None:
        if final == "X":
            self._erase(self._y, self._x, self._y + 1, min(self.columns, self._x + count))
        elif final == "K":
            self._erase(self._y, 0 if how else self._x, self._y + 1, self._x + 1 if how == 1 else self.columns)
        elif how == 2:
            self._erase(0, 0, self.rows, self.columns)
        else:
            self._erase(self._y, self._x, self._y + 1, self.columns)
            self._erase(self._y + 1, 0, self.rows, self.columns)

    def _erase(self, top: int, left: int, bottom: int, right: int) -> None:
        for y in range(top, bottom):
            self._lines[y][left:right] = [" "] * (right - left)
        self.dirty.update(range(top, bottom))
