"""Prompts that are sent while a reply is on its way wait for it; none is lost, and none goes where it should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.ui.widgets.notes import Waiting

from tests.chat.kit import ask
from tests.server import ScriptedServer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        yield server


def said(run: AppDriver) -> list[str]:
    return [entry.said for entry in run.transcript.entries]


def waiting(run: AppDriver) -> tuple[str, ...]:
    return tuple(row.plain.partition(" ")[2] for row in run.chat.query_one(Waiting).rows)


async def begun(run: AppDriver, *queued: str) -> None:
    """Still replying, and these prompts wait for it."""
    await run.say("first")
    await run.until(lambda: run.shows("begin"))
    for prompt in queued:
        await run.say(prompt)
    await run.until(lambda: waiting(run) == queued)


@asynccontextmanager
async def two_windows(server: ScriptedServer, folder: Path) -> AsyncIterator[tuple[AppDriver, Conversation]]:
    """A chat with one prompt in a held queue, and the same chat in another tui-chat."""
    server.script(head(), token("begin"), stall())
    async with driven(server, database=folder / "chats.db", size=(100, 24)) as run:
        await begun(run, "two")
        await run.pilot.press("escape")
        await run.until(lambda: run.shows("1 prompt is waiting"))
        other = await Store.open(folder / "chats.db")
        yield run, Conversation(other, await other.load(run.app.workspace.conversation.chat.id))
        await other.aclose()


async def test_waiting_prompts_go_one_after_the_other_by_themselves(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("begin"), wait(gate), done(), end())
    server.script(*reply("answer two"))
    server.script(*reply("answer three"))
    async with driven(server) as run:
        await begun(run, "two", "three")
        assert run.shows("1 two")
        assert run.shows("2 three")
        gate.set()
        await run.until(lambda: said(run) == ["first", "begin", "two", "answer two", "three", "answer three"])
        await run.idle()
        assert waiting(run) == ()
        assert [request.path for request in server.requests].count("/api/chat") == 3


async def test_after_a_stop_the_queue_is_held_until_it_is_told_to_go_on(server: ScriptedServer) -> None:
    server.script(head(), token("begin"), stall())
    server.script(*reply("answer two"))
    async with driven(server, size=(100, 24)) as run:
        await begun(run, "two")
        await run.pilot.press("escape")
        await run.idle()
        await run.until(lambda: run.shows("1 prompt is waiting"))
        assert run.shows("F4 send next")
        assert said(run) == ["first", "begin"]
        await run.pilot.press("f4")
        await run.until(lambda: said(run) == ["first", "begin", "two", "answer two"])
        await run.idle()
        assert waiting(run) == ()


async def test_a_prompt_joins_the_end_of_a_held_queue_and_goes_at_once_when_nothing_waits(
    server: ScriptedServer,
) -> None:
    server.script(head(), token("begin"), stall())
    server.script(*reply("answer five"))
    async with driven(server, size=(100, 24)) as run:
        await begun(run, "two", "three")
        await run.pilot.press("escape")
        await run.until(lambda: run.shows("2 prompts are waiting"))
        await run.say("four")
        await run.until(lambda: run.shows("3 prompts are waiting"))
        assert waiting(run) == ("two", "three", "four")
        assert run.shows("F4 send next")
        assert said(run) == ["first", "begin"]
        await run.pilot.press(*["up", "ctrl+u"] * 3)
        await run.until(lambda: waiting(run) == ())
        await run.say("five")
        await run.until(lambda: said(run) == ["first", "begin", "five", "answer five"])
        assert waiting(run) == ()


async def test_an_edited_prompt_goes_at_once_while_others_wait(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("begin"), stall())
    server.script(head(), token("again"), wait(gate), done(), end())
    server.script(*reply("answer two"))
    async with driven(server, size=(100, 24)) as run:
        await begun(run, "two")
        await run.pilot.press("escape")
        await run.until(lambda: run.shows("1 prompt is waiting"))
        run.chat.edit.begin(run.app.workspace.conversation.branch[0])
        await run.pilot.press("!", "enter")
        await run.until(lambda: said(run) == ["first!", "again"])
        assert waiting(run) == ("two",)
        gate.set()
        await run.until(lambda: said(run) == ["first!", "again", "two", "answer two"])


async def test_the_next_one_can_be_sent_at_once_which_stops_the_reply(server: ScriptedServer) -> None:
    server.script(head(), token("begin"), stall())
    server.script(*reply("answer two"))
    async with driven(server) as run:
        await begun(run, "two")
        await run.pilot.press("f4")
        await run.until(lambda: said(run) == ["first", "begin", "two", "answer two"])


async def test_up_takes_the_last_waiting_prompt_back(server: ScriptedServer) -> None:
    server.script(head(), token("begin"), stall())
    async with driven(server) as run:
        await begun(run, "two", "three")
        await run.pilot.press("up")
        await run.until(lambda: run.chat.composer.text == "three")
        assert waiting(run) == ("two",)
        await run.pilot.press("escape")
        await run.idle()


async def test_of_several_waiting_prompts_one_is_chosen_and_the_bar_counts_the_others(
    server: ScriptedServer,
) -> None:
    server.script(head(), token("begin"), stall())
    async with driven(server, size=(100, 24)) as run:
        await begun(run, "two", "three", "four")
        await run.pilot.press("escape")
        await run.until(lambda: run.shows("3 prompts are waiting"))
        run.chat.action_command("unqueue")
        await run.until(lambda: run.shows("Take back"))
        await run.pilot.press("down", "enter")
        await run.until(lambda: run.chat.composer.text == "three")
        assert waiting(run) == ("two", "four")
        assert run.shows("2 prompts are waiting")


async def test_each_chat_has_a_queue_that_goes_on_out_of_view(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("begin"), wait(gate), done(), end())
    server.script(*reply("answer two"))
    async with driven(server) as run:
        await begun(run, "two")
        first = run.app.workspace.conversation
        await run.pilot.press("ctrl+n")
        await run.until(lambda: said(run) == [] and waiting(run) == ())
        gate.set()
        await run.until(lambda: [message.text for message in first.branch][2:] == ["two", "answer two"])
        assert first.chat.queue == ()


async def test_a_prompt_that_another_tui_chat_has_sent_is_shown_and_not_sent_again(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with two_windows(server, tmp_path) as (run, there):
        await ask(there, there.unqueue(0))
        await there.settle()
        await run.pilot.press("f4")
        await run.until(lambda: said(run) == ["first", "begin", "two"])
        await run.until(lambda: run.shows("This chat was continued in another window"))
        assert waiting(run) == ()
        assert not run.shows("waiting")
        assert len(server.asked()) == 1


async def test_where_another_tui_chat_is_answering_the_next_prompt_waits_and_its_reply_is_followed(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with two_windows(server, tmp_path) as (run, there):
        prompt = await ask(there, "theirs")
        answer = Message(Role.ASSISTANT, parts_of("some"), parent=prompt.id, state=State.STREAMING)
        await there.keep(answer)
        await run.pilot.press("f4")
        await run.until(lambda: said(run)[-2:] == ["theirs", "some"])
        await there.keep(replace(answer, parts=parts_of("some more"), state=State.COMPLETE))
        await run.until(lambda: said(run)[-1:] == ["some more"])
        assert waiting(run) == ("two",)
        assert len(server.asked()) == 1


async def test_a_queue_is_on_disk_and_held_at_the_next_start(server: ScriptedServer, tmp_path: Path) -> None:
    server.script(head(), token("begin"), stall())
    async with driven(server, database=tmp_path / "chats.db") as run:
        await begun(run, "two", "three")
        await run.pilot.press("escape")
        await run.idle()
    async with driven(server, database=tmp_path / "chats.db", resume=True) as run:
        await run.until(lambda: waiting(run) == ("two", "three"))
        await run.until(lambda: run.shows("2 prompts are waiting"))
        assert said(run) == ["first", "begin"]
