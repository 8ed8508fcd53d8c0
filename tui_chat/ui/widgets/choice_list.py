"""A list to choose from: a row or two for each choice, drawn only where they are in view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar, Final, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from tui_chat.ui.phrases import shortened
from tui_chat.ui.widgets.scrolling import LineView, RowStrip

Value = TypeVar("Value")

_INDENT: Final = "    "
_AROUND: Final = 9
"""Rows of the screen that a list leaves free: for its title, filter, hint and edges, and some air."""
_NAME: Final = Style(bold=True)
_FOUND: Final = Style(bold=True, underline=True)


@dataclass(frozen=True, slots=True)
class Choice(Generic[Value]):
    """Something to choose."""

    value: Value
    name: str
    details: tuple[str, ...] = ()
    """Columns at the right. The last ones go first where there is little room."""
    marked: bool = False
    """Whether it is the present one."""
    mark: str = ""
    """The sign before its name; the present one has one in any case."""
    snippet: tuple[tuple[str, bool], ...] = ()
    """A second row: texts, and whether each is what was looked for."""
    also: str = ""
    """Text that is not shown, but that a filter matches too."""

    @property
    def searched(self) -> str:
        """The text that a filter matches."""
        return f"{self.name} {' '.join(self.details)} {self.also}".lower()


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a choice: its first or its second."""

    choice: Choice[Any]
    second: bool
    highlighted: bool
    columns: tuple[int, ...]
    """The widths of all columns, that of the names first."""


def matching(typed: str, choices: Iterable[Choice[Value]]) -> list[Choice[Value]]:
    """The choices that contain all words that are typed."""
    words = typed.lower().split()
    return [choice for choice in choices if all(word in choice.searched for word in words)]


