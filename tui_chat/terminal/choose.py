"""Which driver suits the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tui_chat.terminal.colours import depth_of

if TYPE_CHECKING:
    from textual.driver import Driver

_TRUSTED: Final = (
    "alacritty",
    "contour",
    "foot",
    "ghostty",
    "gnome",
    "iterm",
    "kitty",
    "konsole",
    "linux",
    "mintty",
    "mlterm",
    "ms-terminal",
    "putty",
    "rio",
    "rxvt",
    "screen",
    "st-",
    "tmux",
    "vte",
    "wezterm",
    "xterm",
)
"""Beginnings of the TERM names that our sequences were checked against, by trial or by terminfo."""


def choose_driver(environ: Mapping[str, str]) -> type[Driver] | None:
    """The driver for the terminal that `environ` tells of; None for the one that Textual takes on this system.

    Textual's own is taken where `TUI_CHAT_DRIVER=stock` asks for it, on Windows, and where TERM is unset, dumb or
    not known. `TUI_CHAT_MOUSE=all` asks for every motion of the mouse.
    """
    term = environ.get("TERM", "")
    if sys.platform == "win32":
        return None
    # Imported late: they bring a driver of Textual's that does not exist on Windows.
    from tui_chat.terminal.driver import DiffDriver, TerminalTraits
    from tui_chat.terminal.stock import StockDriver

    if environ.get("TUI_CHAT_DRIVER") == "stock" or not term.startswith(_TRUSTED):
        StockDriver.depth = depth_of(environ)
        return StockDriver

    class ChosenDriver(DiffDriver):
        depth = depth_of(environ)
        italic = not _is_gnu_screen(term, environ)
        traits = TerminalTraits(
            erases_in_colour=not _is_gnu_screen(term, environ),
            reports_every_motion=environ.get("TUI_CHAT_MOUSE") == "all",
        )

    return ChosenDriver


def _is_gnu_screen(term: str, environ: Mapping[str, str]) -> bool:
    """Whether this may be GNU screen, which erases in the default colour; tmux may call itself `screen` too."""
    return "STY" in environ or (term.startswith("screen") and "TMUX" not in environ)
