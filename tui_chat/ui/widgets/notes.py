"""Rows between log and composer."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Notes(Widget):
    """Rows that are cut to the width; hidden while there are none."""

    auto_links = False
    rows: reactive[tuple[Content, ...]] = reactive[tuple[Content, ...]](())

    def watch_rows(self, before: tuple[Content, ...], rows: tuple[Content, ...]) -> None:
        """Another number of rows needs another layout."""
        self.display = bool(rows)
        if len(rows) != len(before):
            self.refresh(layout=True)

    def render(self) -> Content:
        """The rows."""
        return Content("\n").join(self.rows)


class Waiting(Notes):
    """The prompts that wait for the reply before them: a dimmed, numbered row for each."""


class CommandView(Notes):
    """A shell command that runs, and under it the last lines of its output."""


class AttachmentRows(Notes):
    """A row for each attached file; of many, only the first ones."""
