"""The report: a row per promise, with its target and whether it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_HEADINGS = ("measure", "tui-chat", "before", "minimal app", "print loop", "to reach", "")
_WIDTHS = (62, 12, 12, 12, 12, 34, 6)


@dataclass(frozen=True, slots=True)
class Row:
    """One promise and the figures about it."""

    name: str
    unit: str
    ours: float
    target: str
    kept: bool
    minimal: float | None = None
    printed: float | None = None
    before: float | None = None
    """The figure of an older tui-chat, in the same run."""

    def json(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The row as text, a piece per column."""
        figures = (_figure(value, self.unit) for value in (self.ours, self.before, self.minimal, self.printed))
        return (self.name, *figures, self.target, "ok" if self.kept else "MISSED")


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def heading() -> str:
    """The first lines of the table."""
    return _line(_HEADINGS) + "\n" + _line(tuple("─" * width for width in _WIDTHS))


def line(row: Row) -> str:
    """A row of the table."""
    return _line(row.cells())
