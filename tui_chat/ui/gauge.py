"""How full the context window is, and a word when a chat has outgrown it: the server says none."""

from __future__ import annotations

from tui_chat.conversation.session import Session
from tui_chat.conversation.window import tokens_of
from tui_chat.ui import phrases


class Gauge:
    """What the header says of the context window of the chat that is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._warned: set[str] = set()

    def read(self) -> tuple[str, str]:
        """How much is used, by the server's own count while the chat fits; what to say, once, if it does not."""
        conversation, connection = self._session.conversation, self._session.connection
        last, window = conversation.last, connection.window
        tokens = tokens_of(conversation.branch, conversation.chat.system)
        if window is None or tokens <= window:
            return phrases.context(last.usage.context_tokens if last and last.usage else None, window), ""
        gauge = phrases.context(tokens, window)
        if conversation.chat.id in self._warned:
            return gauge, ""
        self._warned.add(conversation.chat.id)
        return gauge, (
            f"{connection.model} sees {phrases.count(window)} tokens at once, and this chat has about "
            f"{phrases.count(tokens)}: what does not fit is left out, the oldest first. "
            "Start a new chat (Ctrl+N), or give the model a larger window."
        )
