"""Choose the driver for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_chat.terminal.colours import depth_of
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.glyphs import LINUX
from tui_chat.terminal.stock import StockDriver

_LIMITED: Final = (
    *("dumb", "unknown", "ansi", "cons25", "cygwin", "emacs", "eterm", "mach", "pcansi", "sun", "vt1", "vt52"),
)
"""Prefixes of TERM whose terminals cannot delete lines, erase characters or scroll part of the screen."""


def choose_driver(environ: Mapping[str, str]) -> type[StockDriver]:
    """The driver for the terminal that `environ` describes.

    `StockDriver` if `TUI_CHAT_DRIVER=stock` asks for it, and if TERM is unset or names a limited terminal.
    """
    term = environ.get("TERM", "")
    if environ.get("TUI_CHAT_DRIVER") == "stock" or not term or term.startswith(_LIMITED):
        StockDriver.depth = depth_of(environ)
        return StockDriver

    class ChosenDriver(DiffDriver):
        depth = depth_of(environ)
        italic = erases_in_colour = not _is_gnu_screen(term, environ)
        glyphs = LINUX if term.startswith("linux") else DiffDriver.glyphs

    return ChosenDriver


def _is_gnu_screen(term: str, environ: Mapping[str, str]) -> bool:
    """Whether this may be GNU screen; tmux can call itself `screen` too."""
    return "STY" in environ or (term.startswith("screen") and "TMUX" not in environ)
