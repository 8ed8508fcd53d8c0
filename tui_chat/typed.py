"""Paths as people type them, and hints for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tui_chat.errors import ConfigError
from tui_chat.text.sanitize import clean_line


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


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`, else some of them."""
    import difflib  # late: only mistakes need it

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(names[:20])}{' and more' if len(names) > 20 else ''}."
