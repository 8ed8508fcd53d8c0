"""The bottom line: what is going on, or what went wrong and what to do about it, and the keys that matter."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.phrases import shortened


@dataclass(frozen=True, slots=True)
class Status:
    """What the bar says."""

    text: str = "ready"
    hint: str = ""
    error: bool = False
    busy: bool = False


class StatusBar(Widget):
    """One line, or as many as an error needs (up to the height that the style sheet allows).

    The first of the keys keeps its place before all but the first words of the status.
    """

    status: reactive[Status] = reactive(Status(), layout=True)
    keys: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """The keys on the right: label and word."""

    def watch_status(self, status: Status) -> None:
        """An error colours the whole bar."""
        self.set_class(status.error, "-error")

    def render(self) -> Content:
        """Status on the left, keys on the right as far as they fit; an error takes the keys' room."""
        status, width = self.status, self.size.width - 2
        if status.error:
            said = Content.assemble(("✗ ", "bold"), (status.text, "bold"))
            return Content.assemble(said, "  ", status.hint) if status.hint else said
        dot = "●" if status.busy else "○"
        text = f"{dot} {status.text}" + (f" · {status.hint}" if status.hint else "")
        first = sum(map(cell_len, self.keys[0])) + 3 if self.keys else 0
        has_room = cell_len(text.partition(" · ")[0]) + first <= width
        left = _fitted(text, width - first if has_room else width)
        parts: list[tuple[str, str]] = []
        used = cell_len(left) + 2
        for label, word in self.keys:
            cost = cell_len(label) + cell_len(word) + 3
            if used + cost > width + 2:
                break  # what matters less is not shown instead
            parts.append((label, word))
            used += cost
        right = Content("  ").join(
            Content.assemble((label, "bold"), " ", (word, "$foreground 70%")) for label, word in parts
        )
        gap = max(1, width - cell_len(left) - right.cell_length)
        return Content.assemble(left, " " * gap, right) if parts else Content(left)


def _fitted(text: str, width: int) -> str:
    """`text` in one row: of its parts the last ones give way, then its end."""
    while cell_len(text) > width and " · " in text:
        text = text.rpartition(" · ")[0]
    return shortened(text, width)
