"""How full the context window is, and a word when a chat has outgrown it: the server says none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.content import Content

from tui_chat.chat.context import tokens_of
from tui_chat.chat.workspace import Workspace
from tui_chat.ui import phrases
from tui_chat.ui.commands.keymap import Keymap

_CELLS: Final = 5
_NEARLY_FULL: Final = 0.75
_FULL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much of a context window is used."""

    used: int = 0
    """Tokens."""
    window: int | None = None
    """Tokens; None where the server did not tell."""
    warning: str = ""
    """What to say, once, of a chat that has outgrown the window."""

    @property
    def share(self) -> float:
        """How much of the window, 1 being all of it; 0 where the window is not known."""
        return min(1.0, self.used / self.window) if self.window else 0.0

    def gauge(self, *, long: bool = False) -> Content:
        """For the header: cells and a share, or the tokens where the window is not known; `long`: of how many."""
        if not self.window:
            return Content.styled(f"{phrases.count(self.used)} tok" if self.used else "", "$text-muted")
        style = "$text-muted"
        if self.share >= _NEARLY_FULL:
            style = "bold $text-error" if self.share >= _FULL else "bold $text-warning"
        full = max(bool(self.used), int(self.share * _CELLS + 0.5))
        words = f" {self.share:>3.0%}" + (f" of {phrases.count(self.window)}" if long else "")
        return Content.assemble(("█" * full, style), ("░" * (_CELLS - full), "$rule"), (words, style))

    @property
    def figures(self) -> str:
        """In a sentence."""
        window = f" of the {self.window:,} that the model sees at once" if self.window else ""
        return f"This chat takes about {self.used:,} tokens{window}."


class Gauge:
    """What the header says of the context window of the chat that is open."""

    def __init__(self, workspace: Workspace, keys: Keymap) -> None:
        self._workspace = workspace
        self._keys = keys
        self._warned: set[str] = set()

    def read(self) -> Fullness:
        """How much is used: by the server's count and, for what was said since, by an estimate."""
        conversation, window = self._workspace.conversation, self._workspace.connection.window
        tokens = tokens_of(conversation.branch, conversation.chat.system)
        outgrown = window is not None and tokens > window
        warning = self._warning(conversation.chat.id, tokens, window or 0) if outgrown else ""
        return Fullness(tokens, window, warning)

    def _warning(self, chat: str, tokens: int, window: int) -> str:
        """What to say of a chat that has outgrown its window, if it was not said yet."""
        if chat in self._warned:
            return ""
        self._warned.add(chat)
        return (
            f"{self._workspace.connection.model} sees {phrases.count(window)} tokens at once, and this chat has "
            f"about {phrases.count(tokens)}: what does not fit is left out, the oldest first. "
            f"Start a new chat ({self._keys['new-chat']}), or give the model a larger window."
        )
