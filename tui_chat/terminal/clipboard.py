"""The terminal's clipboard by OSC 52, which goes through SSH. No terminal tells whether it took it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from tui_chat.terminal.passthrough import multiplexer, passed_through

LIMIT: Final = 74_994
"""Bytes of text: what fits into the 100,000 of a sequence that many terminals take at most."""


def copy_sequences(text: str, environ: Mapping[str, str]) -> str:
    """The control sequences that put `text` on the clipboard; empty if it is longer than `LIMIT`.

    tmux takes them for itself only with `set-clipboard on`, so it gets a second one that it passes on to the
    terminal outside with `allow-passthrough on`. GNU screen passes short pieces on.
    """
    data = text.encode("utf-8", "replace")
    if len(data) > LIMIT:
        return ""
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    direct = plain if multiplexer(environ) == "tmux" else ""
    return direct + passed_through(plain, environ)


def route(environ: Mapping[str, str]) -> str:
    """By which way a copy goes, for a person."""
    if multiplexer(environ) == "tmux":
        return "by OSC 52 through tmux; if nothing arrives: set -g set-clipboard on"
    return "by OSC 52"
