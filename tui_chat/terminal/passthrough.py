"""Sequences for the terminal that a multiplexer stands in front of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NO_STRINGS: Final = ("linux", "dumb", "vt", "cons25")
"""The beginnings of TERM of terminals without string sequences."""
_SCREEN_CHUNK: Final = 240
"""Characters of a string sequence that every GNU screen passes on."""


def takes_strings(environ: Mapping[str, str]) -> bool:
    """Whether the terminal knows string sequences, such as OSC, and does not print them."""
    return not environ.get("TERM", "dumb").startswith(_NO_STRINGS)


def multiplexer(environ: Mapping[str, str]) -> str:
    """`tmux` or `screen`, where we run in one; else empty."""
    if environ.get("TMUX"):
        return "tmux"
    return "screen" if environ.get("STY") or environ.get("TERM", "").startswith("screen") else ""


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """A sequence, wrapped so that a multiplexer passes it on to the terminal outside.

    tmux does that with `allow-passthrough on` only. GNU screen passes short pieces on; a sequence for it must not
    contain ESC \\, but end with BEL.
    """
    match multiplexer(environ):
        case "tmux":
            return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        case "screen":
            pieces = (sequence[start : start + _SCREEN_CHUNK] for start in range(0, len(sequence), _SCREEN_CHUNK))
            return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence
