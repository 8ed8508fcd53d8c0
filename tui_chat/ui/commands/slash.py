"""What is typed, as commands and prompts.

`/name argument` on one line is a command; a prompt on one line that begins with a slash is typed with two. `!ls`
on one line is a shell command; a prompt on one line that begins with `!` is typed with a backslash before it.
What begins with three double quotes goes on over lines until three of them end a line, as in `ollama run`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from tui_chat.errors import ConfigError

_QUOTES: Final = '"' * 3
_NAMES: Final = (re.compile(r"/\S+\s+\S+"), re.compile(r"/\S*"))
"""A name may have two words, as `/set system`."""
_MARK: Final = re.compile(r"\\*!")
_MARKED: Final = re.compile(r"\\+!")


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


def incomplete(name: str, known: Collection[str]) -> ConfigError | None:
    """Why `name` is no command, if it is the first word of some of the `known` ones."""
    more = [each.removeprefix(f"{name} ") for each in sorted(known) if each.startswith(f"{name} ")]
    return ConfigError(f"After {name} comes one of: {', '.join(more)}.") if more else None


def _closed_at(text: str) -> int | None:
    """In a text that begins with three quotes: the number of the first line that ends with it."""
    first, *rest = text[3:].split("\n")
    is_empty = not first.strip('"') and (rest or len(first) < 4)
    lines = ["" if is_empty else first, *rest]
    return next((number for number, line in enumerate(lines) if line.endswith(_QUOTES)), None)


def is_open(text: str) -> bool:
    """Whether a text begins with three quotes and no line ends with it: more lines are to follow."""
    return text.startswith(_QUOTES) and _closed_at(text) is None


def _is_quoted(text: str) -> bool:
    """Whether a text stands between three quotes."""
    return text.startswith(_QUOTES) and _closed_at(text) == text.count("\n")


def prompt_of(text: str) -> str:
    """The prompt that is typed as `text`, which is no command."""
    if "\n" not in text and (text.startswith("//") or _MARKED.match(text)):
        return text[1:]
    return text[3:-3] if _is_quoted(text) else text


def typed_as(prompt: str) -> str:
    """How a prompt is typed: the reverse of `prompt_of`."""
    if "\n" not in prompt and (prompt.startswith("/") or _MARK.match(prompt)):
        return f"/{prompt}" if prompt.startswith("/") else f"\\{prompt}"
    return f"{_QUOTES}{prompt}{_QUOTES}" if is_open(prompt) or _is_quoted(prompt) else prompt
