"""The transcript by itself: what the reader looks at stays where it is, whatever is measured, folded or resized."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.selection import SELECT_ALL
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.ui.look import resolve
from tui_chat.ui.widgets import entry_stack, idle_layout
from tui_chat.ui.widgets.transcript import Transcript

from tests.markdown.test_counts import counted

BLOCKS = (
    "A paragraph of some words that is long enough to be wrapped over two rows or three, depending on the width.\n\n",
    "- one\n- two\n  - three\n\n",
    "```python\nfor x in range(10):\n    print(x)\n```\n\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n",
    "> a quote\n> of two lines\n\n",
)


def messages(count: int) -> list[Message]:
    """Messages whose heights nobody would guess from their length."""
    made = []
    for number in range(count):
        text = f"message {number}\n\n" + "".join(BLOCKS[(number + k) % len(BLOCKS)] for k in range(number % 7))
        role = Role.ASSISTANT if number % 2 else Role.USER
        made.append(Message(role, parts_of(text, "thought\n\n" * 5 if number % 6 == 1 else "")))
    return made


class Log(App[None]):
    def __init__(self, shown: Sequence[Message]) -> None:
        super().__init__()
        self.shown = shown
        self.below: int | None = None

    def compose(self) -> ComposeResult:
        yield Transcript(resolve(self), below=lambda rows: setattr(self, "below", rows))

    def on_mount(self) -> None:
        self.log_view.show(self.shown)

    @property
    def log_view(self) -> Transcript:
        return self.query_one(Transcript)

    def in_view(self) -> list[str]:
        """The rows in view."""
        view = self.log_view
        return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


@asynccontextmanager
async def showing(shown: Sequence[Message]) -> AsyncGenerator[tuple[Log, Pilot[None]], None]:
    app = Log(shown)
    with patch.object(idle_layout, "call_in"):  # idle moments come when a test says so
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            yield app, pilot


def all_measured(app: Log) -> None:
    """Let idle moments pass until every height is known."""
    for _ in range(2000):
        if not app.log_view.stack.unmeasured | app.log_view.stack.unfinished:
            return
        app.log_view.idle.work()
    raise AssertionError("the heights were never measured")


async def test_opening_shows_the_end_before_the_rest_is_measured() -> None:
    async with showing(messages(400)) as (app, _pilot):
        assert app.log_view.stack.unmeasured
        assert any("message 399" in row for row in app.in_view())
        assert app.log_view.scroll_offset.y == app.log_view.max_scroll_y


@pytest.mark.parametrize("index", [0, 1, 57, 200, 398])
async def test_measuring_what_is_above_and_below_moves_nothing(index: int) -> None:
    async with showing(messages(400)) as (app, _pilot):
        app.log_view.viewport.go(index, 1)
        before = app.in_view()
        assert app.log_view.stack.unmeasured
        all_measured(app)
        assert app.in_view() == before


async def test_measured_heights_are_those_of_the_rows() -> None:
    async with showing(messages(60)) as (app, _pilot):
        all_measured(app)
        view = app.log_view
        assert [view.stack.heights[index] for index in range(60)] == [
            view.stack.rows(index).height for index in range(60)
        ]


async def test_looking_for_what_is_far_above_moves_nothing() -> None:
    async with showing(messages(400)) as (app, _pilot):
        view = app.log_view
        view.viewport.go(300, 1)
        before = app.in_view()
        for number in range(1, 30):
            assert view.steps.code_block(number)
            assert app.in_view() == before


async def test_a_copy_has_the_whole_of_a_long_message_whose_rows_were_dropped() -> None:
    text = "\n\n".join(f"word{number}" for number in range(2000))
    with patch.object(entry_stack, "_PATIENCE", 0.0):
        async with showing([Message(Role.ASSISTANT, parts_of(text)), *messages(80)]) as (app, _pilot):
            all_measured(app)
            for _ in range(2):
                copied = app.log_view.get_selection(SELECT_ALL)
                assert copied is not None
                assert text in copied[0]


async def test_another_look_draws_the_view_anew_and_lays_out_the_rest_of_a_long_message_later() -> None:
    text = "\n\n".join(f"word{number}" for number in range(2000))
    with patch.object(entry_stack, "_PATIENCE", 0.0):
        async with showing([Message(Role.ASSISTANT, parts_of(text)), *messages(80)]) as (app, _pilot):
            view = app.log_view
            view.viewport.go(0)
            all_measured(app)
            before, height = app.in_view(), view.stack.height
            view.recolour(replace(view.stack.look, text=Style(italic=True)))
            assert app.in_view() == before
            assert view.stack.unfinished == {0}
            assert len(view.stack.unmeasured) < 60
            all_measured(app)
            assert app.in_view() == before
            assert view.stack.height == height


async def test_scrolling_through_everything_shows_every_message_once_and_in_order() -> None:
    async with showing(messages(80)) as (app, pilot):
        view = app.log_view
        view.scroll_to(y=0, animate=False)
        await pilot.pause()
        seen: list[str] = []
        for _ in range(2000):
            top = view.render_line(0).text.strip()
            seen.append(top)
            if view.scroll_offset.y >= view.max_scroll_y:
                break
            view.scroll_relative(y=1, animate=False)
        seen += app.in_view()[1:]
        found = [row.strip(" ▌") for row in seen if "message " in row]
        assert found == [f"message {number}" for number in range(80)]


@pytest.mark.parametrize("offset", [0, 1, 3, 8, 12])
async def test_a_fold_that_opens_and_closes_leaves_the_rest_in_its_place(offset: int) -> None:
    async with showing(messages(60)) as (app, _pilot):
        all_measured(app)
        view = app.log_view
        entry = view.entries[31]
        assert entry.has_thoughts
        view.viewport.go(31, offset)
        top = view.viewport.place()
        before = app.in_view()
        view.fold(entry, unfolded=True)
        view.fold(entry, unfolded=False)
        assert view.viewport.place() == top
        assert app.in_view() == before


async def test_a_fold_above_the_view_moves_nothing_in_it() -> None:
    async with showing(messages(60)) as (app, _pilot):
        all_measured(app)
        view = app.log_view
        view.viewport.go(40)
        before = app.in_view()
        view.fold(view.entries[31], unfolded=True)
        assert app.in_view() == before


async def test_what_changes_above_the_view_moves_nothing_and_is_not_new() -> None:
    async with showing(messages(60)) as (app, pilot):
        all_measured(app)
        view = app.log_view
        view.viewport.go(40)
        before = app.in_view()
        for text in ("line\n" * 20, "line"):
            view.entries[30].become(Message(Role.USER, parts_of(text)))
            view.changed(view.entries[30])
            assert app.in_view() == before
            await pilot.pause()
            assert app.below == 0
        view.entries[59].become(Message(Role.ASSISTANT, parts_of(view.entries[59].said + "\n\none more")))
        view.changed(view.entries[59])
        await pilot.pause()
        assert app.below
        assert app.in_view() == before


async def test_a_place_that_was_removed_is_not_looked_for_at_another_width() -> None:
    async with showing(messages(60)) as (app, pilot):
        view = app.log_view
        view.viewport.go(50, 1)
        await pilot.resize_terminal(70, 24)
        view.drop_below(view.entries[10].message.id)  # as where another tui-chat answers further up
        await pilot.resize_terminal(60, 24)
        assert app.in_view()


async def test_a_message_that_is_added_below_moves_nothing_unless_it_is_followed() -> None:
    async with showing(messages(60)) as (app, _pilot):
        view = app.log_view
        view.viewport.go(30)
        before = app.in_view()
        view.add(Message(Role.USER, parts_of("a new one")))
        assert app.in_view() == before
        view.viewport.follow()
        assert any("a new one" in row for row in app.in_view())


@pytest.mark.parametrize("width", [40, 60, 120])
async def test_a_new_width_keeps_the_character_at_the_top(width: int) -> None:
    text = " ".join(f"word{number}" for number in range(3000))
    async with showing([Message(Role.ASSISTANT, parts_of(text))]) as (app, pilot):
        view = app.log_view
        await laid_out(view, pilot)
        view.viewport.go(0, 100)
        first = view.render_line(0).text.split()[0]
        for size in (width, 80):
            await pilot.resize_terminal(size, 24)
            await laid_out(view, pilot)
            assert first in view.render_line(0).text


async def laid_out(view: Transcript, pilot: Pilot[None]) -> None:
    """Give it the idle moments in which a busy machine lays out a long message."""
    await pilot.pause()
    while view.stack.unfinished:
        view.idle.work()


async def test_a_new_width_keeps_the_character_in_a_message_that_takes_idle_moments_to_lay_out() -> None:
    text = "".join(f"word{number} " * (number % 7 + 1) for number in range(2000))
    with patch.object(entry_stack, "_PATIENCE", 0.0):
        async with showing([Message(Role.ASSISTANT, parts_of(text))]) as (app, pilot):
            view = app.log_view
            await laid_out(view, pilot)
            view.viewport.go(0, 300)
            first = view.render_line(0).text.split()[0]
            for size in (37, 80):
                await pilot.resize_terminal(size, 24)
                await pilot.pause()
                assert view.stack.unfinished
                await laid_out(view, pilot)
                assert first in view.render_line(0).text


@pytest.mark.parametrize(
    "text",
    ["a [link](https://example.com/a/b" + "/long" * 40 + ") and more\n\nend", "x" * 70 + " **bold** and on"],
)
async def test_nothing_moves_down_where_an_address_or_a_mark_goes(text: str) -> None:
    async with showing(messages(4)) as (app, _):
        view = app.log_view
        entry = view.add(Message(Role.ASSISTANT, ()), live=True)
        view.grown()
        top = view.scroll_offset.y
        for character in text:
            entry.answer.append(character)
            view.grown()
            assert view.scroll_offset.y >= top
            top = view.scroll_offset.y
        view.changed(entry)
        assert entry.answer.source == text


async def test_a_mark_that_was_never_closed_is_shown_once_the_reply_has_ended() -> None:
    async with showing(messages(2)) as (app, _pilot):
        view = app.log_view
        entry = view.add(Message(Role.ASSISTANT, ()), live=True)
        entry.answer.append("call **kwargs and\n- ")
        view.grown()
        assert "  call kwargs and" in app.in_view()
        entry.become(Message(Role.ASSISTANT, parts_of(entry.answer.source)))
        view.changed(entry)
        assert "  call **kwargs and" in app.in_view()
        assert "  -" in app.in_view()
        entry.become(entry.message, live=True)
        assert entry.answer.growing


LONG = {"words": "word " * 40_000, "list": "- a\n" * 20_000, "marks": "!" * 200_000, "short": "x\n\n" * 20_000}


@pytest.mark.parametrize("kind", LONG)
async def test_a_long_reply_leaves_the_loop_to_others_while_it_is_laid_out(kind: str) -> None:
    text = LONG[kind]
    async with showing(messages(2)) as (app, pilot):
        view = app.log_view
        entry = view.add(Message(Role.ASSISTANT, ()), live=True)
        with (
            patch.object(entry_stack, "_PATIENCE", 0),
            patch.object(idle_layout, "_HURRY_SECONDS", 0),
        ):
            for width in (80, 60):
                with counted() as work:
                    if width == 80:
                        entry.answer.append(text)
                        view.grown()
                    else:
                        await pilot.resize_terminal(width, 24)
                    assert view.stack.unfinished
                    assert work.rows < 2000
                while view.stack.unfinished:
                    with counted() as work:
                        view.idle.work()
                    assert work.rows < 1000
                height = Layout(Document(text), width - 4, view.stack.look.markdown).height
                assert view.viewport.rows_at(2).height == height + 2  # with a blank row and the head
                assert view.viewport.follows
                assert "".join(app.in_view()).strip()