class ChoiceList(LineView):
    """Choices below each other, one of them highlighted.

    It is as high as the most that it has shown. Where the width is too small for all columns some are left out; of
    what is still too long a mark shows the cut.
    """

    DEFAULT_CSS = """
    ChoiceList {
        height: auto; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
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

        def __init__(self, choice: Choice[Any]) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices: Sequence[Choice[Any]] = ()
        self._rows: list[tuple[int, bool]] = []
        """Of each row: its choice, and whether it is the second one."""
        self._columns: tuple[int, ...] = ()
        """The widest text in each column, that of the names first."""
        self._tallest = 1
        self._empty = ""
        self._outdated = False
        self._highlighted: int | None = None
        self._drawn: dict[int, tuple[_Row | str, int, RowStrip]] = {}
        """Of each row of the view, what was drawn last and for which width."""

    def show(self, choices: Sequence[Choice[Any]], empty: str, *, keep: bool = False) -> None:
        """List these choices, the first one highlighted, or say that there are none.

        With `keep` the highlighted choice stays so; if it is gone, the one in its place is highlighted.
        """
        before, row = self.choice, self._highlighted
        self._outdated = False
        with self._repainting():
            self._choices, self._empty = choices, empty
            self._rows = [(at, nth > 0) for at, it in enumerate(choices) for nth in range(1 + bool(it.snippet))]
            columns = zip_longest(*((choice.name, *choice.details) for choice in choices), fillvalue="")
            self._columns = tuple(max(map(cell_len, column)) for column in columns)
            self.resize_content(Size(self.size.width, len(self._rows)))
            if len(self._rows) > self._tallest:  # it does not shrink: nothing jumps while one types
                self._tallest = len(self._rows)
                self.refresh(layout=True)
            self._highlighted = 0 if choices else None
            self.scroll_to(y=0, animate=False)
        if keep and before is not None:
            self.highlighted = row if choices else None
            self.highlight(before.value)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  Textual's
        """As many rows as it has shown at once, with room for what stands around it."""
        return min(self._tallest, max(1, self.app.size.height - _AROUND))

    @property
    def highlighted(self) -> int | None:
        """Which choice is highlighted."""
        return self._highlighted

    @highlighted.setter
    def highlighted(self, index: int | None) -> None:
        with self._repainting():
            self._highlighted = None if index is None else max(0, min(len(self._choices) - 1, index))
            if self._highlighted is not None and self._choices:
                top = self._rows.index((self._highlighted, False))
                rows = 2 if self._choices[self._highlighted].snippet else 1
                self.scroll_to_region(Region(0, top, 1, rows), animate=False)

    def on_resize(self) -> None:
        """Show the rows from the top on, if the highlighted one is among them."""
        with self._repainting():
            self.scroll_to(y=0, animate=False)
            self.highlighted = self._highlighted

    @property
    def choices(self) -> Sequence[Choice[Any]]:
        """The choices that can be taken now."""
        return () if self._outdated else self._choices

    @property
    def choice(self) -> Choice[Any] | None:
        """The highlighted choice, if it can be taken."""
        return self.choices[self._highlighted] if self.choices and self._highlighted is not None else None

    def highlight(self, value: object) -> None:
        """Highlight a choice by its value, if it is there."""
        index = next((at for at, choice in enumerate(self._choices) if choice.value == value), None)
        if index is not None:
            self.highlighted = index

    def outdate(self) -> None:
        """Take no choice until the next ones are shown."""
        self._outdated = True

    @contextmanager
    def _repainting(self) -> Iterator[None]:
        """Paint the rows of the view that the block changes."""
        before = [self._row(y) for y in range(self.size.height)]
        yield
        changed = [y for y, was in enumerate(before) if self._row(y) != was]
        if changed:
            self.refresh(Region(0, changed[0], self.size.width, changed[-1] + 1 - changed[0]))

    def _row(self, y: int) -> _Row | str:
        """The content of a row of the view."""
        row = self.scroll_offset.y + y
        if row >= len(self._rows):
            return self._empty if not self._choices and not row else ""
        index, second = self._rows[row]
        return _Row(self._choices[index], second, index == self._highlighted, () if second else self._columns)

    def on_click(self, event: events.Click) -> None:
        """A click takes a choice."""
        row = self.scroll_offset.y + event.y
        if row < len(self._rows) and not self._outdated:
            self.post_message(self.Clicked(self._choices[self._rows[row][0]]))

    def notify_style_update(self) -> None:
        """The colours may be others now."""
        self._drawn.clear()
        super().notify_style_update()

    def picture(self, y: int) -> RowStrip:
        """A row of the view: drawn once, though Textual asks at every change of the screen."""
        row, width = self._row(y), self.scrollable_content_region.width
        drawn = self._drawn.get(y)
        if drawn is None or drawn[:2] != (row, width):
            drawn = self._drawn[y] = row, width, self._draw(row, width)
        return drawn[2]

    def _draw(self, row: _Row | str, width: int) -> RowStrip:
        base = self.visual_style.rich_style
        if isinstance(row, str):
            segments = [Segment(f"  {row}", self._details())] if row else []
        else:
            segments = [*(self._second(row.choice) if row.second else self._first(row, width - 2))]
            if row.highlighted:
                base += self.get_component_rich_style("listing--highlighted")
        mark = "…" if sum(segment.cell_length for segment in segments) > width else ""
        line = Segment.adjust_line_length(segments, width - len(mark))
        return self.shown(Strip(Segment.apply_style([*line, Segment(mark)] if mark else line, base), width))

    def _first(self, row: _Row, width: int) -> Iterator[Segment]:
        choice, (longest, *columns) = row.choice, row.columns
        while columns and sum(size + 2 for size in columns if size) + min(longest, width // 2) > width:
            columns = columns[:-1]  # in all rows the same ones
        cells = zip(columns, (*choice.details, *[""] * len(columns)), strict=False)
        beside = "".join(f"  {_aligned(text, size)}" for size, text in cells if size)
        room = max(0, width - cell_len(beside))
        yield Segment(f"{choice.mark or ('●' if choice.marked else ' ')} ")
        yield Segment(set_cell_size(shortened(choice.name, room), room), _NAME)
        if beside:
            yield Segment(beside, None if row.highlighted else self._details())

    def _second(self, choice: Choice[Any]) -> Iterator[Segment]:
        yield Segment(_INDENT)
        for text, found in choice.snippet:
            yield Segment(text, _FOUND if found else None)

    def _details(self) -> Style:
        return Style(color=self.get_component_rich_style("listing--details").color, dim=self.app.no_color)


def _aligned(text: str, width: int) -> str:
    """`text` in so many cells; figures, and `now` among ages, stand at the right."""
    is_figure = text[:1].isdigit() or text == "now"
    return " " * (width - cell_len(text)) + text if is_figure else set_cell_size(text, width)
