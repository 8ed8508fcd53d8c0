"""How much of the context window a chat takes, whatever the server counts of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui_chat.messages import Message

_CHARACTERS: Final = 5
"""Characters of a token where nobody has counted: more than texts have, so that none is warned of for nothing."""


def tokens_of(branch: Iterable[Message], system: str) -> int:
    """About how many tokens a chat has, rather too few than too many.

    A server that leaves out the oldest messages, as Ollama does without a word, counts only what is left: what it
    counts never makes the chat shorter.
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
