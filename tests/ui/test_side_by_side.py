"""Several chats at once: going to another one stops nothing, and all of them can be seen to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tui_chat.messages import State
from tui_chat.ui.dialogs.ask import ConfirmScreen
from tui_chat.ui.widgets.status import StatusBar

from tests.server import ScriptedServer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        yield server


def said(run: AppDriver) -> list[str]:
    return [entry.said for entry in run.transcript.entries]


async def begun(run: AppDriver, prompt: str, shown: str) -> None:
    await run.say(prompt)
    await run.until(lambda: run.shows(shown))


async def test_a_reply_goes_on_while_another_chat_is_shown_and_is_seen_as_it_is_now(
    server: ScriptedServer,
) -> None:
    gate = asyncio.Event()
    async with driven(server, size=(120, 30)) as run:
        server.script(head(), token("begin "), wait(gate), token("and more"), stall())
        server.script(*reply("second answer"))
        await begun(run, "first", "begin")
        await run.pilot.press("ctrl+n")
        await run.until(lambda: said(run) == [] and run.header.others == 1)
        assert run.shows("1 more running")
        await run.say("second")
        await run.until(lambda: said(run) == ["second", "second answer"])
        gate.set()
        await run.pilot.click(offset=(run.rows()[0].index("1 more running") + 3, 0))
        await run.until(lambda: run.shows("first"))
        await run.until(lambda: run.shows("●"))
        await run.pilot.press(*"first", "enter")
        await run.until(lambda: said(run) == ["first", "begin and more"])
        assert run.header.others == 0
        await run.pilot.press("escape")
        await run.idle()
        assert run.transcript.entries[-1].message.state is State.STOPPED


async def test_a_new_chat_does_not_show_how_far_the_reply_of_the_one_before_is(server: ScriptedServer) -> None:
    async with driven(server) as run:
        server.script(head(), token("begin "), stall())
        await begun(run, "first", "begin")
        await run.pilot.press("ctrl+n")
        assert said(run) == []
        assert (run.status.text, run.header.others) == ("ready", 1)
        assert run.chat.query_one(StatusBar).keys[0][1] != "stop"


async def test_a_prompt_goes_to_the_chat_that_it_was_sent_in(server: ScriptedServer) -> None:
    """The keys of Enter and of a new chat may come in one read."""
    async with driven(server) as run:
        server.script(*reply("here"))
        composer = run.chat.composer
        composer.text = "to the first"
        first = run.chat.workspace.current
        composer.send()
        run.chat.action_command("new-chat")
        await run.until(lambda: first.conversation.last is not None and first.conversation.last.text == "here")
        assert run.chat.workspace.current is not first
        assert said(run) == []


async def test_a_reply_that_ended_meanwhile_is_told_in_the_list_until_it_is_seen(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    async with driven(server, size=(120, 30)) as run:
        server.script(head(), token("begin "), wait(gate), token("end"), done(), end())
        await begun(run, "first", "begin")
        await run.pilot.press("ctrl+n")
        await run.until(lambda: said(run) == [])
        gate.set()
        await run.until(lambda: run.header.others == 0 and not run.app.workspace.replying)
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("new reply"))
        await run.pilot.press("enter")
        await run.until(lambda: said(run) == ["first", "begin end"])
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("2 msg"))
        assert not run.shows("new reply")


async def test_leaving_with_replies_on_their_way_asks_and_keeps_them(server: ScriptedServer) -> None:
    async with driven(server) as run:
        for prompt in ("one", "two"):
            server.script(head(), token(f"begin {prompt}"), stall())
        for prompt in ("one", "two"):
            await run.pilot.press("ctrl+n")
            await begun(run, prompt, f"begin {prompt}")
        await run.pilot.press("ctrl+q")
        await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
        assert run.shows("2 replies are still running.")
        await run.pilot.press("escape")
        await run.until(lambda: not isinstance(run.app.screen, ConfirmScreen))
        assert len(run.app.workspace.replying) == 2
        store = run.app.workspace.store
        await run.app.workspace.rest()
        for chat in await store.chats():
            (_, answer) = (await store.load(chat.id)).branch()
            assert (answer.text, answer.state) == (f"begin {chat.title}", State.STOPPED)


async def test_the_view_comes_back_to_where_it_was_while_the_reply_grows(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    async with driven(server) as run:
        server.script(head(), token("line\n\n" * 60), wait(gate), token("more\n\n" * 30), stall())
        await begun(run, "first", "line")
        await run.until(lambda: len(run.transcript.entries) == 2 and run.transcript.stack.height > 100)
        await run.pilot.press("ctrl+home")
        await run.pilot.press("ctrl+n")
        await run.until(lambda: said(run) == [])
        gate.set()
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("2 msg"))
        await run.pilot.press(*"first", "enter")
        await run.until(lambda: len(run.transcript.entries) == 2 and run.transcript.stack.height > 150)
        assert run.transcript.scroll_offset.y == 0
        assert not run.transcript.viewport.follows


async def test_a_chat_that_is_begun_before_the_server_has_answered_gets_its_model_too(
    server: ScriptedServer,
) -> None:
    async with driven(server, ready=False) as run:
        await run.pilot.press("ctrl+n")
        await run.until(lambda: bool(run.header.model) and run.shows("Ask tiny"))
