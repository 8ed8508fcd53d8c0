"""A terminal for tests: pyte, taught what it lacks (OSC 8, dim, erasing in colour, clusters, no wrap)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pyte
from rich.cells import cell_len
from tui_chat.text.clusters import clusters

_Screen: Any = pyte.Screen
_LINK: Final = re.compile(r"\x1b\]8;([^\x07\x1b]*)(?:\x1b\\|\x07)")
_NOT_FOR_PYTE: Final = re.compile(
    r"\x1b\[[<=>][0-?]*[ -/]*[@-~]|\x1b\[\?[\d;]*\$p|\x1b\]\d\d+;[^\x07\x1b]*(?:\x1b\\|\x07)|\x1bP[^\x1b]*\x1b\\"
)


class Glyph(NamedTuple):
    data: str = " "
    fg: str = "default"
    bg: str = "default"
    bold: bool = False
    italics: bool = False
    underscore: bool = False
    strikethrough: bool = False
    reverse: bool = False
    blink: bool = False
    dim: bool = False
    concealed: bool = False
    doubled: bool = False
    overlined: bool = False
    link: str = ""

    def seen(self) -> Glyph:
        """What a person can tell: of a plain space only the background."""
        lines = (self.underscore, self.strikethrough, self.reverse, self.doubled, self.overlined, self.link)
        return self if self.data != " " or any(lines) else Glyph(bg=self.bg)


_ON: Final = {2: "dim", 8: "concealed", 21: "doubled", 53: "overlined"}
_OFF: Final = {22: "dim", 28: "concealed", 24: "doubled", 55: "overlined"}


class Emulator(_Screen):  # type: ignore[misc]  # its cells are not pyte's
    """`bce`: erased cells take the background colour. `width_of`: what a character takes in a terminal that gives
    each its own columns; without, sequences are one glyph, as Textual measures them."""

    def __init__(
        self, columns: int, lines: int, *, bce: bool = True, width_of: Callable[[str], int] | None = None
    ) -> None:
        self.link = ""
        super().__init__(columns, lines)
        self.bce, self.width_of = bce, width_of
        self.stream = pyte.Stream(self)

    @property
    def default_char(self) -> Glyph:
        return Glyph()

    def reset(self) -> None:
        super().reset()
        self.cursor.attrs = self.default_char

    def feed(self, text: str) -> None:
        rest = _NOT_FOR_PYTE.sub("", text)
        while match := _LINK.search(rest):
            self.stream.feed(rest[: match.start()])
            parameters, _, uri = match[1].partition(";")
            self.link = f"{parameters};{uri}" if uri else ""
            self.cursor.attrs = self.cursor.attrs._replace(link=self.link)
            rest = rest[match.end() :]
        self.stream.feed(rest)

    def snapshot(self) -> list[list[Glyph]]:
        return [[self.buffer[y][x].seen() for x in range(self.columns)] for y in range(self.lines)]

    @property
    def text(self) -> list[str]:
        return ["".join(glyph.data for glyph in row) for row in self.snapshot()]

    def select_graphic_rendition(self, *attrs: int) -> None:
        super().select_graphic_rendition(*attrs)
        codes = iter(attrs)
        extra: dict[str, bool] = {}
        for code in codes:
            if code in (38, 48):
                for _ in range(3 if next(codes) == 2 else 1):
                    next(codes)
            elif code in _ON:
                extra[_ON[code]] = True
            elif code in _OFF:
                extra[_OFF[code]] = False
            elif code == 0:
                extra = dict.fromkeys(_ON.values(), False)
        self.cursor.attrs = self.cursor.attrs._replace(**extra, link=self.link)

    def draw(self, data: str) -> None:
        if self.width_of is None:
            for start, end, width in clusters(data):
                self._place(data[start:end], width)
        else:
            for character in data:
                self._place(character, self.width_of(character))

    def _place(self, text: str, width: int) -> None:
        line, x = self.buffer[self.cursor.y], self.cursor.x
        if width == 0:
            head = x - 1 if x < 2 or line[x - 1].data else x - 2
            joined = line[head].data + text
            if head >= 0 and (self.width_of or cell_len(joined) == x - head):
                line[head] = line[head].seen()._replace(data=joined)
            return
        x = min(x, self.columns - width)
        self._part(x)
        self._part(x + width)
        line[x] = self.cursor.attrs._replace(data=text)
        if width == 2:
            line[x + 1] = self.cursor.attrs._replace(data="")
        self.cursor.x = x + width

    def _part(self, x: int) -> None:
        """Whatever lies across the left edge of column `x` falls apart into blanks."""
        line = self.buffer[self.cursor.y]
        if 0 < x < self.columns and line[x].data == "":
            line[x - 1] = Glyph(bg=line[x - 1].bg)
            line[x] = Glyph(bg=line[x].bg)

    def erase_characters(self, count: int | None = None) -> None:
        self._erase(self.cursor.x, min(self.cursor.x + (count or 1), self.columns))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        assert how == 0, "not used"
        self._erase(min(self.cursor.x, self.columns - 1), self.columns)

    def _erase(self, start: int, end: int) -> None:
        self._part(start)
        self._part(end)
        for x in range(start, end):
            self.buffer[self.cursor.y][x] = Glyph(bg=self.cursor.attrs.bg if self.bce else "default")

    def insert_lines(self, count: int | None = None) -> None:
        self._fill()
        super().insert_lines(count)

    def delete_lines(self, count: int | None = None) -> None:
        self._fill()
        super().delete_lines(count)

    def _fill(self) -> None:
        for y in range(self.lines):
            self.buffer[y]  # pyte loses track of rows that were never touched
