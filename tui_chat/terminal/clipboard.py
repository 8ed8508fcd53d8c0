"""The terminal's clipboard by OSC 52, which works over SSH. Terminals do not confirm a copy."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from tui_chat.terminal.passthrough import multiplexer, passed_through

LIMIT: Final = 74_994
"""Most bytes of text: many terminals accept sequences of at most 100,000 bytes."""


def copy_sequences(text: str, environ: Mapping[str, str]) -> str:
    """The control sequences that copy `text` to the clipboard; empty if it is longer than `LIMIT`.

    tmux accepts them only with `set-clipboard on`, so it gets a second sequence, which it passes on to the outer
    terminal with `allow-passthrough on`. GNU screen passes short pieces on.
    """
    data = text.encode("utf-8", "replace")
    if len(data) > LIMIT:
        return ""
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    direct = plain if multiplexer(environ) == "tmux" else ""
    return direct + passed_through(plain, environ)
