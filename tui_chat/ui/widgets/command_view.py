"""A shell command that runs, above the composer."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.phrases import shortened


class CommandView(Widget):
    """The command, and under it the last lines of its output."""

    DEFAULT_CSS = "CommandView { height: auto; width: 100%; }"
    head: reactive[str] = reactive("")
    """The command and how long it runs; empty while none does."""
    lines: reactive[tuple[str, ...]] = reactive[tuple[str, ...]]((), layout=True)

    def watch_head(self, head: str) -> None:
        """Hide while no command runs."""
        self.display = bool(head)

    def render(self) -> Content:
        """The rows."""
        width = self.content_size.width
        rows = [Content.styled(shortened(line.expandtabs(), width), "$text-muted") for line in self.lines]
        return Content("\n").join([Content.styled(shortened(self.head, width), "$you"), *rows])
