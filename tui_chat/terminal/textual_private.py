"""Textual's private names, which any release may change: used only here, each with a test.

Methods that our classes override are in those classes.
"""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

from rich.console import RenderableType
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.scrollbar import ScrollBar
from textual.widget import Widget

Parser = XTermParser
"""Parses a terminal's input into keys and reports."""


def driver_of(app: App[Any]) -> Driver | None:
    """An app's driver; None before it runs."""
    return app._driver


def set_clipboard(app: App[Any], text: str) -> None:
    """Set the app's own clipboard, not the terminal's."""
    app._clipboard = text


def end_with(app: App[Any], words: RenderableType) -> None:
    """End an app after a failure, and print `words` instead of Textual's traceback."""
    app._exit_renderables.append(words)
    app._close_messages_no_wait()


def vertical_scrollbar(view: Widget, make: Callable[[], ScrollBar]) -> ScrollBar:
    """A view's scrollbar, created on demand as Textual does."""
    if view._vertical_scrollbar is None:
        view._vertical_scrollbar = make()
        view._vertical_scrollbar.display = False
        view.app._start_widget(view, view._vertical_scrollbar)
    return view._vertical_scrollbar


def write_to(driver: LinuxDriver, output: TextIOWrapper | None) -> None:
    """Let a driver write to `output` instead of standard error."""
    driver._file = output


def has_writer(driver: LinuxDriver) -> bool:
    """Whether Textual's thread that writes to the terminal runs."""
    return driver._writer_thread is not None


def drop_writer(driver: LinuxDriver) -> None:
    """Drop that thread, without stopping it."""
    driver._writer_thread = None
