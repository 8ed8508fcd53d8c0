"""Telling a person who looks elsewhere that something is done: the bell, the desktop's notices, the title.

Desktop notices are OSC 9 (iTerm2, kitty, WezTerm, Ghostty) or OSC 777 (foot, Ghostty, WezTerm, rxvt-unicode with
its extension; VTE's and Konsole's builds differ, so the bell goes with it). No terminal tells whether it shows
them. SSH passes on TERM, and mostly LC_*: a terminal that is known only by another variable gets the bell.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tui_chat.terminal.passthrough import multiplexer, passed_through, takes_strings
from tui_chat.text.sanitize import visible_line

_BELL: Final = "\x07"
_LONGEST: Final = 120
_PROGRAM: Final = "tui-chat"


class NoticeKind(StrEnum):
    """How to tell."""

    AUTO = "auto"
    """As the terminal is known to take it; else by the bell."""
    BELL = "bell"
    OSC9 = "osc9"
    OSC777 = "osc777"


_TERMINALS: Final = (
    ("LC_TERMINAL", "iTerm2", NoticeKind.OSC9, False),
    ("TERM_PROGRAM", "iTerm.app", NoticeKind.OSC9, False),
    ("TERM", "xterm-kitty", NoticeKind.OSC9, False),
    ("KITTY_WINDOW_ID", "", NoticeKind.OSC9, False),
    ("TERM", "xterm-ghostty", NoticeKind.OSC777, False),
    ("TERM_PROGRAM", "ghostty", NoticeKind.OSC777, False),
    ("TERM", "wezterm", NoticeKind.OSC777, False),
    ("TERM_PROGRAM", "WezTerm", NoticeKind.OSC777, False),
    ("TERM", "foot", NoticeKind.OSC777, False),
    ("TERM", "rxvt-unicode", NoticeKind.OSC777, True),
    ("VTE_VERSION", "", NoticeKind.OSC777, True),
    ("KONSOLE_VERSION", "", NoticeKind.OSC777, True),
)
"""A variable, the beginning of its value, what the terminal takes, and whether the bell is needed all the same."""


def notice(kind: NoticeKind, words: str, environ: Mapping[str, str]) -> bytes:
    """What shows a notice, in the terminal that `environ` tells of.

    Inside tmux or GNU screen, which may keep it to themselves, the bell goes with it.

    Args:
        words: our own, such as "The reply is complete": never a model's, which could pass for somebody else's.
    """
    rings, is_osc = kind is NoticeKind.BELL, takes_strings(environ)
    if kind is NoticeKind.AUTO:
        known = (
            (takes, bell)
            for name, start, takes, bell in _TERMINALS
            if name in environ and environ[name].startswith(start)
        )
        kind, rings = next(known, (NoticeKind.BELL, True))
    words = visible_line(words, _LONGEST)
    if kind is NoticeKind.BELL or not is_osc:
        return _BELL.encode()
    # A message that began with a digit would be progress to ConEmu and Windows Terminal.
    content = f"9;{_PROGRAM}: {words}" if kind is NoticeKind.OSC9 else f"777;notify;{_PROGRAM};{words}"
    sequence = passed_through(f"\x1b]{content}{_BELL}", environ)
    return (sequence + (_BELL if rings or multiplexer(environ) else "")).encode("utf-8", "replace")


def set_title(words: str, environ: Mapping[str, str]) -> bytes:
    """What titles the terminal's window, or the pane of a multiplexer; empty for terminals without titles."""
    if not takes_strings(environ):
        return b""
    return f"\x1b]2;{visible_line(words, _LONGEST)}{_BELL}".encode("utf-8", "replace")


def save_title(environ: Mapping[str, str]) -> bytes:
    """What makes the terminal keep its title for `restore_title` (xterm's XTWINOPS 22)."""
    return b"\x1b[22;2t" if takes_strings(environ) else b""


def restore_title(environ: Mapping[str, str]) -> bytes:
    """What gives the terminal the title back that it kept (xterm's XTWINOPS 23)."""
    return b"\x1b[23;2t" if takes_strings(environ) else b""
