"""Breaking styled text into rows of a terminal, by cells.

Rows are filled greedily from the left, so what was broken stays when more text arrives: only the last row can
change. Nothing wider than the width comes out, but for a single character that is. A row is full, too, when it
holds many more characters than cells: marks and joiners take none, and a row of them would never end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import CellSpan, cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style

from tui_chat.text.clusters import JOINER, clusters, unjoined

Piece = tuple[str, Style]

_SIMPLE: Final = re.compile(
    "[\\x20-\\x7e\\xa0-\\xac\\xae-\\u02ff\\u0370-\\u0377\\u0391-\\u03a1\\u03b1-\\u03ff\\u0400-\\u0482"
    "\\u2010-\\u2027\\u2030-\\u205e\\u20a0-\\u20bf\\u2190-\\u21ff\\u2200-\\u22ff\\u2500-\\u25fc]*"
)
"""Text of which each character fills one cell and stands for itself."""
_LONGEST_CHARACTER: Final = 32
"""Code points of what is one character to a reader, after which it is cut."""
_CHARACTERS_PER_CELL: Final = 8
"""Code points in a row for each cell of its width, at most."""
_CLOSING: Final = frozenset("。，、！？；：）」』】》〉〕〗’”…‥ー々ゝ・％℃!?,.:;)]}%")
_OPENING: Final = frozenset("（「『【《〈〔〖‘“([{$￥")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of wrapped text: its pieces, spaces at its end included, and whether it continues the row before."""

    pieces: tuple[Piece, ...]
    continues: bool = False

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def segments(self) -> list[Segment]:
        """The pieces without the spaces at the end."""
        segments = [Segment(unjoined(text), style) for text, style in self.pieces if text]
        while segments and not segments[-1].text.strip(" "):
            segments.pop()
        if segments:
            text, style, _ = segments[-1]
            segments[-1] = Segment(text.rstrip(" "), style)
        return segments


def wrap(pieces: Iterable[Piece], width: int, *, continues: bool = False) -> list[Line]:
    """The rows of `pieces`, broken between words where possible; a newline in a piece ends its row.

    `continues` is said of the first row.
    """
    return _rows(pieces, width, continues, words=True)


def chop(pieces: Iterable[Piece], width: int, *, continues: bool = False) -> list[Line]:
    """The rows of `pieces`, each filled to the last character that fits, as for code."""
    return _rows(pieces, width, continues, words=False)


def longest_word(text: str) -> int:
    """The cells of the widest part of `text` that `wrap` keeps in one row, if the row is wide enough."""
    longest = 0
    for word in text.split():
        used = len(word)
        if not _SIMPLE.fullmatch(word):
            used, before = 0, ""
            for start, _end, cells in graphemes_of(word):
                longest = max(longest, used)
                used = cells if before and _may_break(before, word[start]) else used + cells
                before = word[start]
        longest = max(longest, used)
    return longest


def graphemes_of(text: str) -> list[CellSpan]:
    """Start, end and cells of what is one character to a reader."""
    spans = clusters(unjoined(text))
    if any(end - start > _LONGEST_CHARACTER for start, end, _ in spans):
        spans = [part for span in spans for part in _cut(span)]
    return spans


def _cut(span: CellSpan) -> Iterator[CellSpan]:
    start, end, cells = span
    for begin in range(start, end, _LONGEST_CHARACTER):
        yield begin, min(end, begin + _LONGEST_CHARACTER), cells if begin == start else 0


def _rows(pieces: Iterable[Piece], width: int, continues: bool, *, words: bool) -> list[Line]:
    rows: list[Line] = []
    for line in _lines(pieces):
        text = "".join([text for text, _ in line])
        for part in _split(line, _breaks(text, max(1, width), words=words)):
            rows.append(Line(part, continues))
            continues = True
        continues = False
    return rows


def _lines(pieces: Iterable[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for text, style in pieces:
        first, *rest = text.split("\n")
        if first:
            lines[-1].append((first, style))
        for part in rest:
            lines.append([(part, style)] if part else [])
    return [line if len(line) < 2 else _unsplit(line) for line in lines]


def _unsplit(line: list[Piece]) -> list[Piece]:
    """`line` with each cluster in one piece: a mark or a joined emoji is drawn as what it belongs to."""
    whole = line[:1]
    for text, style in line[1:]:
        before, style_before = whole[-1]
        more = 0 if text[0].isascii() else _continuation(before[-_LONGEST_CHARACTER:], text[:_LONGEST_CHARACTER])
        if more:
            whole[-1] = (before + text[:more], style_before)
        if more < len(text):
            whole.append((text[more:], style))
    return whole


def _continuation(before: str, text: str) -> int:
    """How many characters of `text` belong to the last cluster of `before`."""
    if before[-1] != JOINER and get_character_cell_size(text[0]):
        return 0
    start, end = next(span[:2] for span in graphemes_of(before + text) if span[1] > len(before))
    return end - len(before) if start < len(before) else 0


def _split(line: list[Piece], breaks: list[int]) -> list[tuple[Piece, ...]]:
    """`line` in parts, cut at the positions `breaks`."""
    if not breaks:
        return [tuple(line)]
    parts: list[tuple[Piece, ...]] = []
    part: list[Piece] = []
    position = 0
    ahead = iter([*breaks, -1])
    stop = next(ahead)
    for text, style in line:
        start = 0
        while position <= stop < position + len(text):
            if stop > position + start:
                part.append((text[start : stop - position], style))
            start = stop - position
            parts.append(tuple(part))
            part = []
            stop = next(ahead)
        part.append((text[start:] if start else text, style))
        position += len(text)
    parts.append(tuple(part))
    return parts


def _breaks(text: str, width: int, *, words: bool) -> list[int]:
    """Where the rows of `text` after the first begin: between words where possible, or as late as they can."""
    if not _SIMPLE.fullmatch(text):
        return _general_breaks(text, width, words=words)
    if not words:
        return list(range(width, len(text), width))
    breaks = []
    start = 0
    while len(text) - start > width:
        space = text.rfind(" ", start, start + width + 1)
        stop = space + 1 if space > start and not text[start:space].isspace() else start + width
        while text[stop : stop + 1] == " ":
            stop += 1
        if stop >= len(text):
            break
        breaks.append(stop)
        start = stop
    return breaks


def _general_breaks(text: str, width: int, *, words: bool) -> list[int]:
    """As above, for text with wide, joined or combining characters."""
    breaks: list[int] = []
    longest = width * _CHARACTERS_PER_CELL
    used = 0  # cells of the row up to here
    chance = -1  # where the row could end
    used_at_chance = 0
    before = ""
    for start, end, cells in graphemes_of(text):
        char = text[start]
        if words and char == " " and end == start + 1:
            used += 1
            before = char
            continue
        if words and before and _may_break(before, char) and used_at_chance < used:
            chance, used_at_chance = start, used
        if start - (breaks[-1] if breaks else 0) >= longest:
            breaks.append(start)
            used, chance, used_at_chance = 0, -1, 0
        if used + cells > width and used:
            if chance > (breaks[-1] if breaks else 0):
                breaks.append(chance)
                used -= used_at_chance
            if used + cells > width and used:
                breaks.append(start)
                used = 0
            chance, used_at_chance = -1, 0
        used += cells
        before = char
    return breaks


def _may_break(before: str, char: str) -> bool:
    if before == " ":
        return True
    if char in _CLOSING or before in _OPENING:
        return False
    return cell_len(char) == 2 or cell_len(before) == 2
