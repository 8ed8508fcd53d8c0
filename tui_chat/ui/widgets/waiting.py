"""The prompts that wait for the reply before them, below the log."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.text.sanitize import clean_line
from tui_chat.ui.phrases import shortened

_ROWS: Final = 4


class Waiting(Widget):
    """A dimmed, numbered row for each; of many only the first ones."""

    DEFAULT_CSS = "Waiting { height: auto; width: 100%; }"
    prompts: reactive[tuple[str, ...]] = reactive[tuple[str, ...]]((), layout=True)

    def watch_prompts(self, prompts: tuple[str, ...]) -> None:
        """Hide while no prompt waits."""
        self.display = bool(prompts)

    def render(self) -> Content:
        """The rows."""
        width, count = self.content_size.width, len(self.prompts)
        shown = self.prompts if count <= _ROWS else self.prompts[: _ROWS - 1]
        rows = [shortened(f"{number} {clean_line(text, 500)}", width) for number, text in enumerate(shown, 1)]
        if len(shown) < count:
            rows.append(f"… and {count - len(shown)} more")
        return Content("\n").join(Content.styled(row, "$text-muted") for row in rows)
