"""The store's values besides messages. All are immutable."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final, TypedDict

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State, new_id
from tui_chat.parameters import Parameters
from tui_chat.text.sanitize import clean_line

DRAFT_SHOWN: Final = 200
"""Characters of a draft in a `ChatSummary`."""
TITLE_LIMIT: Final = 80
"""Characters of a title, the ellipsis included."""
_MARKUP: Final = re.compile(r"^(?:[#>*+~`=-]+\s*|\d+[.)]\s+)+|[\s#*`~]+$")
_SCANNED: Final = 10_000
"""Characters of a prompt that are scanned: a paste can be long and begin with empty lines."""

_FENCES: Final = ("```", "~~~")


def title_of(prompt: str) -> str:
    """A chat's title from its first prompt: the first line with a letter or digit, without Markdown's marks.

    The line that opens a code block names a language.
    """
    for line in prompt[:_SCANNED].splitlines():
        words = " ".join(_MARKUP.sub("", line.strip()).split())
        if not line.lstrip().startswith(_FENCES) and any(character.isalnum() for character in words):
            return clean_line(words, TITLE_LIMIT)
    return clean_line(" ".join(prompt[:_SCANNED].split()), TITLE_LIMIT)


@dataclass(frozen=True, slots=True)
class Place:
    """The scroll position in a chat: a message, and how many of its rows are above the top."""

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
    """Time of the last message; `created` without messages."""
    model: str = ""
    server: str = ""
    system: str = ""
    """The system prompt."""
    parameters: Parameters = field(default_factory=Parameters)
    pinned: bool = False
    deleted: float | None = None
    """When it was deleted; it can be restored until it is purged."""
    leaf: str | None = None
    """The last message of the branch on screen."""
    draft: str = ""
    """The unsent text in the composer."""
    place: Place | None = None
    """None: at the end."""
    queue: tuple[str, ...] = ()
    """Waiting prompts, the next one first."""

    def __post_init__(self) -> None:
        if self.updated < self.created:
            object.__setattr__(self, "updated", self.created)


class ChatFields(TypedDict, total=False):
    """The fields of a chat that can be changed."""

    title: str
    model: str
    server: str
    system: str
    parameters: Parameters
    pinned: bool
    leaf: str | None
    draft: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class QueueChange:
    """A prompt joins the end of a chat's queue, or leaves it."""

    text: str
    left: int | None = None
    """Its index before it left; None if it joins."""

    def apply(self, queue: tuple[str, ...]) -> tuple[str, ...]:
        """`queue` after the change. Another process may have changed it too: what is gone cannot leave."""
        if self.left is None:
            return (*queue, self.text)
        if self.text not in queue:
            return queue
        index = self.left if self.text in queue[self.left : self.left + 1] else queue.index(self.text)
        return queue[:index] + queue[index + 1 :]


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
    """Number of messages on all branches."""
    size: int
    """Characters of text and thinking, bytes of images and files."""
    state: State
    """State of the last message on screen; complete without messages."""
    unfinished: bool
    """Whether the last message on screen is unfinished (see `Message.unfinished`)."""
    draft: str = ""
    """The beginning of the unsent text in the composer."""

    @property
    def name(self) -> str:
        """The chat's title, else the first words of its draft."""
        return self.title or title_of(self.draft) or "Untitled"


@dataclass(frozen=True, slots=True)
class Thread:
    """A chat with messages, parents before children."""

    chat: Chat
    messages: tuple[Message, ...]
    revision: int = 0
    """Grows with every change of a message; `Store.load` takes it to load later changes."""
    elsewhere: frozenset[str] = frozenset()
    """The messages of the chat that another living process is still writing."""

    def branch(self) -> tuple[Message, ...]:
        """The messages from the root to the chat's leaf."""
        return branch_of({message.id: message for message in self.messages}, self.chat.leaf)


def branch_of(messages: Mapping[str, Message], leaf: str | None) -> tuple[Message, ...]:
    """The messages from the root to a leaf, of messages by id. A cycle is cut."""
    path: list[Message] = []
    while (message := messages.get(leaf or "")) is not None and len(path) < len(messages):
        path.append(message)
        leaf = message.parent
    return tuple(reversed(path))


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that was sent before."""

    text: str
    created: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A title or a message in which all words of a search occur."""

    chat: str
    title: str
    snippet: str
    """One line: the title itself, or the message's text around the first word found."""
    spans: tuple[tuple[int, int], ...]
    """The words in `snippet`: start and end, in order, not overlapping."""
    created: float
    message: str | None = None
    """None for a hit in the title."""
    role: Role | None = None
    at: int = 0
    """Position of the first word in the message's text."""

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The snippet in pieces, and whether each is a word that was looked for."""
        edges = [0, *chain.from_iterable(self.spans), len(self.snippet)]
        return tuple(
            (self.snippet[start:end], index % 2 == 1) for index, (start, end) in enumerate(pairwise(edges))
        )


class ChangedElsewhere(StoreError):
    """Another process has changed messages. `messages` are the ids of those not saved."""

    def __init__(self, messages: Iterable[str]) -> None:
        super().__init__(
            "Another tui-chat has changed this reply: the version here is not saved.",
            "Copy what you need, then open the chat again.",
        )
        self.messages = frozenset(messages)
