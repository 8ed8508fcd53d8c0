"""Lines of text with parts that are clicked."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widgets import Static


def clickable(text: Content, action: str) -> Content:
    """`text`, which carries out an action when it is clicked."""
    return text.stylize(Style.from_meta({"@click": action}))


_BETWEEN: Final = " · "


class Hint(Static):
    """A line of keys, as `Keymap.line` makes it; rows break between keys, not between a key and its words.

    A notice stands in its place for some seconds.
    """

    auto_links = False

    def __init__(self, line: Content, *, id: str | None = None) -> None:
        super().__init__(line, id=id)
        self._line = line
        self._notice = ""

    def say(self, line: Content) -> None:
        """Change the line; a notice stays before it."""
        self._line = line
        if not self._notice:
            self.update(line)

    def tell(self, notice: str, seconds: float) -> None:
        """Show a notice."""
        self._notice = notice
        self.set_class(bool(notice), "-notice")
        self.update(self._shown)
        if notice:
            self.set_timer(seconds, lambda: self.hush() if self._notice is notice else None)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002  Textual's
        """Cells of the longest line."""
        return max(line.cell_length for line in self._shown.split(allow_blank=True))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  Textual's
        """How many rows it needs at this width."""
        return len(self._rows(width))

    def render(self) -> Content:
        """The rows at the present width."""
        return Content("\n").join(self._rows(self.content_size.width))

    @property
    def _shown(self) -> Content:
        return Content(self._notice) if self._notice else self._line

    def _rows(self, width: int) -> list[Content]:
        return [row for line in self._shown.split(allow_blank=True) for row in _broken(line, max(1, width))]

    def hush(self) -> None:
        """End the notice, if there is one."""
        if self._notice:
            self.tell("", 0)


def _broken(line: Content, width: int) -> list[Content]:
    rows = [Content("")]
    for part in line.split(_BETWEEN):
        longer = Content.assemble(rows[-1], _BETWEEN, part) if rows[-1] else part
        if rows[-1] and longer.cell_length > width:
            rows.append(part)
        else:
            rows[-1] = longer
    return [short for row in rows for short in row.wrap(width)]
