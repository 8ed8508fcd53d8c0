"""A scroll view that draws its rows itself, and whose content grows and shrinks without a layout of the screen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from tui_chat.terminal.textual_private import vertical_scrollbar
from tui_chat.ui.widgets.scrollbar import WholeCellScrollBar


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

    def shows_thumb(self) -> bool:
        """Whether the scrollbar is to show where the view is."""
        return True

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scrollbar, made when first asked for, as Textual makes its own."""
        return vertical_scrollbar(self, lambda: WholeCellScrollBar(self.shows_thumb))

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
