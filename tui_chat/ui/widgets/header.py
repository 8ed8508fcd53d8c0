"""The top line: the chat's title, the model and its server, how full the context window is."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.gauge import Fullness
from tui_chat.ui.phrases import shortened
from tui_chat.ui.widgets.clickable import clickable

_TITLE: Final = 12
"""Cells that the title keeps before the model's name gives way."""
_NAME: Final = 6
"""Cells of a model's name that are worth showing."""
_GAP: Final = "   "


class Header(Widget):
    """One line; what does not fit gives way in order: the server, the size of the window, the model, the title."""

    auto_links = False
    title: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    server: reactive[str] = reactive("")
    thinking: reactive[str] = reactive("")
    """How much the model thinks, where that is not the default."""
    fullness: reactive[Fullness] = reactive(Fullness())
    others: reactive[int] = reactive(0)
    """Other chats in which a reply is running."""
    work: reactive[str] = reactive("")
    """What goes on in the background."""
    demo: reactive[bool] = reactive(False)
    unsaved: reactive[bool] = reactive(False)

    def render(self) -> Content:
        """The line, cut to the width."""
        width = self.size.width
        badge = " DEMO " if self.demo else " NOT SAVED " if self.unsaved else ""
        title = self.title or "New chat"
        room = width - cell_len(badge) - bool(badge) - len(_GAP)
        right = self._right(room - min(_TITLE, cell_len(title)))
        shown = shortened(title, max(0, room - right.cell_length))
        left = Content.assemble((badge, "bold reverse"), " " if badge else "", (shown, "bold"))
        return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)

    def _right(self, room: int) -> Content:
        """Model, server and gauge in at most `room` cells."""
        about = "".join(f" · {text}" for text in (self.thinking, self.server) if text)
        model, server = self.model or "no model", about
        running = f"{self.others} more running" if self.others else ""
        away = ((self.work, "screen.command('models')"), (running, "screen.command('chats')"))
        more = Content(_GAP).join(
            [clickable(Content.styled(text, "$text-muted"), it) for text, it in away if text]
        )
        gauge = self.fullness.gauge(long=True)
        texts = (more.plain, model, server, gauge.plain)
        taken = sum(map(cell_len, texts)) + len(_GAP) * (bool(more) + bool(gauge))
        if taken > room:
            taken, server = taken - cell_len(server), ""
        if taken > room:
            short = self.fullness.gauge()
            taken, gauge = taken - gauge.cell_length + short.cell_length, short
        model = shortened(model, left) if (left := cell_len(model) + room - taken) >= _NAME else ""
        named = clickable(Content.assemble((model, "$model"), (server, "$text-muted")), "screen.command('models')")
        shown = (more, named, clickable(gauge, "screen.command('context')"))
        return Content(_GAP).join(part for part in shown if part)
