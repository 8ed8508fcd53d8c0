"""The name of a chat: the first line of its first prompt. No model is asked."""

from __future__ import annotations

import re
from typing import Final

from tui_chat.text.sanitize import clean_line

LIMIT: Final = 80
"""Characters of a title, the ellipsis included."""

_MARKUP: Final = re.compile(r"^(?:[#>*+~`=-]+\s*|\d+[.)]\s+)+|[\s#*`~]+$")
_SCANNED: Final = 10_000
"""Characters of a prompt that are looked at: a paste can be long and begin with empty lines."""


def title_of(prompt: str) -> str:
    """The first line of `prompt` that says something, without Markdown's marks; empty if none does."""
    for line in prompt[:_SCANNED].splitlines():
        words = " ".join(_MARKUP.sub("", line.strip()).split())
        if any(character.isalnum() for character in words):
            return clean_line(words, LIMIT)
    return clean_line(" ".join(prompt[:_SCANNED].split()), LIMIT)
