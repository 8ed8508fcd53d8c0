"""The table of commands, and the keys that a user may change."""

from __future__ import annotations

import pytest
from tui_chat.config import Config
from tui_chat.errors import ConfigError
from tui_chat.ui.app import ChatApp
from tui_chat.ui.commands import COMMANDS, Scope, check_keymap, key_label, key_labels
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.widgets.composer import Composer

from tests.ui.kit import driven

OWNERS = {Scope.APP: ChatApp, Scope.CHAT: ChatScreen, Scope.COMPOSER: Composer}
FORBIDDEN = {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+b"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_can_be_carried_out(command: object) -> None:
    from tui_chat.ui.commands import Command

    assert isinstance(command, Command)
    assert callable(getattr(OWNERS[command.scope], f"action_{command.action}", None)), command.id


def test_no_default_key_is_one_that_terminals_confuse_or_tmux_keeps() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",") if key]
    assert not FORBIDDEN & set(keys)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("keymap", "said", "hint"),
    [
        ({"new-chatt": "f9"}, "no command 'new-chatt'", "'new-chat'"),
        ({"help": "crtl+x"}, "unknown key 'crtl+x'", "'ctrl'"),
        ({"help": "pagupe"}, "unknown key 'pagupe'", "pageup"),
        ({"help": "ctrl+i"}, "Tab", "another"),
        ({"help": "ctrl+n"}, "both", "another"),
    ],
)
def test_a_wrong_keymap_says_what_is_meant(keymap: dict[str, str], said: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_keymap(keymap)
    assert said in str(caught.value)
    assert hint in caught.value.hint


def test_a_good_keymap_is_taken() -> None:
    assert check_keymap({"help": "f9, alt+h"}) == {"help": "f9,alt+h"}


@pytest.mark.parametrize(
    ("keys", "label"), [("ctrl+p", "^P"), ("escape", "Esc"), ("f1,f9", "F1"), ("alt+up", "Alt+Up")]
)
def test_keys_are_labelled_as_people_read_them(keys: str, label: str) -> None:
    assert key_label(keys) == label


def test_every_key_with_alt_has_a_companion_without_it() -> None:
    for command in COMMANDS:
        keys = command.keys.split(",")
        assert not any("alt+" in key for key in keys) or any("alt+" not in key for key in keys), command.id


def test_all_keys_of_a_command_are_labelled() -> None:
    assert key_labels("alt+up,shift+tab") == ("Alt+Up", "Shift+Tab")
    assert key_labels("") == ()


async def test_a_changed_key_works_is_shown_and_the_old_one_does_not() -> None:
    async with driven(None, config=Config(keys={"help": "f9", "send": "ctrl+x"})) as run:
        assert run.shows("F9 help")
        await run.pilot.press("f1")
        await run.pilot.pause()
        assert len(run.app.screen_stack) == 1
        await run.pilot.press("f9")
        await run.until(lambda: len(run.app.screen_stack) == 2)
        await run.pilot.press("escape")
        await run.pilot.press("h", "i", "ctrl+x")
        await run.until(lambda: len(run.transcript.entries) == 2)
