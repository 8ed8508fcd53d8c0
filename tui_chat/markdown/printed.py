"""Markdown printed to a terminal that scrolls, without a screen: rows are written again where they change."""

from __future__ import annotations

from typing import Final

from rich.color import ColorSystem
from rich.segment import Segment

from tui_chat.markdown.document import Document
from tui_chat.markdown.inline import is_allowed
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.palette import Palette
from tui_chat.text.sanitize import clean_line

_NARROWEST: Final = 8
_COLOURS: Final = {
    "primary": "ansi_blue",
    "secondary": "ansi_cyan",
    "accent": "ansi_magenta",
    "success": "ansi_green",
    "warning": "ansi_yellow",
    "error": "ansi_red",
}
"""The terminal's own colours, which its user has chosen to be readable."""


class Printed:
    """A document that grows, and the sequences that keep a terminal showing it."""

    def __init__(self, columns: int, rows: int, *, colours: bool = True) -> None:
        """`columns` and `rows` of the terminal; with 0 rows, everything is printed at the end."""
        palette = Palette.from_theme(_COLOURS) if colours else Palette()
        self._document = Document(growing=rows > 0)
        self._layout = Layout(self._document, max(_NARROWEST, columns), palette)
        self._rows = rows
        self._printed = 0
        """Rows that are written; the cursor is in the last of them."""
        self._last = ""
        """The last of them, as it was written."""

    def append(self, text: str) -> str:
        """Add sanitised Markdown; the text and sequences to write."""
        self._document.append(text)
        return self._grown() if text and self._rows else ""

    def close(self) -> str:
        """End the document; the text and sequences to write."""
        self._document.growing = False
        last = self._grown()
        return last + "\n" if self._printed else last

    def _grown(self) -> str:
        """Go back to the first row that has changed, as far as it is still on the screen, and write from there."""
        changed, height = self._layout.take_changed(), self._layout.height
        if changed is None:
            return ""
        start = max(0, min(changed, height - 1), self._printed - self._rows)
        back = self._printed - 1 - start
        rows = ["".join(map(_written, self._layout.strip(y))) for y in range(start, height)]
        written = "\n".join(rows)
        if not back and self._printed and written.startswith(self._last):  # most often text joins the last row
            written = written[len(self._last) :]
        elif self._printed:
            written = ("\n" if back < 0 else "\r" + (f"\x1b[{back}A" if back else "") + "\x1b[J") + written
        self._printed, self._last = height, rows[-1] if rows else ""
        return written


def _written(segment: Segment) -> str:
    style = segment.style
    if style is None:
        return segment.text
    href = clean_line(str(style.meta.get("href", "")), 2000)
    if is_allowed(href):
        style = style.update_link(href)
    return style.render(segment.text, color_system=ColorSystem.STANDARD)
