"""The messages of a chat as a tree: versions beside each other, and what is below a message.

Messages are by id, parents before their children.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui_chat.messages import Message, Role


def newest_below(messages: Mapping[str, Message], id: str) -> Message:
    """The newest of a message and its descendants."""
    newest, below = messages[id], {id}
    for message in messages.values():
        if message.parent in below:
            below.add(message.id)
            newest = max(newest, message, key=lambda either: either.created)
    return newest


def versions_in(
    messages: Mapping[str, Message], leaf: str | None
) -> Mapping[tuple[str | None, Role], list[Message]]:
    """The messages by parent and role, the oldest first: those of one key are versions.

    Empty replies are left out, unless one is the leaf.
    """
    versions: dict[tuple[str | None, Role], list[Message]] = {}
    for message in messages.values():
        if message.parts or message.id == leaf:
            versions.setdefault((message.parent, message.role), []).append(message)
    return versions
