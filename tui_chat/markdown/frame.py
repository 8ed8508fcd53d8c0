"""The space left of and above a unit: the bars of quotes, the markers of items, a blank row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import NO_GAP, Container, Item, Note, Place, Quote
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
        mark, blank = _marks(container)
        lead += _lead(container) if depth >= shown or isinstance(container, Quote) else _lead_rest(container)
        lead_rest += _lead_rest(container)
        if depth >= outer:
            style = _style(container, palette)
            first.append(Segment(mark if depth >= shown else blank, style))
            rest.append(Segment(blank, style))
    above = list(_gap(place, outer, palette))
    if shown < outer:
        lost = "".join(_marks(container)[0] for container in place.path[shown:outer])
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
        room -= cell_len(_marks(path[depth])[1])
        if room < 0:
            return depth + 1
    return 0


def _gap(place: Place, outer: int, palette: Palette) -> list[tuple[tuple[Segment, ...], str]]:
    """The blank row above, in which the bars of quotes go on."""
    if place.gap == NO_GAP:
        return []
    around = place.path[: place.gap]
    bars = [Segment(_marks(container)[1], _style(container, palette)) for container in around[outer:]]
    while bars and bars[-1].text.isspace():
        bars.pop()
    if bars:
        bars[-1] = Segment(bars[-1].text.rstrip(), bars[-1].style)
    lead = "".join(_lead_rest(container) for container in around).rstrip()
    return [(tuple(bars), lead)]


def _marks(container: Container) -> tuple[str, str]:
    """A container's marker, and the filler of the same width for the other rows."""
    if isinstance(container, Quote):
        return _BAR, _BAR
    if isinstance(container, Note):
        mark = f"[{unjoined(container.label)}] "
    elif container.task is not None:
        mark = "☑ " if container.task else "☐ "
    elif container.number is not None:
        mark = f"{container.number}{container.delimiter} "
    else:
        mark = f"{_BULLETS[container.depth % len(_BULLETS)]} "
    return mark, " " * cell_len(mark)


def _lead(container: Container) -> str:
    """A container's marker as it is written in Markdown."""
    if isinstance(container, Quote):
        return "> "
    if isinstance(container, Note):
        return f"[^{container.label}]: "
    number = "" if container.number is None else str(container.number)
    task = "" if container.task is None else "[x] " if container.task else "[ ] "
    return f"{number}{container.delimiter} {task}"


def _lead_rest(container: Container) -> str:
    if isinstance(container, Quote):
        return "> "
    if isinstance(container, Item):
        number = "" if container.number is None else str(container.number)
        return " " * (len(number) + 2)
    return "    "
