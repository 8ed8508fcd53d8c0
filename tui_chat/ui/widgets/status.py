"""The bottom line: status or error on the left, the most useful keys on the right."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.errors import ChatError
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.phrases import advice, shortened
from tui_chat.ui.widgets.clickable import clickable

Keys = tuple[tuple[str, str, str], ...]
"""Labels of keys, their words and actions; the last one is the help's."""


@dataclass(frozen=True, slots=True)
class Status:
    """The text of the bar."""

    text: str = "ready"
    hint: str = ""
    error: bool = False
    busy: bool = False


class StatusBar(Widget):
    """One line, or as many as an error needs (up to the height that the style sheet allows).

    The first key and the help's key win over all but the first words of the status.
    """

    auto_links = False

    status: reactive[Status] = reactive(Status(), layout=True)
    keys: reactive[Keys] = reactive(())
    """The keys on the right."""

    def watch_status(self, status: Status) -> None:
        """An error colours the whole bar, and on a short screen it takes rows from others."""
        self.set_class(status.error, "-error")
        self.screen.set_class(status.error, "-trouble")

    def watch_keys(self) -> None:
        """An error may need another row for its keys."""
        if self.status.error:
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  Textual's
        """How many rows it needs at this width."""
        return len(self._rows(width))

    def render(self) -> Content:
        """The rows at the present width."""
        return Content("\n").join(self._rows(self.size.width))

    def _rows(self, width: int) -> list[Content]:
        if not self.status.error:
            return [status_row(self.status, self.keys, width)]
        limit = self.styles.max_height
        return error_rows(self.status, self.keys, width, int(limit.value) if limit is not None else 1)


def trouble(error: ChatError, keys: Keymap) -> Status:
    """An error, and what helps."""
    return Status(error.sentence, advice(error, keys), error=True)


def status_row(status: Status, keys: Keys, width: int) -> Content:
    """Status on the left, as many keys as fit on the right."""
    dot = "●" if status.busy else "○"
    text = f"{dot} {status.text}" + (f" · {status.hint}" if status.hint else "")
    needed = _labelled(_chosen(keys, 2)).cell_length + 2 if keys else 0
    has_room = cell_len(text.partition(" · ")[0]) + needed <= width
    return _with_keys(Content(_fitted(text, width - needed if has_room else width)), keys, width)


def error_rows(status: Status, keys: Keys, width: int, height: int) -> list[Content]:
    """An error and its hint in at most `height` rows that end with at least two keys.

    If that is too long, the error is cut down to one row, then the hint.
    """
    width = max(0, width - 2)  # left of the text stands the mark
    needed, slack = _labelled(_chosen(keys, 2)).cell_length, max(1, width // 4)
    text, hint = shortened(status.text, width * height), shortened(status.hint, width * height)
    while True:
        said = Content.assemble((text, "bold"), f"  {hint}" if hint else "")
        rows = [row.rstrip() for row in said.wrap(width)]
        if needed and rows[-1].cell_length + 2 + needed > width:
            rows.append(Content(""))
        if len(rows) <= height or cell_len(text) <= 1 >= cell_len(hint):
            rows = [*rows[:-1], _with_keys(rows[-1], keys, width, "")]
            marks = (Content.styled("✗ ", "bold"), *[Content("  ")] * len(rows))
            return [mark + row for mark, row in zip(marks, rows, strict=False)]
        if cell_len(text) > max(1, width) or not hint:
            text = shortened(text, cell_len(text) - slack)
        else:
            hint = shortened(hint, cell_len(hint) - slack) if cell_len(hint) > 1 else ""


def _chosen(keys: Keys, count: int) -> Keys:
    """The first `count` keys, the last of them replaced by the help's."""
    return keys if count >= len(keys) else (*keys[: max(0, count - 1)], keys[-1])


def _with_keys(left: Content, keys: Keys, width: int, style: str = "$text-muted") -> Content:
    """A row with as many keys at its right end as fit, their words in a style."""
    gap = 2 if left else 0
    room = width - left.cell_length - gap
    choices = (_labelled(_chosen(keys, count), style) for count in range(len(keys), 0, -1))
    right = next((each for each in choices if each.cell_length <= room), Content(""))
    return Content.assemble(left, " " * (room + gap - right.cell_length), right) if right else left


def _labelled(keys: Keys, style: str = "") -> Content:
    return Content("  ").join(
        clickable(Content.assemble((label, "bold"), " ", (word, style)), action) for label, word, action in keys
    )


def _fitted(text: str, width: int) -> str:
    """`text` in one row: its last parts are dropped first, then its end is cut."""
    while cell_len(text) > width and " · " in text:
        text = text.rpartition(" · ")[0]
    return shortened(text, width)
