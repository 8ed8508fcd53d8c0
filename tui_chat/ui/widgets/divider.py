"""The rule between log and composer, which says when there is more below."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Divider(Widget):
    """A rule with a few words at its right end."""

    below: reactive[int | None] = reactive[int | None](None)
    """Rows that came since the reader left the end; None while the log follows."""

    def render(self) -> Content:
        """The rule."""
        width = self.size.width
        if self.below is None:
            return Content("─" * width)
        new = f"{self.below} new line{'s' if self.below != 1 else ''}" if self.below else "more below"
        text = f" ↓ {new} · End "
        return Content.assemble("─" * max(0, width - cell_len(text) - 1), (text, "bold reverse"), "─")
