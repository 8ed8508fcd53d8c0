"""What the store gives and takes, besides messages. All are immutable."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypedDict

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State, new_id
from tui_chat.text.sanitize import clean_line

DRAFT_SHOWN: Final = 200
"""Characters of a draft in a `ChatSummary`."""
TITLE_LIMIT: Final = 80
"""Characters of a title, the ellipsis included."""
_MARKUP: Final = re.compile(r"^(?:[#>*+~`=-]+\s*|\d+[.)]\s+)+|[\s#*`~]+$")
_SCANNED: Final = 10_000
"""Characters of a prompt that are looked at: a paste can be long and begin with empty lines."""


def title_of(prompt: str) -> str:
    """The title of a chat by its first prompt: the first line that says something, without Markdown's marks.

    Empty if no line does. No model is asked.
    """
    for line in prompt[:_SCANNED].splitlines():
        words = " ".join(_MARKUP.sub("", line.strip()).split())
        if any(character.isalnum() for character in words):
            return clean_line(words, TITLE_LIMIT)
    return clean_line(" ".join(prompt[:_SCANNED].split()), TITLE_LIMIT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reader was in a chat: a message and how many rows of it were above the screen's top."""

    message: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation without its messages. Times are Unix times in seconds."""

    id: str = field(default_factory=new_id)
    title: str = ""
    """Empty until the first prompt names it."""
    created: float = field(default_factory=time.time)
    updated: float = 0.0
    """When something was last said in it; `created` if nothing was."""
    model: str = ""
    server: str = ""
    system: str = ""
    """The system prompt."""
    pinned: bool = False
    deleted: float | None = None
    """When it was deleted; it can be taken back until it is purged."""
    leaf: str | None = None
    """The last message of the branch on screen."""
    draft: str = ""
    """What is written in the composer and not sent."""
    place: Place | None = None
    """None follows the end."""
    queue: tuple[str, ...] = ()
    """Prompts that wait to be sent, the next one first."""

    def __post_init__(self) -> None:
        if self.updated < self.created:
            object.__setattr__(self, "updated", self.created)


class ChatFields(TypedDict, total=False):
    """What of a chat can be changed apart from its messages."""

    title: str
    model: str
    server: str
    system: str
    pinned: bool
    leaf: str | None
    draft: str
    place: Place | None
    queue: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat as the list shows it."""

    id: str
    title: str
    created: float
    updated: float
    model: str
    server: str
    pinned: bool
    messages: int
    """How many messages there are on all branches."""
    size: int
    """Characters of text and thinking, bytes of images and files."""
    state: State
    """How far the last message on screen got; complete if there is none."""
    unfinished: bool
    """Whether there is more to be had of the last message on screen (see `Message.unfinished`)."""
    draft: str = ""
    """The beginning of what is written in the composer and not sent."""

    @property
    def name(self) -> str:
        """What to call the chat: its title, else the first words of its draft."""
        return self.title or title_of(self.draft) or "Untitled"


@dataclass(frozen=True, slots=True)
class Thread:
    """A chat with messages, parents before children."""

    chat: Chat
    messages: tuple[Message, ...]
    revision: int = 0
    """Grows with every change of a message: what to ask `Store.load` for later changes with."""
    elsewhere: frozenset[str] = frozenset()
    """The messages of the chat that another living process is still writing, be there news of them or not."""

    def branch(self) -> tuple[Message, ...]:
        """The messages from the root to the chat's leaf."""
        by_id = {message.id: message for message in self.messages}
        path: list[Message] = []
        node = by_id.get(self.chat.leaf or "")
        while node is not None and len(path) < len(by_id):
            path.append(node)
            node = by_id.get(node.parent or "")
        return tuple(reversed(path))


@dataclass(frozen=True, slots=True)
class Hit:
    """A title or a message in which all words of a search occur."""

    chat: str
    title: str
    snippet: str
    """One line: the title itself, or the message's text around the first word found."""
    spans: tuple[tuple[int, int], ...]
    """Where in `snippet` the words are: start and end, in order, not overlapping."""
    created: float
    message: str | None = None
    """None for a hit in the title."""
    role: Role | None = None
    at: int = 0
    """Where in the message's text the first word was found."""


class ChangedElsewhere(StoreError):
    """Another process has changed messages meanwhile. `messages` are their ids: what was to be saved is not."""

    def __init__(self, messages: Iterable[str]) -> None:
        super().__init__(
            "Another tui-chat has gone on with this reply: the one here differs from it and is not saved.",
            "Copy what you need of it, then open the chat again.",
        )
        self.messages = frozenset(messages)
