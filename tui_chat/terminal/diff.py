"""The difference between two screens: changed columns, and rows that moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import is_not, itemgetter
from typing import Final

from tui_chat.terminal.cells import UNKNOWN, Row, disputed_width

_TEXT_OF: Final = itemgetter(0)
"""A cell's text, at C speed."""
_GAP: Final = 4
"""Unchanged columns that are as cheap to rewrite as to skip."""
_SCROLL_COST: Final = 24
"""Approximate bytes of a scroll: margins, position, lines."""
_MOVE_COST: Final = 8
"""Approximate bytes to reach a changed row."""
_SCROLLBAR: Final = 3
"""Columns at the right that may change although the rest of the row only moves."""


def changed_runs(old: Row, new: Row) -> list[tuple[int, int]]:
    """The ranges (start, end) of columns to write to turn `old` into `new`.

    After a cluster of disputed width, the columns that it may cover are rewritten.
    """
    changed = _changed(old, new)
    if changed and not "".join([cell.text for cell in new]).isascii():
        changed = _with_spills(new, changed)
    runs: list[tuple[int, int]] = []
    for x in changed:
        if runs and _bridges(new, runs[-1][1], x):
            runs[-1] = (runs[-1][0], x + 1)
        else:
            runs.append((x, x + 1))
    return runs


def _changed(old: Sequence[object], new: Sequence[object]) -> list[int]:
    """The places where two rows, or two screens, differ; first by identity, for speed."""
    pairs = enumerate(zip(old, new, strict=True))
    return [place for place, (was, wanted) in pairs if was is not wanted and was != wanted]


def _with_spills(row: Row, changed: list[int]) -> list[int]:
    columns: list[int] = []
    changes, spill = set(changed), 0
    for x, cell in enumerate(row):
        right_half = not cell.text and columns and columns[-1] == x - 1
        if x in changes or x < spill or right_half:
            columns.append(x)
            if not cell.text.isascii():
                spill = max(spill, x + disputed_width(cell.text))
    return columns


def _bridges(row: Row, end: int, start: int) -> bool:
    """Whether rewriting the columns `end` to `start` is cheaper than skipping them."""
    return start - end <= _GAP and all(cell.text.isascii() and cell.text for cell in row[end:start])


def find_scroll(old: Sequence[Row], new: Sequence[Row]) -> tuple[int, int, int] | None:
    """The scroll that leaves the least to write, or None if no scroll pays.

    It is the first and the last of the rows that move, and by how many lines: up, or down where that is negative.
    """
    changed = _changed(old, new)
    if len(changed) < 2:
        return None
    span = range(changed[0], changed[-1] + 1)
    before, after = _landmarks(old, span), _landmarks(new, span)
    moves = {y: before[text] - y for text, y in after.items() if text in before}
    votes = Counter(move for move in moves.values() if move)
    if not votes:
        return None
    lines = votes.most_common(1)[0][0]
    moved = [y for y, move in moves.items() if move == lines]
    top, bottom = min(min(moved), min(moved) + lines), max(max(moved), max(moved) + lines)
    freed = (UNKNOWN,) * len(new[top])
    if lines > 0:
        top = _raised(old, new, top, changed[0], lines)
        bottom = _lowered(old, new, bottom, changed[-1], lines)
    stay = scrolled = 0
    for y in range(top, bottom + 1):
        stay += _difference(old[y], new[y])
        scrolled += _difference(old[y + lines] if top <= y + lines <= bottom else freed, new[y])
    return (top, bottom, lines) if scrolled + _SCROLL_COST < stay else None


def _raised(old: Sequence[Row], new: Sequence[Row], top: int, first: int, lines: int) -> int:
    """The top of a scroll upwards, extended over moved rows that are not landmarks, such as blank ones."""
    best, cost, least = top, 0, 0
    for above in range(top - 1, first - 1, -1):
        cost += _difference(old[above + lines], new[above]) - _difference(old[above], new[above])
        if cost < least:
            best, least = above, cost
    return best


def _lowered(old: Sequence[Row], new: Sequence[Row], bottom: int, last: int, lines: int) -> int:
    """The bottom of a scroll upwards, extended over rows that moved and changed too.

    One such row is the last line of a growing text: it often gets words in the frame in which it scrolls.
    """
    freed = (UNKNOWN,) * len(new[bottom])
    best, cost, least = bottom, 0, 0
    for below in range(bottom + 1, last + 1):
        cost += _difference(old[below], new[below - lines]) + _difference(freed, new[below])
        cost -= _difference(freed, new[below - lines]) + _difference(old[below], new[below])
        if cost < least:
            best, least = below, cost
    return best


def _landmarks(rows: Sequence[Row], span: range) -> dict[str, int]:
    """The rows with a unique text, by that text."""
    places: dict[str, int] = {}
    twice: set[str] = set()
    for y in span:
        text = "".join(map(_TEXT_OF, rows[y][:-_SCROLLBAR])).strip()
        if places.setdefault(text, y) != y:
            twice.add(text)
    return {text: y for text, y in places.items() if text and text not in twice}


def _difference(old: Row, new: Row) -> int:
    """Approximate bytes to turn `old` into `new`; cells are compared by identity, for speed."""
    if old is new:
        return 0
    if old[0] is UNKNOWN:
        return len("".join([cell.text for cell in new]).rstrip()) + _MOVE_COST
    cells = sum(map(is_not, old, new))
    return cells and cells + _MOVE_COST
