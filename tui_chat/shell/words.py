"""Errors in a shell's words: no key of the screen helps there, but a command line does."""

from __future__ import annotations

import re
import sys
from typing import Final

from tui_chat.errors import ChatError

_GO_ON: Final = "`tui-chat ask -c`"
_COMMANDS: Final = (
    ("F3 chooses another server, and so does --url", "--url chooses another server"),
    ("F3 chooses", "--url chooses"),
    ("F3, then ^R sets", "its table [[servers]] in the config file sets"),
    ("in tui-chat with F3, then ^R", "in its table [[servers]] in the config file"),
    (", then Ctrl+L", ""),
    ("with Ctrl+L", "with -m"),
    ("Ctrl+O or `tui-chat chats`", "`tui-chat chats`"),
    (" with Ctrl+O", ""),
    ("Ctrl+R", _GO_ON),
)
"""What hints say for the screen, and what says the same here; the first that fits counts."""
_KEY: Final = re.compile(r"\b(?:Ctrl|Alt|Shift)\+|\bF\d\b|\^[A-Z]\b|\bEsc\b")
_SENTENCE: Final = re.compile(r"(?<=[.?!]) +")


def in_shell(hint: str) -> str:
    """A hint as a command line, where it names a key; a sentence that still names one is left out."""
    for keys, command in _COMMANDS:
        hint = hint.replace(keys, command)
    return " ".join(sentence for sentence in _SENTENCE.split(hint) if not _KEY.search(sentence))


def complain(error: ChatError, *, goes_on: bool = False) -> None:
    """Say on standard error what went wrong, and what to do; `goes_on`: there is a reply to go on with."""
    hint = in_shell(error.hint)
    if goes_on and _GO_ON not in hint:
        hint = f"{hint} {_GO_ON} goes on with it.".lstrip()
    warn(f"{error}" + (f"\n  {hint}" if hint else ""))


def warn(text: str) -> None:
    """Say something on standard error."""
    print(f"tui-chat: {text}", file=sys.stderr)
