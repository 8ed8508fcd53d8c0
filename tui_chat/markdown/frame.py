"""The space left of and above a unit: the bars of quotes, the markers of items, a blank row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import NO_GAP, Container, Note, Place, Quote
from tui_chat.markdown.wrap import chop
from tui_chat.text.clusters import unjoined

_BAR: Final = "▎ "
_BULLETS: Final = "•◦▪"
_READABLE: Final = 20
"""Cells of content below which nesting takes no more than half of the width."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The cells left of a unit's rows, and the rows above it.

    Args:
        width: its cells, the same on each row.
        first: on the first row, which shows markers.
        rest: on the other rows.
        lead: its Markdown in a copy of the first row; `lead_rest` of the others.
        above: rows above the unit, with their leads: the blank row, and markers that do not fit beside it.
    """

    width: int = 0
    first: tuple[Segment, ...] = ()
    rest: tuple[Segment, ...] = ()
    lead: str = ""
    lead_rest: str = ""
    above: tuple[tuple[tuple[Segment, ...], str], ...] = ()


_NONE: Final = Prefix()
_BLANK: Final = Prefix(above=(((), ""),))


def prefix_of(place: Place, width: int, palette: Palette) -> Prefix:
    """The prefix of a unit at `place` in rows of `width` cells."""
    if not place.path:
        return _NONE if place.gap == NO_GAP else _BLANK
    shown = len(place.path) - place.fresh
    outer = _first_that_fits(place.path, width)
    first, rest = [], []
    lead = lead_rest = ""
    for depth, container in enumerate(place.path):
        mark, blank, written, indent = _marker(container)
        lead += written if depth >= shown else indent
        lead_rest += indent
        if depth >= outer:
            style = _style(container, palette)
            first.append(Segment(mark if depth >= shown else blank, style))
            rest.append(Segment(blank, style))
    above = list(_gap(place, outer, palette))
    if shown < outer:
        lost = "".join(_marker(container)[0] for container in place.path[shown:outer])
        above += [(tuple(line.segments()), "") for line in chop([(lost.rstrip(), palette.marker)], width)]
    cells = sum(cell_len(segment.text) for segment in rest)
    return Prefix(cells, tuple(first), tuple(rest), lead, lead_rest, tuple(above))


def _style(container: Container, palette: Palette) -> Style:
    """The colour of a container's mark."""
    return palette.alerts.get(container.alert, palette.quote) if isinstance(container, Quote) else palette.marker


def _first_that_fits(path: tuple[Container, ...], width: int) -> int:
    """The outermost container whose prefix is drawn: where nesting is too deep, the inner ones win."""
    room = max(width - _READABLE, width // 2)
    for depth in range(len(path) - 1, -1, -1):
        room -= cell_len(_marker(path[depth])[1])
        if room < 0:
            return depth + 1
    return 0


def _gap(place: Place, outer: int, palette: Palette) -> list[tuple[tuple[Segment, ...], str]]:
    """The blank row above, in which the bars of quotes go on."""
    if place.gap == NO_GAP:
        return []
    around = place.path[: place.gap]
    bars = [Segment(_marker(container)[1], _style(container, palette)) for container in around[outer:]]
    while bars and bars[-1].text.isspace():
        bars.pop()
    if bars:
        bars[-1] = Segment(bars[-1].text.rstrip(), bars[-1].style)
    lead = "".join(_marker(container)[3] for container in around).rstrip()
    return [(tuple(bars), lead)]


def _marker(container: Container) -> tuple[str, str, str, str]:
    """A container's marker and, for the other rows, a filler of its width; both again as in Markdown."""
    if isinstance(container, Quote):
        return _BAR, _BAR, "> ", "> "
    if isinstance(container, Note):
        mark = f"[{unjoined(container.label)}] "
        return mark, " " * cell_len(mark), f"[^{container.label}]: ", " " * 4
    number = "" if container.number is None else str(container.number)
    written = f"{number}{container.delimiter} "
    mark, lead = written if number else f"{_BULLETS[container.depth % len(_BULLETS)]} ", written
    if container.task is not None:
        mark, lead = ("☑ ", f"{written}[x] ") if container.task else ("☐ ", f"{written}[ ] ")
    return mark, " " * len(mark), lead, " " * len(written)
