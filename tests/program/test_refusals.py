"""What cannot be started says why on standard error, with what to do, and an exit code; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program.kit import CTRL_C, Home
from tests.server import ScriptedServer, reply

CONFIGS = {
    "broken TOML": ("url = ]", ["not valid TOML", "line 1"]),
    "not text": ("\udcff", ["not valid TOML"]),
    "an unknown setting": ('modle = "tiny"', ["modle", "Did you mean 'model'?"]),
    "a wrong type": ("hang_up_minutes = true", ["hang_up_minutes"]),
    "an unknown command": ('[keys]\nsned = "f9"', ["sned", "Did you mean 'send'?"]),
    "an unknown key": ('[keys]\nsend = "ctrl+entre"', ["ctrl+entre", "Did you mean 'enter'?"]),
    "a key for two commands": ('[keys]\nsend = "ctrl+c"', ["ctrl+c", "both"]),
    "an unknown theme": ('theme = "textual-lihgt"', ["textual-lihgt", "Did you mean 'textual-light'?"]),
    "a URL that is none": ('url = "http://"', ["http://"]),
    "a server without a URL": ('[[servers]]\nname = "box"', ["server 1", "url"]),
}


@pytest.mark.parametrize("name", CONFIGS)
async def test_a_wrong_config_names_file_and_mistake(home: Home, name: str) -> None:
    text, words = CONFIGS[name]
    home.config.parent.mkdir(parents=True)
    home.config.write_bytes(text.encode("utf-8", "surrogateescape"))
    code, error = await home.refused()
    assert code == 2, error
    assert "Traceback" not in error
    assert error.startswith("tui-chat: ")
    assert all(word in error for word in words), error


@pytest.mark.parametrize(
    ("arguments", "expected", "words"),
    [
        (["--modle=x"], 2, ["no option --modle.", "Did you mean '--model'?"]),
        (["--modle", "x"], 2, ["no option --modle.", "Did you mean '--model'?"]),
        (["--model", "x", "--theme", "nord"], 2, ["no option --theme.", "a setting of the config file: theme."]),
        (["relay", "--prot", "1"], 2, ["no option --prot.", "Did you mean '--port'?"]),
        (["search", "--", "--modle"], 0, ["Nothing found."]),
        (["--data-dir", "~nobody-here/x"], 2, ["~nobody-here/x", "no such home"]),
        (["--config", "nowhere.toml"], 2, ["nowhere.toml", "--config"]),
        (["--url", "http://[::1"], 2, ["http://[::1"]),
        (["--chat", "nosuch"], 1, ["nosuch", "tui-chat chats"]),
        (["export", "nosuch"], 1, ["nosuch"]),
        (["import", "nosuch.json"], 1, ["nosuch.json"]),
    ],
)
async def test_wrong_arguments_are_named(
    home: Home, arguments: list[str], expected: int, words: list[str]
) -> None:
    code, error = await home.refused(*arguments)
    assert code == expected, error
    assert "Traceback" not in error
    assert all(word in error for word in words), error


async def test_without_a_terminal_it_says_so(home: Home) -> None:
    code, output, error = await home.shell()
    assert (code, output) == (2, "")
    assert "needs a terminal" in error


async def test_a_terminal_that_calls_itself_dumb_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path, {"TERM": "dumb"})
    code, output, error = await home.shell()
    assert (code, output) == (2, "")
    assert "--plain" in error
    assert (await home.refused("chats"))[0] == 0


async def test_a_tiny_terminal_stays_usable(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Hello yourself."))
    async with home.running("--url", server.url, size=(40, 10)) as program:
        await program.until_shows("tiny")
        await program.say("Hello")
        await program.until_shows("Hello yourself.", "○ done")
        program.resize(80, 24)
        await program.until_shows("Hello yourself.", "○ done")
        program.type(CTRL_C + CTRL_C)
        assert await program.ended() == 0
        assert program.unrestored() == []


@pytest.mark.parametrize("environ", [{"TEXTUAL_COLOR_SYSTEM": "many"}, {"TEXTUAL_LOG": "nowhere/log"}])
async def test_variables_of_textual_do_no_harm(
    tmp_path: Path, environ: dict[str, str], server: ScriptedServer
) -> None:
    async with Home(tmp_path, environ).running("--url", server.url) as program:
        await program.until_shows("tiny")
