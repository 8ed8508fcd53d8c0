"""The events of a reply, in order of arrival. All texts but `Delta.exact` are sanitised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tui_chat.messages import Usage
from tui_chat.parts import Thinking as Thinking  # a piece of it is an event as it is


@dataclass(frozen=True, slots=True)
class Accepted:
    """The stream is open, after a good status; nothing of the reply has come yet."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection dropped. The server keeps generating, and is asked for what has not arrived."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The first event of a reply that continues `ChatRequest.prefill`.

    `exact`: the tokens follow the prefill directly, though the server may send that back first. Otherwise it was
    asked in words to continue, and may repeat any of it. The conversation trims repetitions.
    """

    exact: bool


@dataclass(frozen=True, slots=True)
class Loading:
    """The server loads the model: this much of it, in percent. Before `Accepted`, and before `Continued`."""

    percent: int


@dataclass(frozen=True, slots=True)
class ThinkingUnset:
    """The server refused to be told how much to think; it was asked again without that."""


@dataclass(frozen=True, slots=True)
class ThinkingCanEnd:
    """While the reply thinks, `end` makes it answer. It raises a `ReplyError` if that fails."""

    end: Callable[[], Awaitable[None]] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """The server reads the prompt: `done` of `total` tokens (llama.cpp's `prompt_progress`)."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer."""

    text: str
    exact: str = field(default="", compare=False, repr=False)
    """As the server sent it, for a pipe: not sanitised. Empty if it equals `text`."""


@dataclass(frozen=True, slots=True)
class WasThinking:
    """All of the answer so far was thinking: its closing tag came, the opening one was in the prompt."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end marker. A stream that ends without one was cut."""

    reason: str = "stop"
    usage: Usage | None = None


Event = (
    Loading
    | Accepted
    | Dropped
    | Continued
    | ThinkingUnset
    | ThinkingCanEnd
    | PromptProgress
    | Thinking
    | Delta
    | WasThinking
    | ToolCall
    | Finished
)
