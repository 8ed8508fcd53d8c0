"""What is told by colour, told without."""

from __future__ import annotations

import asyncio
from dataclasses import fields

import pytest
from rich.color import Color
from rich.style import Style
from textual.widgets import Input
from tui_chat.terminal.colours import Depth
from tui_chat.ui.look import Look, resolve
from tui_chat.ui.widgets.choice_list import ChoiceList
from tui_chat.ui.widgets.status import Status, StatusBar

from tests.ui.kit import driven
from tests.ui.scenes import SCENES, Play


def styles_of(look: Look) -> dict[str, Style]:
    return {field.name: style for field in fields(look) if isinstance(style := getattr(look, field.name), Style)}


@pytest.mark.parametrize("theme", ["tui-chat-dark", "tui-chat-light", "nord", "ansi-dark"])
async def test_the_look_without_colours_has_attributes_alone(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(None) as run:
        run.app.theme = theme
        look = resolve(run.app)
    assert not [name for name, style in styles_of(look).items() if style.color or style.bgcolor]
    for name in ("user", "assistant", "warning", "error"):
        assert styles_of(look)[name].bold


async def test_without_colours_the_chosen_row_and_the_cursor_of_a_field_stand_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(None) as run:
        await run.pilot.press("ctrl+p")
        await run.until(lambda: bool(run.app.screen.query(ChoiceList)) and run.shows("New chat"))
        listing, field = run.app.screen.query_one(ChoiceList), run.app.screen.query_one(Input)
        first, second = ([segment.style for segment in listing.render_line(row)] for row in (0, 1))
        assert all(style and style.reverse for style in first)
        assert not any(style and style.reverse for style in second)
        assert field.get_component_rich_style("input--cursor").reverse
        assert field.get_component_rich_style("input--selection").reverse


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_an_error_is_read_in_the_terminals_own_colours(theme: str) -> None:
    async with driven(None) as run:
        run.app.theme = theme
        await run.pilot.pause()
        bar = run.app.screen.query_one(StatusBar)
        bar.status = Status("what went wrong", "what helps", error=True)
        await run.until(lambda: run.shows("what went wrong"))
        styles = [segment.style for row in range(bar.size.height) for segment in bar.render_line(row)]
        colours = [style.color for style in styles if style and style.color and not style.color.is_default]
        assert colours
        assert not set(colours) & {style.bgcolor for style in styles if style}


@pytest.mark.parametrize("theme", ["tui-chat-dark", "tui-chat-light"])
def test_with_few_colours_what_is_behind_a_dialog_is_shown_as_it_was(theme: str) -> None:
    """A veil over 16 colours makes others of them: some words would be as black as their ground."""
    play = Play(SCENES["finished"], theme, Depth.SIXTEEN)
    app = play.app()

    def first_row() -> list[tuple[str, Color | None, Color | None]]:
        row = [(segment.text.strip(), segment.style) for segment in app.screen._compositor.render_strips()[0]]
        return [(text, style.color, style.bgcolor) for text, style in row if text and style]

    async def compare() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await play.run(pilot)
            before = first_row()
            await pilot.press("ctrl+p")
            await pilot.pause()
            assert len(app.screen_stack) == 2
            assert first_row() == before

    asyncio.run(compare())


@pytest.mark.parametrize(
    ("depth", "size", "framed"),
    [(Depth.TRUE, (80, 24), 0), (Depth.SIXTEEN, (80, 24), 2), (Depth.SIXTEEN, (40, 10), 0), (None, (80, 24), 2)],
)
async def test_a_dialog_over_another_has_a_frame_of_its_own_where_no_veil_lies_between_them(
    monkeypatch: pytest.MonkeyPatch, depth: Depth | None, size: tuple[int, int], framed: int
) -> None:
    if depth is None:
        monkeypatch.setenv("NO_COLOR", "1")
    async with driven(None, depth=depth or Depth.TRUE, size=size) as run:
        await run.pilot.press("f7")
        await run.until(lambda: run.shows("Settings of this chat"))
        assert not run.shows("━━")
        await run.pilot.press("ctrl+p")
        await run.until(lambda: run.shows("Name of the preset"))
        assert sum("━━" in row for row in run.rows()) == framed
        assert run.shows("Settings of this chat") is (size > (40, 10))  # in a tiny terminal it fills the screen
