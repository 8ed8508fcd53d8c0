"""Atoms of a formula, and how they are set: beside each other, below each other, in brackets, under accents.

An atom is a box of text with a row that stands on the line. TeX's classes of atoms (The TeXbook, chapter 18:
ordinary, operator, binary, relation, opening, closing, punctuation) say where spaces stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from tui_chat.markdown.symbols import ACCENTS, BINARY, FENCES, OPERATORS, RELATIONS

Class = Literal["ord", "op", "big", "frac", "bin", "rel", "open", "close", "punct"]


class UnknownMathsError(Exception):
    """There is something in a formula that cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Box:
    """Rows of text, equally wide, and which of them stands on the line."""

    rows: tuple[str, ...]
    base: int = 0
    grade: Literal[0, 1, 2] = 0
    """Whether it is one thing, a product, or a sum or the like."""

    @property
    def width(self) -> int:
        """Cells of each row."""
        return cell_len(self.rows[0])

    @property
    def line(self) -> str:
        """Its only row.

        Raises:
            UnknownMathsError: it has several.
        """
        if len(self.rows) > 1:
            raise UnknownMathsError
        return self.rows[0]


Atom = tuple[Box, Class]


def stacked(cells: Sequence[Sequence[Box]], *, lines: bool) -> Box:
    """Rows of cells below each other: of a matrix or, aligned at their relations, `lines` of a formula."""
    count = max(map(len, cells))
    widths = [max((row[column].width for row in cells if column < len(row)), default=0) for column in range(count)]
    rows = []
    for row in cells:
        parts = [cell.line for cell in row] + [""] * (count - len(row))
        padded = [
            (_pad(part, width, left=lines and not column % 2 and count > 1))
            for column, (part, width) in enumerate(zip(parts, widths, strict=True))
        ]
        rows.append((" " if lines else "  ").join(padded))
    return Box(tuple(rows), (len(rows) - 1) // 2)


def fenced(box: Box, left: str, right: str) -> Box:
    """A box in brackets, which are as high as it is."""
    height = len(box.rows)
    if height == 1:
        return Box((f"{left}{box.rows[0]}{right}",))
    rows = []
    for y, row in enumerate(box.rows):
        part = 0 if y == 0 else 2 if y == height - 1 else 1
        rows.append(f"{FENCES[left][part]}{row}{FENCES[right][part]}")
    return Box(tuple(rows), box.base)


def character(text: str) -> Atom:
    """A character or symbol as an atom."""
    text = {"-": "−", "*": "∗", "'": "′", "~": " "}.get(text, text)
    kinds: tuple[tuple[Iterable[str], Class], ...] = (
        *((RELATIONS, "rel"), (BINARY, "bin"), (OPERATORS, "big"), ("([⟨⌊⌈{", "open")),
        *((")]⟩⌋⌉}!", "close"), (",;:", "punct")),
    )
    kind: Class = next((kind for chars, kind in kinds if text in chars), "ord")
    return Box((text,)), kind


def joined(atoms: Sequence[Atom], *, tight: bool) -> Box:
    """Atoms beside each other on the line."""
    height = max((len(box.rows) - box.base for box, _ in atoms), default=1)
    base = max((box.base for box, _ in atoms), default=0)
    rows = [""] * (base + height)
    before: Class = "open"
    above = 1
    for box, kind in atoms:
        unary = kind == "bin" and before in ("open", "bin", "rel", "op", "big", "punct")
        shown: Class = "open" if unary else kind
        apart = _is_apart(before, "ord" if unary else kind) and not (kind == "punct" and box.rows[0].isspace())
        gap = " " if rows[base] and ((apart and not tight) or min(above, len(box.rows)) > 1) else ""
        if rows[base].endswith(" ") or box.rows[box.base].startswith(" "):
            gap = ""
        top = base - box.base
        for y in range(len(rows)):
            inside = 0 <= y - top < len(box.rows)
            rows[y] += gap + (box.rows[y - top] if inside else " " * box.width)
        before, above = shown, len(box.rows)
    return Box(tuple(rows), base, _grade(atoms))


def _grade(atoms: Sequence[Atom]) -> Literal[0, 1, 2]:
    """Whether atoms are one thing, a product, or a sum or the like."""
    if len(atoms) == 1:
        return atoms[0][0].grade
    depth = 0
    for _, kind in atoms:
        depth += (kind == "open") - (kind == "close")
        if depth <= 0 and kind in ("bin", "rel", "op", "big", "punct"):
            return 2
    return 0 if all(box.rows[0] in "0123456789." for box, _ in atoms) else 1


def _is_apart(before: Class, kind: Class) -> bool:
    """Whether a space stands between atoms of these classes."""
    if "rel" in (before, kind) or "bin" in (before, kind):
        return True
    if before in ("punct", "big", "frac"):
        return kind not in ("close", "punct")
    if before == "op":
        return kind in ("ord", "op", "big", "frac")
    return kind in ("op", "big", "frac") and before != "open"


def bracketed(box: Box, grade: int) -> str:
    """A part of a fraction or root: in brackets where it is more than `grade`, and neither `P(A)` nor `n!`."""
    line = box.line
    whole = re.fullmatch(r"\([^()]*\)|\w+\([\w|, ]*\)|\w!|[∂d]\w[²³₀-₉ₐ-ₜᵢ-ᵪ]*", line)
    return line if box.grade <= grade or whole else f"({line})"


def ends_in_root(line: str) -> bool:
    """Whether a root without brackets is at the end: what is written after it would seem to be in the root."""
    return bool(re.search(r"[√∛∜](?!\()\S*$", line))


def accented(line: str, name: str) -> str:
    """A letter, or letters under a line, with an accent by its name.

    Raises:
        UnknownMathsError: the accent would stand over several letters.
    """
    letters = [char for char in line if not unicodedata.combining(char)]
    if len(letters) != 1 and name not in ("overline", "underline", "bar"):
        raise UnknownMathsError
    mark = "\u0305" if name == "bar" and len(letters) > 1 else ACCENTS[name]
    return "".join(char + mark for char in line)


def _pad(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if left else text + space
