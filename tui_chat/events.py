"""What a server says while it replies, in order of arrival. Every text but `Delta.exact` is already sanitised."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui_chat.messages import Usage


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server answered with a good status and the stream is open; nothing of the reply is there yet."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The first event of a reply that goes on from `ChatRequest.prefill`.

    `exact`: the server's tokens follow the prefill directly, though it may send all of that back first. Otherwise
    it was asked in words to go on where it stopped, and may repeat any of it. The conversation trims what repeats.
    """

    exact: bool


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """The server reads the prompt: `done` of `total` tokens (llama.cpp's `prompt_progress`)."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of the model's thinking, apart from its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer."""

    text: str
    exact: str = field(default="", compare=False, repr=False)
    """As the server sent it, for a pipe: not sanitised. Empty where that is `text`."""


@dataclass(frozen=True, slots=True)
class WasThinking:
    """All of the answer so far was thinking: the tag that ends it came, the first was in the prompt."""


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


Event = Accepted | Continued | PromptProgress | Thinking | Delta | WasThinking | ToolCall | Finished
