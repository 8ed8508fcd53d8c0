"""The terminal's clipboard by OSC 52, which works over SSH, or by tmux. Terminals do not confirm a copy."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from subprocess import DEVNULL, TimeoutExpired, run
from typing import Final

from tui_chat.terminal.passthrough import multiplexer, passed_through, takes_strings

LIMIT: Final = 74_994
"""Most bytes of text: many terminals accept sequences of at most 100,000 bytes."""
BY_TMUX: Final = "by tmux, to its buffer and the terminal"
"""The way of `load_buffer`, in words."""
_TMUX_SECONDS: Final = 2.0
"""How long tmux may take."""


def copy_way(text: str, environ: Mapping[str, str]) -> str:
    """How `text` reaches the clipboard, in words; empty if it is longer than `LIMIT`, or the terminal has none."""
    deaf = not takes_strings(environ) or environ.get("TERM_PROGRAM") == "Apple_Terminal"
    if deaf or len(text.encode("utf-8", "replace")) > LIMIT:
        return ""
    between = multiplexer(environ)
    return "by OSC 52" + f" through {between}" * bool(between)


def copy_sequences(text: str, environ: Mapping[str, str]) -> str:
    """The control sequences that copy `text` to the clipboard; empty if there is no way.

    tmux accepts them only with `set-clipboard on`, so it gets a second sequence, which it passes on to the outer
    terminal with `allow-passthrough on`. GNU screen passes short pieces on.
    """
    if not copy_way(text, environ):
        return ""
    data = text.encode("utf-8", "replace")
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    direct = plain if multiplexer(environ) == "tmux" else ""
    return direct + passed_through(plain, environ)


async def load_buffer(text: str, environ: Mapping[str, str]) -> bool:
    """Whether tmux (3.2 or later) took a text, into its buffer and on to the terminal outside.

    By default it takes no OSC 52 from programs inside (tmux(1): load-buffer, set-clipboard).
    """
    command, data = ("tmux", "load-buffer", "-w", "-"), text.encode("utf-8", "replace")
    try:
        ended = await asyncio.to_thread(
            run, command, input=data, stdout=DEVNULL, stderr=DEVNULL, env=dict(environ), timeout=_TMUX_SECONDS
        )
    except (OSError, TimeoutExpired):
        return False
    return ended.returncode == 0
