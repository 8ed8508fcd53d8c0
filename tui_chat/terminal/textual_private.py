"""Underscored names of Textual's, which any release may change: used here alone, and each has a test.

A method of Textual's that one of our classes overrides has to stay in that class.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import RenderableType
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

Parser = XTermParser
"""What makes key presses and reports of a terminal's input."""


def driver_of(app: App[Any]) -> Driver | None:
    """What an app is drawn by; None before it runs."""
    return app._driver


def set_clipboard(app: App[Any], text: str) -> None:
    """Let `text` be what the app pastes, without a word to the terminal."""
    app._clipboard = text


def end_with(app: App[Any], words: RenderableType) -> None:
    """End an app in which something has failed, and print these words instead of what Textual would."""
    app._exit_renderables.append(words)
    app._close_messages_no_wait()


def vertical_scrollbar(view: ScrollView, make: Callable[[], ScrollBar]) -> ScrollBar:
    """A view's scrollbar, made when first asked for, as Textual makes its own."""
    if view._vertical_scrollbar is None:
        view._vertical_scrollbar = make()
        view._vertical_scrollbar.display = False
        view.app._start_widget(view, view._vertical_scrollbar)
    return view._vertical_scrollbar


def app_of(driver: Driver) -> App[Any]:
    """The app that a driver draws."""
    return driver._app


def loop_of(driver: Driver) -> asyncio.AbstractEventLoop:
    """The event loop that a driver gives its messages to."""
    return driver._loop


def is_debugging(driver: Driver) -> bool:
    """Whether a driver is to log what it reads."""
    return driver._debug


def uses_mouse(driver: Driver) -> bool:
    """Whether a driver is to ask the terminal for the mouse."""
    return driver._mouse


def output_of(driver: LinuxDriver) -> TextIO | None:
    """What a driver writes to."""
    return driver._file


def terminal_size(driver: LinuxDriver) -> tuple[int, int]:
    """Columns and rows of the terminal."""
    return driver._get_terminal_size()


def has_writer(driver: LinuxDriver) -> bool:
    """Whether Textual's thread that writes to the terminal runs."""
    return driver._writer_thread is not None


def drop_writer(driver: LinuxDriver, *, stop: bool = False) -> None:
    """Let go of that thread, having stopped it first if told so."""
    if stop and driver._writer_thread is not None:
        driver._writer_thread.stop()
    driver._writer_thread = None
