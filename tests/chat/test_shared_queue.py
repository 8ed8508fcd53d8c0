"""Two tui-chats with the same chat open: its waiting prompts are one queue, of which none is lost or sent twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.workspace import Workspace
from tui_chat.config import Config
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import Model, Role
from tui_chat.server import Server
from tui_chat.servers.connection import Connection
from tui_chat.store.store import Store

from tests.chat.kit import ScriptedBackend, Step

CUT: list[Step] = [Accepted(), Delta("half"), Finished("length")]
"""After it the queue is held."""


class Two:
    """Two programs on one file, whose servers cut every reply short."""

    def __init__(self, *workspaces: Workspace) -> None:
        self.workspaces = workspaces

    @property
    def chats(self) -> list[OpenChat]:
        return [workspace.current for workspace in self.workspaces]

    async def settle(self) -> None:
        for workspace in self.workspaces:
            await workspace.rest(10)
            await workspace.conversation.settle()
            assert workspace.conversation.trouble is None

    async def on_disk(self) -> tuple[Counter[str], tuple[str, ...]]:
        """The prompts that were sent, on all branches, and those that wait."""
        await self.settle()
        thread = await self.workspaces[0].store.load(self.chats[0].conversation.chat.id)
        sent = Counter(message.text for message in thread.messages if message.role is Role.USER)
        return sent, thread.chat.queue


def constantly(backend: ScriptedBackend) -> Callable[[Server], ScriptedBackend]:
    return lambda _: backend


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    workspaces = []
    for _ in range(2):
        store, backend = await Store.open(tmp_path / "chats.db"), ScriptedBackend([CUT], [Model("tiny")])
        workspaces.append(Workspace(Config(), store, Connection(constantly(backend), backend.server)))
    here, there = workspaces
    await here.current.send("first").wait()
    await here.conversation.settle()
    await there.open_chat(here.conversation.chat.id)
    yield Two(here, there)
    for workspace in workspaces:
        await workspace.rest()
        await workspace.aclose()


async def test_a_prompt_that_waits_in_one_is_not_lost_when_the_other_has_one_too(two: Two) -> None:
    here, there = two.chats
    here.conversation.enqueue("here")
    await two.settle()
    there.conversation.enqueue("there")
    assert await two.on_disk() == ({"first": 1}, ("here", "there"))
    await here.catch_up()
    assert here.queue == ("here", "there")


async def test_a_waiting_prompt_that_the_other_has_sent_is_not_sent_again(two: Two) -> None:
    here, there = two.chats
    here.conversation.enqueue("one")
    here.conversation.enqueue("two")
    await two.settle()
    await there.catch_up()
    assert there.queue == ("one", "two")
    await here.send_next()
    await two.settle()
    await there.send_next()
    assert await two.on_disk() == ({"first": 1, "one": 1}, ("two",))
    await there.send_next()
    assert await two.on_disk() == ({"first": 1, "one": 1, "two": 1}, ())


async def test_a_waiting_prompt_that_the_other_takes_back_leaves_the_others_in_their_order(two: Two) -> None:
    here, there = two.chats
    for text in ("same", "other", "same"):
        here.conversation.enqueue(text)
    await two.settle()
    await there.catch_up()
    assert there.unqueue() == "same"
    here.conversation.enqueue("last")
    assert (await two.on_disk())[1] == ("same", "other", "last")


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_both_do_each_prompt_waits_or_was_sent_once_or_was_taken_back(two: Two, seed: int) -> None:
    chance, taken, typed = random.Random(seed), Counter[str](), 0
    for _ in range(40):
        chat = chance.choice(two.chats)
        match chance.choice(["enqueue", "enqueue", "unqueue", "send", "look", "settle", "pause"]):
            case "enqueue":
                typed += 1
                chat.enqueue(f"p{typed:02}")
            case "unqueue":
                taken[chat.unqueue(chance.choice([0, -1]))] += 1
            case "send":
                await two.settle()
                await chat.send_next()
            case "look":
                await chat.catch_up()
            case "settle":
                await two.settle()
            case "pause":
                await asyncio.sleep(0.002)
    sent, waiting = await two.on_disk()
    wanted = {"first", *(f"p{number:02}" for number in range(1, typed + 1))}
    assert set(sent) | set(waiting) | set(taken) - {""} == wanted
    assert set(sent.values()) == {1}
    assert set(Counter(waiting).values()) <= {1}
    assert not set(waiting) & (set(sent) | set(taken))
