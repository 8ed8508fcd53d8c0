"""How full the context window is, and a word when a chat has outgrown it: the server says none."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.chat.context import tokens_of
from tui_chat.chat.workspace import Workspace
from tui_chat.ui import phrases
from tui_chat.ui.commands.keymap import Keymap


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much of a context window is used."""

    words: str
    """For the header; empty where nothing is known."""
    share: float = 0.0
    """Of the window, 1 being all of it; 0 where the window is not known."""
    warning: str = ""
    """What to say, once, of a chat that has outgrown the window."""


class Gauge:
    """What the header says of the context window of the chat that is open."""

    def __init__(self, workspace: Workspace, keys: Keymap) -> None:
        self._workspace = workspace
        self._keys = keys
        self._warned: set[str] = set()

    def read(self) -> Fullness:
        """How much is used, by the server's own count while the chat fits."""
        conversation, connection = self._workspace.conversation, self._workspace.connection
        last, window = conversation.last, connection.window
        tokens = tokens_of(conversation.branch, conversation.chat.system)
        if window is None or tokens <= window:
            used = last.usage.context_tokens if last and last.usage else None
            return Fullness(phrases.context(used, window), used / window if used and window else 0.0)
        gauge = phrases.context(tokens, window)
        if conversation.chat.id in self._warned:
            return Fullness(gauge, 1.0)
        self._warned.add(conversation.chat.id)
        warning = (
            f"{connection.model} sees {phrases.count(window)} tokens at once, and this chat has about "
            f"{phrases.count(tokens)}: what does not fit is left out, the oldest first. "
            f"Start a new chat ({self._keys['new-chat']}), or give the model a larger window."
        )
        return Fullness(gauge, 1.0, warning)
