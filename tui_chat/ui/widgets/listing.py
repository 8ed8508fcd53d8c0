"""A list to choose from: a row or two for each choice, drawn only where they are in view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Value = TypeVar("Value")

_INDENT: Final = "    "
_FOUND: Final = Style(bold=True, underline=True)


@dataclass(frozen=True, slots=True)
class Choice(Generic[Value]):
    """Something to choose."""

    value: Value
    name: str
    details: str = ""
    """What stands beside the name where there is room."""
    marked: bool = False
    """Whether it is the present one."""
    snippet: tuple[tuple[str, bool], ...] = ()
    """A second row: texts, and whether each is what was looked for."""
    also: str = ""
    """What a filter looks at too, though it is not shown."""

    @property
    def searched(self) -> str:
        """What a filter looks at."""
        return f"{self.name} {self.details} {self.also}".lower()


class Listing(ScrollView):
    """Choices below each other, one of them highlighted.

    Where a row is too long for the width its name gives way, down to half of it, then the rest; a mark says so.
    """

    DEFAULT_CSS = """
    Listing {
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        & > .listing--details { color: $text-muted; }
        & > .listing--highlighted {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--details", "listing--highlighted"}

    class Clicked(Message):
        """A choice was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices: Sequence[Choice[Any]] = ()
        self._rows: list[tuple[int, bool]] = []
        """Of each row: its choice, and whether it is the second one."""
        self._empty = ""
        self._highlighted: int | None = None

    def show(self, choices: Sequence[Choice[Any]], empty: str) -> None:
        """List these choices, the first one highlighted, or say that there are none."""
        self._choices, self._empty = choices, empty
        self._rows = [
            (index, second)
            for index, choice in enumerate(choices)
            for second in ((False, True) if choice.snippet else (False,))
        ]
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._highlighted = 0 if choices else None
        self.scroll_to(y=0, animate=False)
        self.refresh()

    @property
    def highlighted(self) -> int | None:
        """Which choice is highlighted."""
        return self._highlighted

    @highlighted.setter
    def highlighted(self, index: int | None) -> None:
        self._highlighted = None if index is None else max(0, min(len(self._choices) - 1, index))
        if self._highlighted is not None and self._choices:
            top = self._rows.index((self._highlighted, False))
            rows = 2 if self._choices[self._highlighted].snippet else 1
            self.scroll_to_region(Region(0, top, 1, rows), animate=False)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click takes a choice."""
        row = self.scroll_offset.y + event.y
        if row < len(self._rows):
            self.post_message(self.Clicked(self._rows[row][0]))

    def render_line(self, y: int) -> Strip:
        """The picture of a row of the view."""
        width, base, row = self.size.width, self.visual_style.rich_style, self.scroll_offset.y + y
        if row >= len(self._rows):
            words = self._empty if not self._choices and not row else ""
            strip = Strip([Segment(f"  {words}", self._details())] if words else [])
        else:
            index, second = self._rows[row]
            strip = Strip(self._second(index) if second else self._first(index))
            if index == self._highlighted:
                base += self.get_component_rich_style("listing--highlighted")
        if strip.cell_length > width:
            strip = Strip.join([strip.crop(0, width - 1), Strip([Segment("…")])])
        return strip.adjust_cell_length(width).apply_style(base)

    def _first(self, index: int) -> Iterator[Segment]:
        choice, width = self._choices[index], self.size.width - 2
        room = max(width // 2, width - cell_len(choice.details) - 2)
        fits = cell_len(choice.name) <= room
        yield Segment("● " if choice.marked else "  ")
        yield Segment(choice.name if fits else f"{set_cell_size(choice.name, room - 1)}…", Style(bold=True))
        if choice.details:
            yield Segment(f"  {choice.details}", None if index == self._highlighted else self._details())

    def _second(self, index: int) -> Iterator[Segment]:
        yield Segment(_INDENT)
        for text, found in self._choices[index].snippet:
            yield Segment(text, _FOUND if found else None)

    def _details(self) -> Style:
        return Style(color=self.get_component_rich_style("listing--details").color, dim=self.app.no_color)
