"""The top line: the chat's title, the model and its server, how full the context window is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.chat.context import tokens_of
from tui_chat.chat.settings import window_of
from tui_chat.chat.workspace import Workspace
from tui_chat.ui.phrases import count, shortened
from tui_chat.ui.widgets.clickable import clickable

_TITLE: Final = 12
"""Cells that the title keeps before the model's name gives way."""
_NAME: Final = 6
"""Cells of a model's name that are worth showing."""
_GAP: Final = "   "
_CELLS: Final = 5
_NEARLY_FULL: Final = 0.75
_FULL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much of a context window is used."""

    used: int = 0
    """Tokens."""
    window: int | None = None
    """Tokens; None if the server did not tell."""

    @property
    def share(self) -> float:
        """The used share of the window, 0 to 1; 0 if the window is not known."""
        return min(1.0, self.used / self.window) if self.window else 0.0

    def gauge(self, *, long: bool = False) -> Content:
        """For the header: cells and a share, if `long` with the window's size; tokens if that is not known."""
        if not self.window:
            return Content.styled(f"{count(self.used)} tok" if self.used else "", "$text-muted")
        style = "$text-muted"
        if self.share >= _NEARLY_FULL:
            style = "bold $text-error" if self.share >= _FULL else "bold $text-warning"
        full = max(bool(self.used), int(self.share * _CELLS + 0.5))
        words = f" {self.share:>3.0%}" + (f" of {count(self.window)}" if long else "")
        return Content.assemble(("█" * full, style), ("░" * (_CELLS - full), "$rule"), (words, style))


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
        model = self.model or "no model"
        about = "".join(f" · {text}" for text in (self.thinking, self.server) if text)
        running = f"{self.others} more running" if self.others else ""
        away = ((self.work, "screen.command('models')"), (running, "screen.command('chats')"))
        parts = [clickable(Content.styled(text, "$text-muted"), it) for text, it in away if text]
        more = Content(_GAP).join(parts)
        long, short = self.fullness.gauge(long=True), self.fullness.gauge()
        for server, gauge in ((about, long), ("", long), ("", short)):
            texts = (more.plain, model, server, gauge.plain)
            taken = sum(map(cell_len, texts)) + len(_GAP) * (bool(more) + bool(gauge))
            if taken <= room:
                break
        model = shortened(model, left) if (left := cell_len(model) + room - taken) >= _NAME else ""
        named = clickable(Content.assemble((model, "$model"), (server, "$text-muted")), "screen.command('models')")
        shown = (more, named, clickable(gauge, "screen.command('context')"))
        return Content(_GAP).join(part for part in shown if part)


def fullness_of(workspace: Workspace) -> Fullness:
    """How much the open chat uses: by the server's count, and an estimate for what came after it."""
    conversation = workspace.conversation
    return Fullness(tokens_of(conversation.branch, conversation.chat.system), window_of(workspace))
