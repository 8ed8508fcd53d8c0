"""The table of commands, and the keys that a user may change."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_chat.config import Config
from tui_chat.errors import ConfigError
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap, key_label
from tui_chat.ui.commands.table import BY_SLASH, COMMANDS, GROUPS

from tests.server import ScriptedServer, reply
from tests.ui.kit import driven

FORBIDDEN = {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+b"}
MAIN = (Scope.APP, Scope.CHAT, Scope.COMPOSER)


def main_keys() -> list[str]:
    return [key for command in COMMANDS if command.scope in MAIN for key in command.keys.split(",") if key]


def test_ids_and_slash_names_are_unique_and_every_command_says_what_it_does() -> None:
    ids = [command.id for command in COMMANDS]
    names = [name for command in COMMANDS for name in command.slashes]
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)
    assert all(command.title and command.help for command in COMMANDS)


def test_a_slash_name_leads_to_its_command() -> None:
    assert [BY_SLASH[name] for command in COMMANDS for name in command.slashes] == [
        command for command in COMMANDS for _ in command.slashes
    ]
    assert "/nothing" not in BY_SLASH
    assert "" not in BY_SLASH


def test_no_default_key_is_one_that_terminals_confuse_or_tmux_keeps() -> None:
    assert not FORBIDDEN & {key for command in COMMANDS for key in command.keys.split(",")}
    assert len(main_keys()) == len(set(main_keys()))


@pytest.mark.parametrize(
    ("keymap", "said", "hint"),
    [
        ({"new-chatt": "f9"}, "no command 'new-chatt'", "'new-chat'"),
        ({"help": "crtl+x"}, "unknown key 'crtl+x'", "'ctrl'"),
        ({"help": "cmd+x"}, "no modifier is called 'cmd'", "alt, ctrl, shift"),
        ({"help": "Ctrl+x"}, "unknown key 'Ctrl+x'", "'ctrl'"),
        ({"help": "pagupe"}, "unknown key 'pagupe'", "pageup"),
        ({"send": "x"}, "x could not be typed", "ctrl+"),
        ({"help": "ctrl+i"}, "Tab", "another"),
        ({"help": "ctrl+n"}, "both", "another"),
    ],
)
def test_a_wrong_keymap_says_what_is_meant(keymap: dict[str, str], said: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Keymap(GROUPS, keymap)
    assert said in str(caught.value)
    assert hint in caught.value.hint


def test_a_key_of_the_chat_may_be_one_of_the_log_or_of_a_list_too() -> None:
    assert Keymap(GROUPS, {"top": "home", "quit": "ctrl+d"}).keys("top") == ("home",)


def test_a_good_keymap_is_taken() -> None:
    assert Keymap(GROUPS, {"help": "f11, alt+h"}).keys("help") == ("f11", "alt+h")


@pytest.mark.parametrize(
    ("key", "label"),
    [("ctrl+p", "^P"), ("escape", "Esc"), ("f1", "F1"), ("c", "c"), ("down", "↓"), ("alt+up", "Alt+Up")],
)
def test_keys_are_labelled_as_people_read_them(key: str, label: str) -> None:
    assert key_label(key) == label


def test_every_key_with_alt_has_a_companion_without_it() -> None:
    for command in COMMANDS:
        keys = command.keys.split(",")
        assert not any("alt+" in key for key in keys) or any("alt+" not in key for key in keys), command.id


def test_all_keys_of_a_command_are_labelled() -> None:
    keys = Keymap(GROUPS, {})
    assert keys.labels("select-up") == ("Alt+Up", "Shift+Tab")
    assert keys.labels("redraw") == ()


async def test_a_changed_key_works_is_shown_and_the_old_one_does_not() -> None:
    async with driven(None, config=Config(keys={"help": "f11", "send": "ctrl+x"})) as run:
        assert run.shows("F11 help")
        await run.pilot.press("f1")
        await run.pilot.pause()
        assert len(run.app.screen_stack) == 1
        await run.pilot.press("f11")
        await run.until(lambda: len(run.app.screen_stack) == 2)
        await run.pilot.press("escape")
        await run.pilot.press("h", "i", "ctrl+x")
        await run.until(lambda: len(run.transcript.entries) == 2)


async def test_a_code_block_shows_its_number_and_the_key_that_copies_it() -> None:
    async with driven(None, config=Config(keys={"selected-copy": "y"})) as run:
        run.transcript.show([Message(Role.ASSISTANT, parts_of("```py\na = 1\n```\n\n```\nb\n```"))])
        run.chat.show_log()
        await run.until(lambda: run.shows("#1  y copy") and run.shows("#2  y copy"))


async def test_the_chat_on_screen_is_renamed_exported_and_deleted_by_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        server.script(*reply("the answer"))
        await run.say("question")
        await run.until(lambda: run.shows("the answer"))
        await run.idle()
        run.chat.action_command("rename-chat")
        await run.until(lambda: run.shows("Rename this chat"))
        await run.pilot.press(*" two", "enter")
        await run.until(lambda: run.header.title == "question two")
        run.chat.action_command("export-chat")
        await run.until(lambda: run.shows("Save this chat as"))
        await run.pilot.press("enter")
        await run.until(lambda: (tmp_path / "chat.md").exists())
        assert (tmp_path / "chat.md").read_text().startswith("# question two\n")
        run.chat.action_command("delete-chat")
        await run.until(lambda: run.shows("Delete question two?"))
        await run.pilot.press("escape")
        await run.until(lambda: run.app.screen is run.chat)
        assert [chat.title for chat in await run.app.workspace.store.chats()] == ["question two"]
        run.chat.action_command("delete-chat")
        await run.until(lambda: run.shows("Delete question two?"))
        await run.pilot.press("enter")
        await run.until(lambda: not run.transcript.entries and run.header.title == "")
        assert not await run.app.workspace.store.chats()


async def test_a_chat_is_saved_to_the_file_that_is_named_which_is_replaced_only_if_that_was_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    file = tmp_path / "out" / "a chat.md"
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("the answer"))
        await run.say("question")
        await run.until(lambda: run.shows("the answer"))
        await run.idle()
        await run.say("/export out/a chat.md")
        await run.until(lambda: "Saved this chat as out/a chat.md." in run.notices)
        assert "the answer" in file.read_text()
        file.write_text("precious")
        for key, kept in (("escape", True), ("enter", False)):
            await run.say(f"/export {file}")
            await run.until(lambda: run.shows("Replace "))
            assert file.read_text() == "precious"
            await run.pilot.press(key)
            await run.until(lambda: run.app.screen is run.chat)
            await run.until(lambda kept=kept: kept is (file.read_text() == "precious"))  # type: ignore[misc]
        assert "the answer" in file.read_text()
        await run.say("/export nowhere/a.md")
        await run.until(lambda: run.status.text.startswith("Cannot write nowhere/a.md"))
        assert run.chat.composer.text == "/export nowhere/a.md"


async def test_a_slash_command_s_argument_is_taken_and_its_values_are_known() -> None:
    async with driven(None) as run:
        models = BY_SLASH["/model"]
        assert models.argument is not None
        values = models.argument.completer(run.chat)
        assert isinstance(values, list)
        assert "demo-think" in values
        run.chat.carry_out(models, "demo-think")
        await run.until(lambda: run.header.model == "demo-think")
