"""How much the model thinks: chosen by a key, kept with the chat and for the model, and ended where the server can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tui_chat.chat.settings import shown
from tui_chat.config import Config
from tui_chat.parameters import Parameters
from tui_chat.server import Flavour, Kind, Server
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.settings_form import SettingsForm
from tui_chat.ui.widgets.divider import Divider

from tests.server import MODEL, SSE, ScriptedServer, answer, done, head, raw, token, wait
from tests.ui.kit import AppDriver, driven

NO_THINKING = {"error": '"tiny" does not support thinking'}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.script(head(), token("Hi."), done())
        yield server


def choices(run: AppDriver) -> list[str]:
    assert isinstance(run.app.screen, Picker)
    return [choice.value for choice in run.app.screen._choices]


async def choose(run: AppDriver, level: str) -> None:
    await run.pilot.press("f6")
    await run.until(lambda: isinstance(run.app.screen, Picker))
    await run.pilot.press(*level, "enter")
    await run.until(lambda: not isinstance(run.app.screen, Picker))
    await run.pilot.pause()


async def test_a_level_is_chosen_by_a_key_shown_sent_and_kept_for_the_model(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with driven(server, database=tmp_path / "chats.db") as run:
        await run.pilot.press("f6")
        await run.until(lambda: isinstance(run.app.screen, Picker))
        assert choices(run) == ["default", "off", "on"]
        await run.pilot.press("escape")
        await choose(run, "off")
        assert run.notices == ["Thinking: off, in this chat and new ones with tiny:latest."]
        assert "think off" in run.rows()[0]
        await run.say("one")
        await run.idle()
        run.chat.navigation.new_chat()
        await run.pilot.pause()
        assert "think off" in run.rows()[0]
        await run.say("two")
        await run.idle()
        await choose(run, "default")
        assert "think" not in run.rows()[0]
        await run.say("three")
        await run.idle()
        await choose(run, "on")
    assert [body.get("think") for body in server.asked()] == [False, False, None]
    async with driven(server, database=tmp_path / "chats.db") as run:
        assert "think on" in run.rows()[0]


async def test_a_level_counts_for_new_chats_and_not_for_those_that_are_there(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with driven(server, database=tmp_path / "chats.db") as run:
        await run.say("one")
        await run.idle()
        old = run.app.workspace.conversation.chat.id
        run.chat.navigation.new_chat()
        await choose(run, "off")
        run.chat.navigation.new_chat()
        await run.pilot.pause()
        assert "think off" in run.rows()[0]
        assert (await shown(run.app.workspace, "parameters"))["Parameters of this chat"] == "think off"
        await run.say("two")
        await run.idle()
        newer = run.app.workspace.conversation.chat.id
        await run.app.workspace.open_chat(old)
        run.chat.server.show()
        assert "think" not in run.rows()[0]
        await run.say("three")
        await run.idle()
        await choose(run, "default")  # what new chats do now does not change one that is there
    async with driven(server, database=tmp_path / "chats.db") as run:
        assert "think" not in run.rows()[0]
        await run.app.workspace.open_chat(newer)
        run.chat.server.show()
        await run.say("four")
        await run.idle()
    assert [body.get("think") for body in server.asked()] == [None, False, None, False]


async def test_a_model_that_cannot_think_says_so_and_is_not_told_to(server: ScriptedServer) -> None:
    plain = {"name": "plain:latest", "capabilities": ["completion"]}
    server._own["/api/tags"] = answer(200, {"models": [plain]})
    async with driven(server, config=Config(think=True)) as run:
        await run.pilot.press("f6")
        await run.until(lambda: run.notices == ["plain:latest cannot think."])
        await run.say("one")
        await run.idle()
    assert [body.get("think") for body in server.asked()] == [None]


async def test_a_refusal_to_think_is_told_and_the_prompt_is_answered(server: ScriptedServer) -> None:
    server._scripts.clear()
    server.script(answer(400, NO_THINKING))
    server.script(head(), token("Hi."), done())
    async with driven(server, config=Config(parameters=Parameters(think="high"))) as run:
        await run.say("one")
        await run.until(lambda: any("cannot be told how much to think" in notice for notice in run.notices))
        assert run.shows("Hi.")
    assert [body.get("think") for body in server.asked()] == ["high", None]


@pytest.mark.parametrize("change", ["/think default", "/set think low", "/model other", "again"])
async def test_the_notice_of_a_refusal_to_think_goes_when_it_is_no_longer_true(
    server: ScriptedServer, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Divider, "_drop", lambda *_: None)  # it does not go by itself
    server._scripts.clear()
    server._own["/api/tags"] = answer(200, {"models": [MODEL, {**MODEL, "name": "other:latest"}]})
    server.script(answer(400, NO_THINKING))
    server.script(head(), token("Hi."), done())
    server.script(head(), token("There."), done())
    async with driven(server, config=Config(parameters=Parameters(think="high"))) as run:

        def told() -> bool:
            return any("cannot be told how much to think" in notice for notice in run.notices)

        await run.say("one")
        await run.until(told)
        await run.idle()
        await run.say(change)
        await run.until(lambda: not told())


async def test_any_other_refusal_is_not_asked_again(server: ScriptedServer) -> None:
    server._scripts.clear()
    server.script(answer(400, {"error": '"tiny" does not support vision'}))
    async with driven(server, config=Config(parameters=Parameters(think=True))) as run:
        await run.say("one")
        await run.until(lambda: run.status.error)
    assert len(server.asked()) == 1


async def test_thinking_is_ended_where_the_server_can_and_only_then_offered() -> None:
    def piece(**delta: str) -> bytes:
        return (
            b"data: " + json.dumps({"id": "chat-7", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"
        )

    gate = asyncio.Event()
    async with ScriptedServer() as server:
        server._own["/v1/models"] = answer(200, {"data": [{"id": "m", "owned_by": "llamacpp"}]})
        server._own["/props?model=m&autoload=false"] = answer(200, {"chat_template": "<think> enable_thinking"})
        server.script(answer(200, {"success": False}), path="/v1/chat/completions/control")
        server.script(answer(200, {"success": True}), path="/v1/chat/completions/control")
        end = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        server.script(
            head(content_type=SSE),
            raw(piece(reasoning_content="Hm.")),
            wait(gate),
            raw(piece(content="Yes.")),
            raw(end),
            path="/v1/chat/completions",
        )
        box = Server(server.url, name="box", kind=Kind.OPENAI, flavour=Flavour.LLAMACPP)
        async with driven(box) as run:
            await run.pilot.press("ctrl+p", *"answer now")
            assert "answer-now" not in [choice.value.id for choice in run.app.screen._choices]  # type: ignore[attr-defined]
            await run.pilot.press("escape")
            await run.say("one")
            await run.until(lambda: run.shows("Hm."))
            await run.pilot.press("f6")
            await run.until(lambda: isinstance(run.app.screen, Picker))
            assert choices(run)[0] == "answer now"
            await run.pilot.press("home", *"answer", "enter")
            await run.until(lambda: len(server.asked("/v1/chat/completions/control")) == 2)
            gate.set()
            await run.idle()
            assert run.shows("Yes.")
            await run.pilot.press("f6")
            await run.until(lambda: isinstance(run.app.screen, Picker))
            assert choices(run) == ["default", "off", "on"]
        asked = server.asked("/v1/chat/completions/control")
        assert asked[1] == {"id": "chat-7", "action": "reasoning_end", "model": "m"}
        assert server.asked("/v1/chat/completions")[0]["reasoning_control"] is True


@pytest.mark.parametrize("command", ["/think high", "/set think high"])
async def test_a_level_is_taken_for_a_model_that_is_known_to_think_or_not_as_by_the_form_and_the_flag(
    server: ScriptedServer, command: str
) -> None:
    async with driven(server) as run:
        await run.say(command)
        known = "This model is known to take off, on: high may count as one of those."
        await run.until(
            lambda: run.notices == [f"Thinking: high, in this chat and new ones with tiny:latest. {known}"]
        )
        assert run.app.workspace.conversation.chat.parameters.think == "high"
        await run.say("go")
        await run.idle()
        assert [body.get("think") for body in server.asked()] == ["high"]
        await run.pilot.press("f7")
        await run.until(lambda: isinstance(run.app.screen, SettingsForm))
        run.app.screen.query_one("#think").focus()
        await run.until(lambda: run.shows(known))


@pytest.mark.parametrize("command", ["/think huge", "/set think huge"])
async def test_a_word_that_is_no_level_is_not_set(command: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await run.say(command)
        await run.until(lambda: "not 'huge'" in run.status.text)
        assert run.app.workspace.conversation.chat.parameters.think is None
        assert run.chat.composer.text == command
