"""Estimates how much of the context window a chat takes, as far as no server has counted it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tui_chat.messages import Message
from tui_chat.parts import Image

_CHARACTERS: Final = 5
"""Characters per token where no server has counted: more than usual, so that no warning is false."""
_BYTES: Final = 2
"""UTF-8 bytes per token of dense text: fewer than usual, for what surely fits."""
_IMAGE: Final = 250
"""Tokens of a picture: few models take fewer."""
_LARGE_IMAGE: Final = 4000
"""Tokens of a picture: few models take more."""
_FRAME: Final = 16
"""Tokens that a template puts around a message, at most."""
_CLEARLY: Final = 0.9
"""A prompt that was counted as less than this share of a low estimate was not read as a whole."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The tokens that a chat takes, by what takes them."""

    system: int = 0
    messages: int = 0
    files: int = 0
    counted: bool = False
    """Whether the server has counted them; else they are an estimate, rather too low than too high."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.system + self.messages + self.files


def shares_of(branch: Sequence[Message], system: str) -> Taken:
    """What a chat takes. Servers count only the sum; how it is divided is always an estimate."""
    total = tokens_of(branch, system)
    first = min(total, round(len(system) / _CHARACTERS))
    files = min(total - first, round(sum(map(_files_of, branch))))
    usage = branch[-1].usage if branch else None
    counted = usage is not None and usage.context_tokens == total
    return Taken(first, total - first - files, files, counted)


def tokens_of(branch: Iterable[Message], system: str) -> int:
    """About how many tokens a chat has, rather too few than too many.

    Ollama silently leaves out the oldest messages and counts the rest, so a count never lowers the estimate.
    """
    tokens = len(system) / _CHARACTERS
    for message in branch:
        usage = message.usage
        if usage is not None and usage.prompt_tokens is not None:
            tokens = max(tokens, usage.prompt_tokens)
        tokens += _low(message)
    return round(tokens)


def most_tokens_of(branch: Iterable[Message], system: str) -> int:
    """How many tokens a chat has at most: what the server counted last, and a high estimate of what came since."""
    tokens = len(system.encode(errors="replace")) / _BYTES + _FRAME
    for message in branch:
        usage = message.usage
        if usage is not None and usage.prompt_tokens is not None:
            tokens = usage.prompt_tokens
        pictures = sum(isinstance(file, Image) for file in message.files)
        files = sum(file.blob.size for file in message.files if not isinstance(file, Image))
        size = len(message.text.encode(errors="replace")) + len(message.thinking.encode(errors="replace")) + files
        tokens += size / _BYTES + pictures * _LARGE_IMAGE + _FRAME
    return round(tokens)


def outside(branch: Sequence[Message], system: str, window: int) -> int:
    """How many of the first messages do not fit, so that the server leaves them out. The last one always stays."""
    left = window - len(system) / _CHARACTERS
    for place in range(len(branch) - 1, 0, -1):
        left -= _low(branch[place])
        if left < _low(branch[place - 1]):
            return place
    return 0


def read_in_part(branch: Sequence[Message], system: str, window: int | None) -> bool:
    """Whether the server left out the beginning of the last prompt.

    It counted far fewer tokens than were sent, or as many as the window has: Ollama cuts a long prompt to that.
    """
    usage = branch[-1].usage if branch else None
    if usage is None or usage.prompt_tokens is None or window is None:
        return False
    sent = tokens_of(branch[:-1], system)
    return usage.prompt_tokens >= window or (sent > window and usage.prompt_tokens < _CLEARLY * sent)


def _low(message: Message) -> float:
    """About how many tokens a message takes in later prompts, rather too few. Its thinking is not sent again."""
    usage = message.usage
    if usage is not None and usage.reply_tokens is not None and not message.thinking:
        return usage.reply_tokens
    return len(message.text) / _CHARACTERS + _files_of(message)


def _files_of(message: Message) -> float:
    return sum(_IMAGE if isinstance(file, Image) else file.blob.size / _CHARACTERS for file in message.files)
