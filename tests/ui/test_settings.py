"""The settings of a chat: what is wrong is told at its field, what is right counts from the next reply on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input, Static, TextArea
from tui_chat.config import Config
from tui_chat.parameters import PARAMETERS, Parameters
from tui_chat.presets import Preset, preset_names, read_preset, save_preset
from tui_chat.server import Flavour, Kind, Server
from tui_chat.ui.dialogs.ask import AskScreen, ConfirmScreen
from tui_chat.ui.dialogs.settings_form import SettingsForm

from tests.server import ScriptedServer, answer, done, head, token
from tests.ui.kit import AppDriver, driven


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.script(head(), token("Hi."), done())
        yield server


async def opened(run: AppDriver) -> SettingsForm:
    await run.pilot.press("f7")
    await run.until(lambda: isinstance(run.app.screen, SettingsForm) and run.app.screen.focused is not None)
    assert isinstance(run.app.screen, SettingsForm)
    return run.app.screen


def said(form: SettingsForm) -> str:
    return str(form.query_one("#form-state", Static).content)


async def fill(run: AppDriver, form: SettingsForm, name: str, text: str) -> None:
    form.query_one(f"#{name}").focus()
    await run.pilot.press("ctrl+a", "ctrl+k", *text)


async def closed(run: AppDriver) -> None:
    await run.until(lambda: not isinstance(run.app.screen, SettingsForm))
    await run.pilot.pause()


async def test_an_empty_field_shows_what_the_model_says(server: ScriptedServer) -> None:
    told = 'temperature                    0.6\nstop                           "<|a|>"\nstop   "<|b|>"\nseed 7'
    server.script(answer(200, {"model": "tiny", "parameters": told}), path="/api/show")
    async with driven(server, config=Config(options={"seed": 1})) as run:
        form = await opened(run)
        shown = {name: form.query_one(f"#{name}", Input) for name in ("temperature", "stop", "seed", "top_k")}
        await run.until(lambda: shown["temperature"].placeholder == "0.6, by the model")
        assert shown["stop"].placeholder == "<|a|>, <|b|>, by the model"
        assert shown["seed"].placeholder == "1, by your settings"
        assert "model" not in shown["top_k"].placeholder


async def test_more_context_than_the_model_can_use_is_told_and_can_be_saved(server: ScriptedServer) -> None:
    told = {"model_info": {"llama.context_length": 2048}, "parameters": "seed 7"}
    server.script(answer(200, told), path="/api/show")
    async with driven(server) as run:
        form = await opened(run)
        await run.until(lambda: form.query_one("#seed", Input).placeholder == "7, by the model")
        await fill(run, form, "num_ctx", "2048")
        assert said(form).startswith("Tokens of context window")
        await fill(run, form, "num_ctx", "4096")
        assert said(form) == "More than the 2,048 tokens that the model can take: it will use those."
        await run.pilot.press("ctrl+s")
        await closed(run)
        assert run.app.workspace.conversation.chat.parameters == Parameters(num_ctx=4096)


async def test_what_is_set_is_kept_and_sent_and_an_empty_field_is_not(
    server: ScriptedServer, tmp_path: Path
) -> None:
    config = Config(options={"top_k": 30, "seed": 1})
    async with driven(server, database=tmp_path / "chats.db", config=config) as run:
        form = await opened(run)
        assert form.query_one("#top_k", Input).placeholder == "30, by your settings"
        await fill(run, form, "temperature", "0.5")
        await fill(run, form, "num_ctx", "512")
        assert said(form).endswith("Reloads the model. (a whole number, 64 to 10000000)")
        await fill(run, form, "stop", 'END "two words"')
        form.query_one("#system").focus()
        await run.pilot.press(*"Be kind.", "enter", *"Rhyme.")
        await run.pilot.press("ctrl+s")
        await closed(run)
        await run.say("one")
        await run.idle()
        body = server.asked()[-1]
        assert body["options"] == {
            "top_k": 30, "seed": 1, "temperature": 0.5, "num_ctx": 512, "stop": ["END", "two words"],
        }  # fmt: skip
        assert body["messages"][0] == {"role": "system", "content": "Be kind.\nRhyme."}  # type: ignore[index]
    async with driven(server, database=tmp_path / "chats.db", config=config, resume=True) as run:
        form = await opened(run)
        assert form.query_one("#temperature", Input).value == "0.5"
        await fill(run, form, "temperature", "")
        await run.pilot.press("enter")
        await closed(run)
        assert run.app.workspace.conversation.chat.parameters.temperature is None


async def test_a_mistake_is_told_at_its_field_and_nothing_is_saved(server: ScriptedServer) -> None:
    async with driven(server) as run:
        form = await opened(run)
        await fill(run, form, "top_p", "2")
        assert said(form) == "top_p must be 0 to 1, not '2'."
        await fill(run, form, "seed", "7")
        assert said(form).startswith("The same seed")
        await run.pilot.press("ctrl+s")
        assert run.app.screen is form
        assert (form.focused and form.focused.id, said(form)) == ("top_p", "top_p must be 0 to 1, not '2'.")
        await run.pilot.press("escape")
        await closed(run)
        assert run.app.workspace.conversation.chat.parameters == Parameters()


async def test_what_the_server_does_not_take_cannot_be_filled_in() -> None:
    async with ScriptedServer() as server:
        box = Server(server.url, kind=Kind.OPENAI, flavour=Flavour.VLLM)
        async with driven(box, config=Config(model="m"), ready=False) as run:
            form = await opened(run)
            closed_fields = {field.id for field in form.query(Input) if field.disabled}
            assert closed_fields == {"num_ctx", "keep_alive"}
            assert form.query_one("#num_ctx", Input).placeholder == "this server does not take it"
            assert form.query_one("#think", Input).placeholder == "off, on, low, medium, high"


async def test_the_arrow_keys_leave_a_long_system_prompt_only_at_its_ends(server: ScriptedServer) -> None:
    async with driven(server, config=Config(system="one\ntwo")) as run:
        form = await opened(run)
        await run.pilot.press("up")
        assert form.focused is form.query_one("#system")
        for expected in ("system", "temperature"):
            await run.pilot.press("down")
            assert form.focused is not None
            assert form.focused.id == expected
        await run.pilot.press("shift+tab", "tab")
        assert form.focused.id == "temperature"


async def test_settings_are_saved_as_a_preset_and_used_in_another_chat(
    server: ScriptedServer, tmp_path: Path
) -> None:
    folder = tmp_path / "presets"
    async with driven(server, config=Config(presets=folder)) as run:
        form = await opened(run)
        await fill(run, form, "temperature", "0.5")
        await run.pilot.press("ctrl+p")
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        await run.pilot.press(*"a/b", "enter")
        await run.until(lambda: run.shows("'a/b' cannot be the name of a preset."))
        assert run.app.screen.query_one(Input).value == "a/b"
        assert run.shows("Enter save · Esc cancel")
        await run.pilot.press("ctrl+u", *"poet", "enter")
        await run.until(lambda: "poet.toml" in said(form))
        assert read_preset(folder, "poet") == Preset("poet", "tiny:latest", server.url, "", Parameters(0.5))
        await run.pilot.press("ctrl+p")
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        await run.pilot.press(*"poet", "enter")
        await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
        await run.pilot.press("escape", "escape")
        await closed(run)
        assert run.app.workspace.conversation.chat.parameters == Parameters()
        save_preset(folder, Preset("other", "other:latest", "", "Rhyme.", Parameters(seed=7)))
        assert preset_names(folder) == ["other", "poet"]
        run.chat.carry_out(run.chat.keys.commands["preset"], "other")
        await run.until(lambda: run.notices == ["This chat uses the preset other."])
        chat = run.app.workspace.conversation.chat
        assert (chat.system, chat.parameters) == ("Rhyme.", Parameters(seed=7))
        assert run.header.model == "other:latest"


async def test_in_a_tiny_terminal_each_parameter_is_explained_to_its_end(server: ScriptedServer) -> None:
    async with driven(server, size=(40, 10)) as run:
        form = await opened(run)
        assert run.shows("^S save · ^P as preset · Esc cancel")
        for name in PARAMETERS:
            form.query_one(f"#{name}").focus()
            await run.pilot.pause()
            words = said(form).split()
            await run.until(lambda words=words: " ".join(words) in " ".join(" ".join(run.rows()).split()))  # type: ignore[misc]


async def test_the_name_of_a_preset_is_asked_for_once_however_often_its_key_is_pressed(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with driven(server, config=Config(presets=tmp_path)) as run:
        form = await opened(run)
        for _ in range(3):
            run.app.post_message(events.Key("ctrl+p", None))
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        await run.pilot.press(*"poet", "enter")
        await run.until(lambda: "poet.toml" in said(form))
        assert run.app.screen is form


async def test_a_wrong_preset_is_told_and_changes_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "poet.toml").write_text('model = "other"\ntemperature = 7\n')
    async with driven(server, config=Config(presets=tmp_path)) as run:
        run.chat.carry_out(run.chat.keys.commands["preset"], "poet")
        await run.until(lambda: run.status.error)
        assert "poet.toml, line 2: temperature must be 0 to 2, not '7'" in run.status.text
        assert run.header.model == "tiny:latest"


@pytest.mark.parametrize("name", ["temperature", "system"])
async def test_keys_that_arrive_in_one_burst_act_in_their_order(server: ScriptedServer, name: str) -> None:
    async with driven(server) as run:
        form = await opened(run)
        await fill(run, form, name, "9")
        for key, character in (("backspace", "\x7f"), ("0", "0"), ("full_stop", "."), ("home", None), ("5", "5")):
            run.app.post_message(events.Key(key, character))
        await run.pilot.pause(0.2)
        field = form.query_one(f"#{name}")
        assert isinstance(field, (Input, TextArea))
        assert (field.value if isinstance(field, Input) else field.text) == "50."
