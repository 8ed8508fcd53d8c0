"""The top line: the chat's title, the model and its server, how full the context is."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.phrases import shortened


class Header(Widget):
    """One line; what does not fit gives way in order: context, server, title."""

    title: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    server: reactive[str] = reactive("")
    context: reactive[str] = reactive("")
    demo: reactive[bool] = reactive(False)
    unsaved: reactive[bool] = reactive(False)

    def render(self) -> Content:
        """The line, cut to the width."""
        width = self.size.width
        badge = " DEMO " if self.demo else " NOT SAVED " if self.unsaved else ""
        taken = cell_len(badge) + bool(badge)
        model = self.model or "no model"
        whole = f"{model} @ {self.server}" if self.server else model
        for right in (f"{whole}   {self.context}" if self.context else whole, whole, model, ""):
            if cell_len(right) + taken + 14 <= width:
                break
        room = max(0, width - cell_len(right) - taken - 3)
        title = self.title or "New chat"
        shown = shortened(title, room)
        gap = max(1, width - cell_len(shown) - cell_len(right) - taken - 2)
        left = Content.assemble(" ", (badge, "bold reverse"), " " if badge else "", (shown, "bold"))
        return Content.assemble(left, " " * gap, (right, "$foreground 70%"), " ")
