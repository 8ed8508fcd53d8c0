"""The columns of each table and code block of a layout, as wide as all of its rows need."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.markdown.draw import NOTHING, Painter, State
from tui_chat.markdown.table import Columns
from tui_chat.markdown.units import Run, Unit, begins_run


class Grids:
    """Columns by `Unit.run`."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._grids: dict[int, tuple[int, Columns]] = {}
        """Where each table or code block begins, and its columns."""

    def columns_of(self, unit: Unit) -> Columns | None:
        """The columns of the table or code block that a unit is of."""
        return self._grids[unit.run][1] if isinstance(unit, Run) else None

    def begin(self, start: int, units: Sequence[Unit]) -> None:
        """Fit columns to the table or code block that `units` begin with, at slot `start`."""
        if begins_run(units[0]):
            self._fit(start, units[0], NOTHING, units)

    def go_on(self, last: Unit | None, after: State, units: Sequence[Unit]) -> tuple[int, bool] | None:
        """Fit the columns of what `last` belongs to, which goes on with `units` or ends.

        Where they have changed: the first slot that has them, and whether all fitted before and after, so that no
        height has changed.
        """
        if not isinstance(last, Run):
            return None
        start, old = self._grids[last.run]
        new = self._fit(start, last, after, units)
        return None if (old.widths, old.fits) == (new.widths, new.fits) else (start, old.fits and new.fits)

    def _fit(self, start: int, last: Run, state: State, units: Sequence[Unit]) -> Columns:
        for unit in units:
            if not isinstance(unit, Run) or unit.run != last.run:
                break
            last, state = unit, self._painter.measured(unit, state)
        columns = self._painter.columns(last, state.columns)
        self._grids[last.run] = start, columns
        return columns
