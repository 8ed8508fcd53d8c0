"""The top line: the chat's title, the model and its server, how full the context is."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.phrases import shortened

_NEARLY_FULL: Final = 0.75
_NEARLY_FULL_STYLE: Final = "bold $text-warning"
_FULL: Final = 0.95
_FULL_STYLE: Final = "bold $text-error"


class Header(Widget):
    """One line; what does not fit gives way in order: context, server, model, title."""

    title: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    server: reactive[str] = reactive("")
    context: reactive[str] = reactive("")
    share: reactive[float] = reactive(0.0)
    """How much of the context window is used, 1 being all of it."""
    others: reactive[int] = reactive(0)
    """How many chats that are not shown are being answered."""
    demo: reactive[bool] = reactive(False)
    unsaved: reactive[bool] = reactive(False)

    def render(self) -> Content:
        """The line, cut to the width."""
        width = self.size.width
        badge = " DEMO " if self.demo else " NOT SAVED " if self.unsaved else ""
        taken = cell_len(badge) + bool(badge)
        model = self.model or "no model"
        whole = f"{model} @ {self.server}" if self.server else model
        gauge = f"   {self.context}" if self.context else ""
        more = f"{self.others} more running   " if self.others else ""
        whole, model = more + whole, more + model
        for right in (whole + gauge, whole, model, more.rstrip()):
            if cell_len(right) + taken + 14 <= width:
                break
        room = max(0, width - cell_len(right) - taken - 3)
        title = self.title or "New chat"
        shown = shortened(title, room)
        gap = max(1, width - cell_len(shown) - cell_len(right) - taken - 2)
        left = Content.assemble(" ", (badge, "bold reverse"), " " if badge else "", (shown, "bold"))
        figures = Content.styled(right, "$foreground 70%")
        if self.share >= _NEARLY_FULL and right == whole + gauge:
            figures = figures.stylize(_FULL_STYLE if self.share >= _FULL else _NEARLY_FULL_STYLE, len(whole))
        return Content.assemble(left, " " * gap, figures, " ")
