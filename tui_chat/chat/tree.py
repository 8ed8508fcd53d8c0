"""The messages of a chat as a tree: branches from a leaf to the root, and versions beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui_chat.messages import Message, Role
from tui_chat.store.values import branch_of


class Tree:
    """Messages by id, parents before their children. A leaf selects a branch."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._messages = {message.id: message for message in messages}

    def get(self, id: str | None) -> Message | None:
        """A message; None if it is not there."""
        return None if id is None else self._messages.get(id)

    def put(self, *messages: Message) -> None:
        """Add messages, or replace those with their ids."""
        self._messages.update((message.id, message) for message in messages)

    def remove(self, id: str) -> Message:
        """Remove a message and return it."""
        return self._messages.pop(id)

    def branch(self, leaf: str | None) -> tuple[Message, ...]:
        """The messages from the root to a leaf."""
        return branch_of(self._messages, leaf)

    def newest_below(self, id: str) -> Message:
        """The newest of a message and its descendants."""
        newest, below = self._messages[id], {id}
        for message in self._messages.values():
            if message.parent in below:
                below.add(message.id)
                newest = max(newest, message, key=lambda either: either.created)
        return newest

    def versions(self, leaf: str | None) -> Mapping[tuple[str | None, Role], list[Message]]:
        """The messages by parent and role, the oldest first: those of one key are versions.

        Empty replies are left out, unless one is the leaf.
        """
        versions: dict[tuple[str | None, Role], list[Message]] = {}
        for message in self._messages.values():
            if message.parts or message.id == leaf:
                versions.setdefault((message.parent, message.role), []).append(message)
        return versions
