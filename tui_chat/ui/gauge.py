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

    def text(self) -> str:
        """How much of it is used, by the server's own count as long as all of the chat fits."""
        last, tokens, window = self._session.conversation.last, self._tokens(), self._session.connection.window
        used = last.usage.context_tokens if last and last.usage else None
        return phrases.context(tokens if window and tokens > window else used, window)

    def warning(self) -> str:
        """What to say of a chat that does not fit any more, once; else empty."""
        chat, connection, tokens = self._session.conversation.chat, self._session.connection, self._tokens()
        if not connection.window or tokens <= connection.window or chat.id in self._warned:
            return ""
        self._warned.add(chat.id)
        sees, has = phrases.count(connection.window), phrases.count(tokens)
        return (
            f"{connection.model} sees {sees} tokens at once, and this chat has about {has}: what does not fit is "
            "left out, the oldest first. Start a new chat (Ctrl+N), or give the model a larger window."
        )

    def _tokens(self) -> int:
        conversation = self._session.conversation
        return tokens_of(conversation.branch, conversation.chat.system)
