"""Copy a selection of rows: the text as it was written, not as it was wrapped and framed."""

from __future__ import annotations

from rich.cells import cell_len

from tui_chat.markdown.draw import Row, Rows
from tui_chat.text.clusters import clusters, unjoined

Position = tuple[int, int]
"""A row and a cell in it."""


def copied(layout: Rows, start: Position, end: Position) -> str:
    """The text from `start` up to `end`, which is not included.

    Wrapped rows are joined, gutters and frames left out; markers of lists and quotes stand as Markdown has them. A
    table or frame is given as its source where more than one row is selected.
    """
    (first, left), (last, right) = start, end
    if first == last:
        row = layout.row(first)
        lead = row.lead if left < row.indent and right > row.indent else ""
        return lead + _slice(row, left, right)
    parts: list[str] = []
    for y in range(first, min(last, layout.height - 1) + 1):
        row = layout.row(y)
        begin = left if y == first else 0
        stop = right if y == last else None
        if y == last and right == 0:
            break
        whole = begin <= row.indent and (stop is None or stop >= row.strip().cell_length)
        text = row.source if whole and row.source is not None else _slice(row, begin, stop)
        if row.continues and (y > first or not text):
            parts.append(text)
        else:
            lead = row.lead if begin <= row.indent and not row.continues else ""
            parts.append(("\n" if y > first else "") + (lead + text).replace("\n", "\n" + " " * len(lead)))
    return "".join(parts)


def _slice(row: Row, begin: int, stop: int | None) -> str:
    """The content between two cells of the row; up to its end, spaces included, if `stop` is None.

    A formula is given as it was written.
    """
    cell = row.indent
    picked = []
    written = _written(row)
    for start, end, width in clusters(unjoined(row.text)):
        if cell >= begin and (stop is None or cell < stop):
            picked.append(written.get(cell, row.text[start:end]))
        cell += width
    return "".join(picked)


def _written(row: Row) -> dict[int, str]:
    """The source of each cell that shows something else than its source, by cell."""
    written: dict[int, str] = {}
    cell = 0
    for text, style, _ in row.segments:
        start, cell = cell, cell + cell_len(text)
        if style is not None and style.meta and (source := style.meta.get("source")) is not None:
            written |= dict.fromkeys(range(start, cell), source)
    return written
