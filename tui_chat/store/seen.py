"""Which state of the messages this process knows, so that it does not write over what another one said since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui_chat.errors import StoreError


class ChangedElsewhere(StoreError):
    """Another process has changed messages meanwhile. `messages` are their ids: what was to be saved is not."""

    def __init__(self, messages: Iterable[str]) -> None:
        super().__init__(
            "Another tui-chat has gone on with this reply: the one here differs from it and is not saved.",
            "Copy what you need of it, then open the chat again with Ctrl+O.",
        )
        self.messages = frozenset(messages)


class Seen:
    """The revisions that were loaded, by chat, and those that were written here, by message."""

    def __init__(self) -> None:
        self._chats: dict[str, int] = {}
        self._messages: dict[str, int] = {}

    def loaded(self, chat_id: str, revision: int) -> None:
        """All messages of a chat are known up to a revision."""
        self._chats[chat_id] = max(revision, self._chats.get(chat_id, 0))

    def saved(self, revisions: Mapping[str, int | None]) -> None:
        """Messages were written; None stands for one that was not."""
        self._messages |= {message: revision for message, revision in revisions.items() if revision is not None}

    def revision(self, chat_id: str, message_id: str) -> int | None:
        """The last known revision of a message; None if nothing was ever known of it."""
        known = (self._chats.get(chat_id), self._messages.get(message_id))
        return max((revision for revision in known if revision is not None), default=None)
