"""The bottom line: what is going on, or what went wrong and what to do about it, and the keys that matter."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.errors import ChatError, Remedy
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.phrases import advice, shortened
from tui_chat.ui.widgets.clickable import clickable

Keys = tuple[tuple[str, str, str], ...]
"""Labels of keys, what they do, in a word, and the actions that do it; the last one is that of the help."""


@dataclass(frozen=True, slots=True)
class Status:
    """The content of the bar."""

    text: str = "ready"
    hint: str = ""
    error: bool = False
    busy: bool = False


class StatusBar(Widget):
    """One line, or as many as an error needs (up to the height that the style sheet allows).

    The first of the keys and that of the help keep their places before all but the first words of the status.
    """

    auto_links = False

    status: reactive[Status] = reactive(Status(), layout=True)
    keys: reactive[Keys] = reactive(())
    """The keys on the right."""

    def watch_status(self, status: Status) -> None:
        """An error colours the whole bar."""
        self.set_class(status.error, "-error")

    def watch_keys(self) -> None:
        """An error may need another row for them."""
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


def trouble(error: ChatError, keys: Keymap, *more: Remedy) -> Status:
    """An error as the bar shows it: the problem and `phrases.advice`."""
    return Status(str(error), advice(error, keys, *more), error=True)


def status_row(status: Status, keys: Keys, width: int) -> Content:
    """Status on the left, keys on the right as far as they fit."""
    dot = "●" if status.busy else "○"
    text = f"{dot} {status.text}" + (f" · {status.hint}" if status.hint else "")
    needed = _labelled(_chosen(keys, 2)).cell_length + 2 if keys else 0
    has_room = cell_len(text.partition(" · ")[0]) + needed <= width
    return _with_keys(Content(_fitted(text, width - needed if has_room else width)), keys, width)


def error_rows(status: Status, keys: Keys, width: int, height: int) -> list[Content]:
    """The problem and its remedy, in at most `height` rows that end with keys, with two of them at least.

    Where that is too much, what went wrong gives way down to a row, then what helps.
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
            rows = [*rows[:-1], _with_keys(rows[-1], keys, width)]
            marks = (Content.styled("✗ ", "bold"), *[Content("  ")] * len(rows))
            return [mark + row for mark, row in zip(marks, rows, strict=False)]
        if cell_len(text) > max(1, width) or not hint:
            text = shortened(text, cell_len(text) - slack)
        else:
            hint = shortened(hint, cell_len(hint) - slack) if cell_len(hint) > 1 else ""


def _chosen(keys: Keys, count: int) -> Keys:
    """The keys that matter most, in their order: of the last, the help, before all but the first."""
    return keys if count >= len(keys) else (*keys[: max(0, count - 1)], keys[-1])


def _with_keys(left: Content, keys: Keys, width: int) -> Content:
    """A row with as many keys at its right end as fit; what matters less is not shown."""
    gap = 2 if left else 0
    room = width - left.cell_length - gap
    choices = (_labelled(_chosen(keys, count)) for count in range(len(keys), 0, -1))
    right = next((each for each in choices if each.cell_length <= room), Content(""))
    return Content.assemble(left, " " * (room + gap - right.cell_length), right) if right else left


def _labelled(keys: Keys) -> Content:
    return Content("  ").join(
        clickable(Content.assemble((label, "bold"), " ", (word, "$text-muted")), action)
        for label, word, action in keys
    )


def _fitted(text: str, width: int) -> str:
    """`text` in one row: of its parts the last ones give way, then its end."""
    while cell_len(text) > width and " · " in text:
        text = text.rpartition(" · ")[0]
    return shortened(text, width)
