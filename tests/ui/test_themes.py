"""The list of themes, and the terminal's background."""

from __future__ import annotations

import pytest
from tui_chat.config import Config
from tui_chat.terminal.keys import BackgroundTold
from tui_chat.ui.dialogs.themes import ThemesScreen
from tui_chat.ui.palettes import DARK, LIGHT
from tui_chat.ui.widgets.choice_list import ChoiceList

from tests.ui.kit import AppDriver, driven


async def open_themes(run: AppDriver) -> None:
    run.chat.action_command("theme")
    await run.until(lambda: isinstance(run.app.screen, ThemesScreen) and run.shows("dracula"))


@pytest.mark.parametrize(("keys", "kept"), [(["escape"], ""), (["enter"], "nord")])
async def test_a_theme_is_seen_while_it_is_highlighted_and_escape_goes_back(keys: list[str], kept: str) -> None:
    async with driven(None) as run:
        assert run.app.theme == DARK
        await open_themes(run)
        await run.pilot.press(*"nord")
        await run.until(lambda: run.app.theme == "nord")
        await run.pilot.press(*keys)
        await run.until(lambda: not isinstance(run.app.screen, ThemesScreen))
        assert run.app.theme == (kept or DARK)
        assert await run.app.workspace.choices.theme() == kept


async def test_a_click_takes_a_choice() -> None:
    async with driven(None) as run:
        await open_themes(run)
        await run.pilot.click(ChoiceList, offset=(4, 2))
        await run.until(lambda: not isinstance(run.app.screen, ThemesScreen))
        assert run.app.theme == LIGHT


@pytest.mark.parametrize("config", [Config(), Config(theme="gruvbox")])
async def test_only_who_chose_no_theme_follows_the_terminal(config: Config) -> None:
    async with driven(None, config=config) as run:
        for dark in (False, True, False):
            run.app.post_message(BackgroundTold(dark=dark))
            await run.pilot.pause()
            assert run.app.theme == (config.theme or (DARK if dark else LIGHT))
