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

Keys = tuple[tuple[str, str], ...]
"""Labels of keys and what they do, in a word."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the bar says."""

    text: str = "ready"
    hint: str = ""
    error: bool = False
    busy: bool = False


class StatusBar(Widget):
    """One line, or as many as an error needs (up to the height that the style sheet allows).

    The first of the keys keeps its place before all but the first words of the status, in an error the first two.
    """

    status: reactive[Status] = reactive(Status(), layout=True)
    keys: reactive[Keys] = reactive(())
    """The keys on the right: label and word."""

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
            return [status_row(self.status, self.keys, width - 2)]
        limit = self.styles.max_height
        return error_rows(self.status, self.keys, width, int(limit.value) if limit is not None else 1)


def trouble(error: ChatError, keys: Keymap, *more: Remedy) -> Status:
    """What went wrong, and what helps; see `phrases.advice`."""
    return Status(str(error), advice(error, keys, *more), error=True)


def status_row(status: Status, keys: Keys, width: int) -> Content:
    """Status on the left, keys on the right as far as they fit."""
    dot = "●" if status.busy else "○"
    text = f"{dot} {status.text}" + (f" · {status.hint}" if status.hint else "")
    first = _labelled(keys[:1]).cell_length + 2 if keys else 0
    has_room = cell_len(text.partition(" · ")[0]) + first <= width
    return _with_keys(Content(_fitted(text, width - first if has_room else width)), keys, width)


def error_rows(status: Status, keys: Keys, width: int, height: int) -> list[Content]:
    """What went wrong and what helps, in at most `height` rows that end with keys, with the first two at least.

    Where that is too much, what went wrong gives way down to a row, then what helps.
    """
    needed, slack = _labelled(keys[:2]).cell_length, max(1, width // 4)
    text, hint = shortened(status.text, width * height), shortened(status.hint, width * height)
    while True:
        said = Content.assemble(("✗ ", "bold"), (text, "bold"), f"  {hint}" if hint else "")
        rows = [row.rstrip() for row in said.wrap(width)]
        if needed and rows[-1].cell_length + 2 + needed > width:
            rows.append(Content(""))
        if len(rows) <= height or cell_len(text) <= 1 >= cell_len(hint):
            return [*rows[:-1], _with_keys(rows[-1], keys, width)]
        if cell_len(text) > max(1, width - 2) or not hint:
            text = shortened(text, cell_len(text) - slack)
        else:
            hint = shortened(hint, cell_len(hint) - slack) if cell_len(hint) > 1 else ""


def _with_keys(left: Content, keys: Keys, width: int) -> Content:
    """A row with as many keys at its right end as fit; what matters less is not shown."""
    room = width - left.cell_length - 2
    fitting = [number for number in range(len(keys) + 1) if _labelled(keys[:number]).cell_length <= room]
    right = _labelled(keys[: max(fitting, default=0)])
    return Content.assemble(left, " " * (room + 2 - right.cell_length), right) if right else left


def _labelled(keys: Keys) -> Content:
    return Content("  ").join(
        Content.assemble((label, "bold"), " ", (word, "$foreground 70%")) for label, word in keys
    )


def _fitted(text: str, width: int) -> str:
    """`text` in one row: of its parts the last ones give way, then its end."""
    while cell_len(text) > width and " · " in text:
        text = text.rpartition(" · ")[0]
    return shortened(text, width)
