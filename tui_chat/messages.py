"""The values of a conversation. All are immutable; `dataclasses.replace` makes a changed one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from tui_chat.parts import File, Part, Text, Thinking, ToolCall, filled, parts_of

THINK_LEVELS: Final = ("low", "medium", "high", "max")
"""How much a model may be asked to think, by Ollama's names."""


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class State(StrEnum):
    """How far a message got. Only an assistant's can be anything but complete."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"
    """The user stopped it."""
    INTERRUPTED = "interrupted"
    """It ended without an end marker: a cut line, a crash, a hang-up."""
    FAILED = "failed"
    """The server said that it failed, or refused."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a reply, as far as the server tells. Tokens are counts, times are seconds."""

    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    load_seconds: float | None = None
    prompt_seconds: float | None = None
    reply_seconds: float | None = None
    thinking_seconds: float | None = None
    """By our clock: no server tells."""

    @property
    def tokens_per_second(self) -> float | None:
        """The speed of generation by the server's own clock."""
        if not self.reply_tokens or not self.reply_seconds:
            return None
        return self.reply_tokens / self.reply_seconds

    @property
    def context_tokens(self) -> int | None:
        """How much of the context window prompt and reply fill."""
        if self.prompt_tokens is None:
            return None
        return self.prompt_tokens + (self.reply_tokens or 0)


def new_id() -> str:
    """A fresh identifier: 16 hex digits that sort by time to the second, then at random."""
    return f"{int(time.time()):08x}{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: a node in its tree, below `parent`."""

    role: Role
    parts: tuple[Part, ...] = ()
    id: str = field(default_factory=new_id)
    parent: str | None = None
    state: State = State.COMPLETE
    model: str = ""
    server: str = ""
    usage: Usage | None = None
    finish: str = ""
    """The server's reason for the end of the reply: `stop`, `length`, or another."""
    error: str = ""
    """The error, as it was shown."""
    created: float = field(default_factory=time.time)
    """Unix time in seconds."""
    first_token: float | None = None
    """Seconds from the request to the first token."""
    seconds: float | None = None
    """Seconds from the request to the end."""

    @property
    def text(self) -> str:
        """Its text, without thinking, files and tools."""
        return "\n\n".join([part.text for part in self.parts if isinstance(part, Text) and part.text])

    @property
    def thinking(self) -> str:
        """Its thinking."""
        return "\n\n".join([part.text for part in self.parts if isinstance(part, Thinking) and part.text])

    @property
    def says(self) -> bool:
        """Whether it has more than thinking."""
        return not all(isinstance(part, Thinking) for part in self.parts)

    @property
    def files(self) -> tuple[File, ...]:
        """Its images and files."""
        return tuple(part for part in self.parts if isinstance(part, File))

    @property
    def size(self) -> int:
        """Characters of texts, thinking, and tool calls and results, plus bytes of images and files."""
        return sum(map(_size_of, self.parts))

    def with_text(self, text: str) -> Message:
        """This message with `text` in the place of its first text, as its only one; other parts stay."""
        others = [part for part in self.parts if not isinstance(part, Text)]
        spoken = (place for place, part in enumerate(self.parts) if isinstance(part, Text))
        place = next(spoken, sum(isinstance(part, Thinking) for part in others))
        return replace(self, parts=(*others[:place], *parts_of(text), *others[place:]))

    def with_data(self, data: Mapping[str, bytes]) -> Message:
        """This message with the bytes of its images and files from `data`, by digest."""
        if not any(file.blob.data is None and file.blob.digest in data for file in self.files):
            return self
        return replace(self, parts=tuple(filled(part, data) for part in self.parts))

    def grown(self, text: str = "", thinking: str = "") -> Message:
        """This message with more thinking, then more text, at its end."""
        parts = list(self.parts)
        for kind, more in ((Thinking, thinking), (Text, text)):
            last = parts[-1] if parts else None
            if isinstance(last, kind):
                parts[-1] = kind(last.text + more)
            elif more:
                parts.append(kind(more))
        return replace(self, parts=tuple(parts))

    @property
    def unfinished(self) -> bool:
        """Whether it can be continued: it was stopped, cut, failed, or ended by length."""
        return self.state not in (State.COMPLETE, State.STREAMING) or self.finish == "length"


def _size_of(part: Part) -> int:
    match part:
        case File():
            return part.blob.size
        case ToolCall():
            return len(part.arguments)
        case _:
            return len(part.text)


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a server. Unknown fields are empty or None."""

    name: str
    server: str = ""
    size: int | None = None
    """Bytes on the server's disk."""
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    context_window: int | None = None
    """Tokens that the model was trained for; the server may give it fewer."""
    window: int | None = None
    """Tokens of context that the server gives it, if known."""
    token_bytes: int | None = None
    """Bytes of memory that a token of context takes, if the server tells enough to know."""
    capabilities: frozenset[str] = frozenset()
    think_levels: tuple[str, ...] = ()
    """What `think` can be for it: `off`, `on`, `low` and so on. Empty if the server does not say."""
    loaded: bool = False
    on_gpu: float | None = None
    """The share of a loaded model in the memory of a GPU, from 0 to 1."""
    until: str = ""
    """RFC 3339: when the server will unload it."""
    fixed: bool = False
    """Whether it is in memory as long as its server runs."""
    remote: str = ""
    """The host that runs it, if that is not the server."""
    modified: str = ""
    """RFC 3339, as the server sent it: sorts by time."""

    @property
    def is_blind(self) -> bool:
        """Whether it is known not to see pictures."""
        return bool(self.capabilities) and "vision" not in self.capabilities

    @property
    def chats(self) -> bool:
        """Whether it can chat, as far as known: a model for embeddings only cannot."""
        return "embedding" not in self.capabilities or "completion" in self.capabilities


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for a reply: the whole conversation, and the settings."""

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    """Sampling options by Ollama's names (`temperature`, `seed`, `num_ctx` ...)."""
    think: bool | str | None = None
    """None leaves it to the server."""
    prefill: str = ""
    """The beginning of the reply, which the server continues without repeating it."""
    format: str | Mapping[str, object] = ""
    """The format of the answer: `json`, or a JSON schema; empty means text."""
    keep_alive: str = ""
    """How long the model stays loaded, as `Parameters.keep_alive`; empty leaves it to the server."""
