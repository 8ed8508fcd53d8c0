"""Paths and texts as people type them, and hints for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tui_chat.errors import ConfigError
from tui_chat.text.sanitize import clean_line

_ALIKE: Final = 0.65
"""The share of equal letters, 0 to 1 as in difflib, from which words are near."""


def user_path(text: str) -> Path:
    """A path as a person writes it, with `~` and `~name` as home folders.

    Raises:
        ConfigError: no such home folder, or no file can have that name.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(f"{clean_line(text, 200)}: no such home folder", "Write the full path.") from None
    if "\0" in text:
        raise ConfigError(f"{clean_line(text, 200)} is not a valid file name", "Correct it.")
    return path


def near(word: str, known: Iterable[str]) -> str:
    """The known word that `word` is most likely meant to be; empty if none is near.

    The marks before options and commands do not count as alike.
    """
    import difflib  # late: only mistakes need it

    bare = {name.lstrip("-/"): name for name in known}
    close = difflib.get_close_matches(word.lstrip("-/"), bare, n=1, cutoff=_ALIKE)
    return bare[close[0]] if close else ""


def unquoted(text: str) -> str:
    """A text without the double quotes, one or three, that enclose all of it; quotes within it stay."""
    for quotes in ('"""', '"'):
        inner = text.removeprefix(quotes).removesuffix(quotes)
        if len(text) == len(inner) + 2 * len(quotes):
            return inner if quotes not in inner else text
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word that is near to `word` or begins with it, else some of them."""
    names = sorted(known)
    if found := near(word, names) or next((name for name in names if word and name.startswith(word)), ""):
        return f"Did you mean {found!r}?"
    return f"Known: {', '.join(names[:20])}{' and more' if len(names) > 20 else ''}."
