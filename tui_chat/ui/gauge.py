"""How full the context window is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.content import Content

from tui_chat.chat.context import tokens_of
from tui_chat.chat.settings import window_of
from tui_chat.chat.workspace import Workspace
from tui_chat.ui import phrases

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
            return Content.styled(f"{phrases.count(self.used)} tok" if self.used else "", "$text-muted")
        style = "$text-muted"
        if self.share >= _NEARLY_FULL:
            style = "bold $text-error" if self.share >= _FULL else "bold $text-warning"
        full = max(bool(self.used), int(self.share * _CELLS + 0.5))
        words = f" {self.share:>3.0%}" + (f" of {phrases.count(self.window)}" if long else "")
        return Content.assemble(("█" * full, style), ("░" * (_CELLS - full), "$rule"), (words, style))


def fullness_of(workspace: Workspace) -> Fullness:
    """How much the open chat uses: by the server's count, and an estimate for what came after it."""
    conversation = workspace.conversation
    return Fullness(tokens_of(conversation.branch, conversation.chat.system), window_of(workspace))
