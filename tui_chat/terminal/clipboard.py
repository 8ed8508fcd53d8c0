"""The terminal's clipboard by OSC 52, which goes through SSH. No terminal tells whether it took it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

LIMIT: Final = 74_994
"""Bytes of text: what fits into the 100,000 of a sequence that many terminals take at most."""
_SCREEN_CHUNK: Final = 240
"""Characters of a string sequence that every GNU screen passes on."""


def copy_sequences(text: str, environ: Mapping[str, str]) -> str:
    """The control sequences that put `text` on the clipboard; empty if it is longer than `LIMIT`.

    tmux takes them for itself only with `set-clipboard on`, so it gets a second one that it passes on to the
    terminal outside with `allow-passthrough on`. GNU screen passes short pieces on.
    """
    data = text.encode("utf-8", "replace")
    if len(data) > LIMIT:
        return ""
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if environ.get("TMUX"):
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY") or environ.get("TERM", "").startswith("screen"):
        pieces = (plain[start : start + _SCREEN_CHUNK] for start in range(0, len(plain), _SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return plain


def route(environ: Mapping[str, str]) -> str:
    """By which way a copy goes, for a person."""
    if environ.get("TMUX"):
        return "by OSC 52 through tmux; if nothing arrives: set -g set-clipboard on"
    return "by OSC 52"
