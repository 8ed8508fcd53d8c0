"""`/set` and `/show`: what people type who know `ollama run`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tui_chat.config import Config
from tui_chat.store.values import Chat
from tui_chat.ui.commands.parameters import names
from tui_chat.ui.dialogs.ask import ConfirmScreen

from tests.server import ScriptedServer, answer, reply
from tests.ui.kit import AppDriver, driven


def chat(run: AppDriver) -> Chat:
    return run.app.workspace.conversation.chat


async def carried_out(run: AppDriver, text: str, told: str) -> None:
    await run.say(text)
    await run.until(lambda: any(told in notice for notice in run.notices))
    assert run.chat.composer.text == ""


async def test_what_is_set_is_sent_with_the_next_prompt_and_kept(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        server.script(*reply("answer"))
        await carried_out(run, "/set parameter temperature 0.2", "temperature: 0.2.")
        await carried_out(run, '/set parameter stop END "two words"', "stop")
        await carried_out(run, "/set system You are a pirate.", "system prompt")
        await carried_out(run, "/set format json", "format: json.")
        await carried_out(run, "/set nothink", "Thinking: off, in this chat and new ones with")
        await run.say("question")
        await run.until(lambda: run.shows("answer"))
        request = next(json.loads(each.body) for each in server.requests if each.path == "/api/chat")
        assert request["options"] == {"temperature": 0.2, "stop": ["END", "two words"]}
        assert request["messages"][0] == {"role": "system", "content": "You are a pirate."}
        assert (request["format"], request["think"]) == ("json", False)
        await run.idle()
        stored = await run.app.workspace.store.load(chat(run).id)
        assert stored.chat.system == "You are a pirate."
        assert stored.chat.parameters.temperature == 0.2
        await carried_out(run, "/set parameter temperature", "as in the settings")
        await carried_out(run, "/set noformat", "format: as in the settings.")
        await carried_out(run, '/set system ""', "No system prompt")
        assert (chat(run).system, chat(run).parameters.temperature, chat(run).parameters.format) == (
            "",
            None,
            None,
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/set parameter temprature 1", "'temperature'"),
        ("/set parameter temperature hot", "0 to 2"),
        ("/set parameter", "needs more"),
        ("/set format yaml", "json"),
        ("/set think loudly", "off, on"),
        ("/show nothing", "does not know nothing"),
        ("/show license", "has no license"),
    ],
)
async def test_what_is_wrong_is_said_and_the_text_stays(text: str, told: str) -> None:
    async with ScriptedServer() as server, driven(server, size=(140, 30)) as run:
        server.script(answer(200, {}), path="/api/show")
        run.chat.composer.text = text
        await run.pilot.press("enter")
        await run.until(lambda: told in f"{run.status.text} {run.status.hint}")
        assert run.chat.composer.text == text


async def test_the_names_of_parameters_are_completed_with_their_meaning() -> None:
    async with driven(None) as run:
        await run.pilot.press(*"/set par", "tab")
        await run.until(lambda: run.shows("How freely words are chosen"))
        await run.pilot.press(*"num_c", "enter")
        await run.until(lambda: run.chat.composer.text == "/set parameter num_ctx ")
        await run.pilot.press(*"4096", "enter")
        await run.until(lambda: chat(run).parameters.num_ctx == 4096)


async def test_show_shows_what_the_server_tells_and_what_is_set() -> None:
    details = {
        "license": "MIT, in short",
        "template": "{{ .Prompt }}",
        "parameters": "stop x",
        "system": "Theirs.",
    }
    async with ScriptedServer() as server, driven(server, size=(80, 40)) as run:
        server.script(answer(200, details), path="/api/show")
        await run.say("/set parameter top_k 20")
        await run.say("/show")
        await run.until(lambda: all(map(run.shows, ("Theirs.", "top_k 20", "stop x", "{{ .Prompt }}", "MIT"))))
        assert run.shows("tiny:latest on box")
        assert run.shows("Quantization  F16")
        await run.pilot.press("escape")
        await run.say("/show modelfile")
        await run.until(lambda: run.shows("FROM tiny") and run.shows("PARAMETER top_k 20"))
        assert not run.shows("MIT")


async def test_a_chat_s_settings_are_saved_as_a_preset_and_loaded_again(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, config=Config(presets=tmp_path)) as run:
        await run.say("/set system Be brief.")
        await run.say("/save brief")
        await run.until(lambda: (tmp_path / "brief.toml").exists())
        await run.say("/new")
        await run.until(lambda: chat(run).system == "")
        await run.say("/load brief")
        await run.until(lambda: chat(run).system == "Be brief.")
        await run.say("/save brief")
        await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
        (tmp_path / "brief.toml").write_text("# mine")
        await run.pilot.press("escape")
        await run.until(lambda: run.app.screen is run.chat)
        assert (tmp_path / "brief.toml").read_text() == "# mine"
        run.chat.composer.text = "/save ../brief"
        await run.pilot.press("enter")
        await run.until(lambda: "cannot be the name" in run.status.text)
        assert run.chat.composer.text == "/save ../brief"


async def test_the_help_of_a_parameter_is_one_sentence_with_its_range() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        help = {each.text.strip(): each.help for each in names(run.chat)}
        assert help["top_k"] == "Only so many of the likeliest words; 0 takes all (a whole number, 0 to 1000)."
        assert not [said for said in help.values() if re.search(r"\. [a-z0-9]", said)]


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ('Speak tersely. Use "quotes"', 'Speak tersely. Use "quotes"'),
        ('"quotes" first', '"quotes" first'),
        ('"one" and "two"', '"one" and "two"'),
        ('"in one pair"', "in one pair"),
        ('"""in three, with "quotes" """', 'in three, with "quotes"'),
    ],
)
async def test_only_quotes_around_a_whole_system_prompt_are_removed(text: str, prompt: str) -> None:
    async with driven(None) as run:
        await carried_out(run, f"/set system {text}", "system prompt")
        assert chat(run).system == prompt
