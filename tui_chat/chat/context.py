"""Estimates how much of the context window a chat takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui_chat.messages import Message

_CHARACTERS: Final = 5
"""Characters per token where no server has counted: more than usual, so that no warning is false."""


def tokens_of(branch: Iterable[Message], system: str) -> int:
    """About how many tokens a chat has, rather too few than too many.

    Ollama silently leaves out the oldest messages and counts the rest, so a count never lowers the estimate.
    """
    tokens = len(system) / _CHARACTERS
    for message in branch:
        usage = message.usage
        if usage is not None and usage.prompt_tokens is not None:
            tokens = max(tokens, usage.prompt_tokens)
        if usage is not None and usage.reply_tokens is not None and not message.thinking:
            tokens += usage.reply_tokens
        else:
            tokens += len(message.text) / _CHARACTERS
    return round(tokens)
