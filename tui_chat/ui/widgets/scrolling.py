"""Views that scroll: rows that they draw themselves, and a scrollbar that costs next to nothing.

The bar has whole cells, in the colours of the text, and only where it is of use. Textual's own has ends of an
eighth of a cell, so that almost every new line of a reply changes it. It is rendered from top to bottom at every
change, and every row that scrolls has to switch to its colours and back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.containers import VerticalScroll
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from tui_chat.terminal.textual_private import vertical_scrollbar

_THUMB: Final = "┃"


class WholeCellScrollBar(ScrollBar):
    """A vertical scrollbar, one cell wide; the mouse does with it what it does with Textual's.

    While the view follows the end the thumb is not shown: it is known where it would be, and it would have to be
    drawn anew with every row that scrolls.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        """`is_wanted`: whether to show the thumb."""
        super().__init__(vertical=True, name="vertical")
        self._is_wanted = is_wanted

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of the bar within a region of it."""
        log = self.parent
        assert isinstance(log, Widget)
        style = log.visual_style.rich_style
        glyph, thumb_style = _THUMB if self._is_wanted() else " ", style
        if self.grabbed or self.mouse_over:
            glyph = _THUMB
            colour = log.styles.scrollbar_color_active if self.grabbed else log.styles.scrollbar_color_hover
            thumb_style = style + Style(color=colour.rich_color)
        above, thumb, below = self._parts()
        bar = [_cell(" ", style, "scroll_up")] * above
        bar += [_cell(glyph, thumb_style, "grab")] * thumb
        bar += [_cell(" ", style, "scroll_down")] * below
        strips = bar[crop.y : crop.bottom]
        _, background = log.background_colors
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    def _parts(self) -> tuple[int, int, int]:
        """Cells above the thumb, of it, and below it."""
        height, hidden = self.size.height, self.window_virtual_size - self.window_size
        if hidden <= 0 or not self.window_size:
            return height, 0, 0
        thumb = max(1, round(height * self.window_size / self.window_virtual_size))
        above = round((height - thumb) * min(1.0, self.position / hidden))
        return above, thumb, height - thumb - above


def thin_scrollbar(widget: Widget, is_wanted: Callable[[], bool] = lambda: True) -> ScrollBar:
    """The vertical scrollbar of a widget, made when first asked for, as Textual makes its own."""
    return vertical_scrollbar(widget, lambda: WholeCellScrollBar(is_wanted))


class ThinScroll(VerticalScroll):
    """Textual's container that scrolls up and down, with this scrollbar."""

    vertical_scrollbar = property(thin_scrollbar)


class RowStrip(Strip):
    """A row as it goes to the screen.

    Textual's own strip, when shown whole, remembers itself as its own division: a cycle that only the garbage
    collector ends. A row or more of every frame would wait for it, kilobytes each.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The parts between the cuts."""
        inside = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if inside == [self.cell_length] else super().divide(inside)


class LineView(ScrollView):
    """Scrolls up and down over rows; a subclass draws them in `picture`."""

    vertical_scrollbar = property(thin_scrollbar)

    def resize_content(self, size: Size) -> None:
        """The content is this large from now on."""
        if size != self.virtual_size:
            # Not by assignment: that would lay out the whole screen, and only the scrollbar has to know.
            self.set_reactive(LineView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height

    def shown(self, strip: Strip) -> RowStrip:
        """`strip` as it goes to the screen, in colours that the terminal has; to be kept by the caller."""
        segments, (_, background) = [*strip], self.background_colors
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, background)
        return RowStrip(segments, strip.cell_length)

    @abstractmethod
    def picture(self, y: int) -> RowStrip:
        """A row of the view; the same object while nothing changes, so that Textual's caches hold."""

    def render_line(self, y: int) -> Strip:
        """A row of the view, for lookups of what is at a place in it."""
        return self.picture(y)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of the view within a region of it.

        Textual's own way remembers them by their place in the view, and forgets them all at every scroll. It could
        also draw borders, padding and opacity around them, of which these views have none.
        """
        strips: list[Strip] = [self.picture(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips


@lru_cache(maxsize=64)
def _cell(text: str, style: Style, action: str) -> Strip:
    return Strip([Segment(text, style + Style.from_meta({"@mouse.down": action}))], 1)
