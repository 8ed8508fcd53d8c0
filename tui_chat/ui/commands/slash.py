"""What is typed, as commands and prompts.

`/name argument` on one line is a command; a prompt on one line that begins with a slash is typed with two.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_NAMES: Final = (re.compile(r"/\S+\s+\S+"), re.compile(r"/\S*"))
"""A name may have two words, as `/set system`."""


def is_command(text: str) -> bool:
    """Whether a text is a command and not a prompt."""
    return text.startswith("/") and not text.startswith("//") and "\n" not in text


def split(text: str, known: Collection[str]) -> tuple[str, str]:
    """The name of a command, the longest of the `known` ones if any, and all that follows it."""
    name = rest = ""
    for pattern in _NAMES:
        if (match := pattern.match(text)) is not None:
            name, rest = " ".join(match[0].lower().split()), text[match.end() :]
            if name in known:
                break
    return name, rest


def prompt_of(text: str) -> str:
    """The prompt that is typed as `text`, which is no command."""
    return text[1:] if text.startswith("//") and "\n" not in text else text


def typed_as(prompt: str) -> str:
    """How a prompt is typed: the reverse of `prompt_of`."""
    return f"/{prompt}" if prompt.startswith("/") and "\n" not in prompt else prompt
