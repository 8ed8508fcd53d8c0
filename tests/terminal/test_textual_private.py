"""Each underscored name of Textual's that we use is still there, and does what we use it for."""

from __future__ import annotations

import io

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from tui_chat.terminal import textual_private as private


class _Scrolling(App[None]):
    def compose(self) -> ComposeResult:
        yield ScrollView()


async def test_a_running_app_has_a_driver() -> None:
    app = _Scrolling()
    assert private.driver_of(app) is None
    async with app.run_test():
        assert isinstance(private.driver_of(app), HeadlessDriver)


async def test_the_clipboard_is_set_without_a_word_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    app = _Scrolling()
    async with app.run_test():
        written: list[str] = []
        monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
        private.set_clipboard(app, "text")
        assert app.clipboard == "text"
        assert not written


async def test_an_app_ends_with_our_words_instead_of_a_traceback() -> None:
    app = _Scrolling()
    app.error_console.file = io.StringIO()
    async with app.run_test():
        private.end_with(app, Text("our words"))
    assert app.error_console.file.getvalue() == "our words\n"


async def test_a_view_shows_the_scrollbar_that_is_made_for_it_and_only_one() -> None:
    class Own(ScrollBar):
        pass

    class View(ScrollView):
        DEFAULT_CSS = "View { overflow-y: scroll; }"

        @property
        def vertical_scrollbar(self) -> ScrollBar:
            return private.vertical_scrollbar(self, Own)

    class Showing(App[None]):
        def compose(self) -> ComposeResult:
            yield View()

    app = Showing()
    async with app.run_test():
        view = app.query_one(View)
        view.virtual_size = Size(10, 1000)
        bar = view.vertical_scrollbar
        assert isinstance(bar, Own)
        assert view.vertical_scrollbar is bar
        assert bar.is_attached
        assert bar.display


async def test_a_driver_for_terminals_lets_go_of_its_writer() -> None:
    class Writer:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    app, writer = _Scrolling(), Writer()
    async with app.run_test():
        driver = LinuxDriver(app)
        assert not private.has_writer(driver)
        driver._writer_thread = writer  # type: ignore[assignment]
        assert private.has_writer(driver)
        private.drop_writer(driver)
        assert not private.has_writer(driver)


def test_the_parser_makes_keys_of_what_a_terminal_sends() -> None:
    keys = [event.key for event in private.Parser().feed("a\x1b[A") if isinstance(event, Key)]
    assert keys == ["a", "up"]
