"""Random work in several chats against a simple model: no prompt is lost, none changes its place, and a queue that
is held stays so. What is in memory is on disk once all is settled.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.workspace import Workspace
from tui_chat.config import Config
from tui_chat.errors import Cut, ServerFault
from tui_chat.events import Accepted, Delta, Event, Finished
from tui_chat.messages import ChatRequest, Message, Model, Role, State
from tui_chat.server import Server
from tui_chat.servers.connection import Connection
from tui_chat.store.store import Store

from tests.chat.kit import ask

SEEDS = range(int(os.environ.get("TUI_CHAT_SEEDS", "12")))
STEPS = 60


@dataclass
class Answer:
    """A request that the server has, and how it is told to end."""

    prompt: str
    chat: str
    end: asyncio.Future[Event | Exception]


@dataclass
class Box:
    """A server that ends its replies when it is told to."""

    server: Server = field(default_factory=lambda: Server("http://box:11434"))
    running: list[Answer] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)
    """How many replies each chat had at once, at the most."""

    async def models(self) -> Sequence[Model]:
        return [Model("tiny")]

    async def loaded(self) -> Sequence[Model]:
        return []

    async def describe(self, model: str) -> Model:
        return Model(model)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        system, *_ = request.messages
        prompt = next(message for message in reversed(request.messages) if message.role is Role.USER)
        answer = Answer(prompt.text, system.text, asyncio.get_running_loop().create_future())
        self.running.append(answer)
        ours = sum(other.chat == answer.chat for other in self.running)
        self.most[answer.chat] = max(ours, self.most.get(answer.chat, 0))
        try:
            yield Accepted()
            yield Delta(f"to {prompt.text}")
            end = await answer.end
            if isinstance(end, Exception):
                raise end
            yield end
        finally:
            self.running.remove(answer)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class Expected:
    """What a chat should hold."""

    chat: OpenChat
    said: set[str] = field(default_factory=set)
    """Prompts that were sent, in whatever branch."""
    queue: deque[str] = field(default_factory=deque)
    order: list[str] = field(default_factory=list)
    """The prompts of the branch on screen."""


class Work:
    """The program, a second one on the same store, and what should come of it."""

    def __init__(self, workspace: Workspace, box: Box, other: Store, seed: int) -> None:
        self.workspace = workspace
        self.box = box
        self.other = other
        self.random = random.Random(seed)
        self.chats: list[Expected] = []
        self.count = 0
        self.log: list[str] = []
        self.new_chat()

    @property
    def here(self) -> Expected:
        return next(one for one in self.chats if one.chat.conversation is self.workspace.conversation)

    def prompt(self) -> str:
        self.count += 1
        return f"p{self.count:03}"

    async def settle(self) -> None:
        """Wait until nothing moves: each chat is idle, or its reply waits for the server's end."""
        async with asyncio.timeout(20):
            for _ in range(2000):
                await asyncio.sleep(0.001)
                waiting = {answer.chat for answer in self.box.running}
                moving = [one for one in self.chats if one.chat.generation and not self.is_streaming(one)]
                if not moving and len(waiting) == len(self.workspace.replying):
                    return
        raise AssertionError("it does not settle")

    def is_streaming(self, one: Expected) -> bool:
        message = one.chat.reply.message if one.chat.reply else None
        return message is not None and bool(message.text) and message.text.startswith("to ")

    # What can be done

    def new_chat(self) -> None:
        self.workspace.new_chat()
        chat = self.workspace.current
        chat.conversation.note(system=chat.conversation.chat.id)  # tells the server whose it is
        self.chats.append(Expected(chat))

    async def open(self) -> None:
        one = self.random.choice(self.chats)
        if one.said:
            await self.workspace.open_chat(one.chat.conversation.chat.id)
            one.chat = self.workspace.current

    async def say(self) -> None:
        """As Enter does: send, or let it wait."""
        one, text = self.here, self.prompt()
        if one.chat.busy or one.chat.held:
            one.chat.enqueue(text)
            one.queue.append(text)
        else:
            one.chat.send(text)
            one.said.add(text)
            one.order.append(text)
        if self.random.random() < 0.5:
            await self.settle()

    async def edit(self) -> None:
        one = self.here
        if not one.chat.busy and one.order:
            place = self.random.randrange(len(one.order))
            prompts = [each for each in one.chat.conversation.branch if each.role is Role.USER]
            text = self.prompt()
            one.chat.send(text, prompts[place])
            one.said.add(text)
            one.order[place:] = [text]

    async def again(self) -> None:
        if not self.here.chat.busy:
            self.here.chat.again()

    async def unqueue(self) -> None:
        await self.settle()
        one = self.here
        if one.queue:
            index = self.random.randrange(len(one.queue))
            assert one.chat.unqueue(index) == one.queue[index]
            del one.queue[index]
        else:
            assert one.chat.unqueue() == ""

    async def send_next(self) -> None:
        await self.settle()
        one = self.here
        await one.chat.send_next()
        self.goes_on(one)

    async def stop(self) -> None:
        if (generation := self.here.chat.generation) is not None:
            await generation.stop()

    async def finish(self) -> None:
        await self.end(Finished())

    async def cut_short(self) -> None:
        await self.end(Finished("length"))

    async def fail(self) -> None:
        await self.end(self.random.choice([ServerFault("exploded"), Cut("gone")]))

    async def end(self, event: Event | Exception) -> None:
        await self.settle()
        if self.box.running:
            answer = self.random.choice(self.box.running)
            one = next(each for each in self.chats if each.chat.conversation.chat.id == answer.chat)
            early, late = self.random.random() < 0.2, self.random.random() < 0.4
            self.wait_behind(one, typed=early)
            answer.end.set_result(event)
            for _ in range(self.random.randrange(12) if late else 0):
                await asyncio.sleep(0)
            self.wait_behind(one, typed=late)
            if isinstance(event, Finished) and event.reason == "stop":
                self.goes_on(one)
            await self.settle()

    def wait_behind(self, one: Expected, *, typed: bool) -> None:
        """A prompt that is typed as a reply ends; where that is not whole, only while it has not ended yet."""
        if typed and (one.chat.busy or one.queue):
            text = self.prompt()
            one.chat.enqueue(text)
            one.queue.append(text)

    def goes_on(self, one: Expected) -> None:
        if one.queue:
            text = one.queue.popleft()
            one.said.add(text)
            one.order.append(text)

    async def write_elsewhere(self) -> None:
        """Another tui-chat says something at the end of a chat that is not being answered."""
        await self.settle()
        one = self.here
        await one.chat.conversation.settle()
        if one.chat.busy or not one.said:
            return
        there = Conversation(self.other, await self.other.load(one.chat.conversation.chat.id))
        text = self.prompt()
        await ask(there, text)
        one.said.add(text)
        await one.chat.catch_up()
        one.order.append(text)

    async def queue_elsewhere(self) -> None:
        """Another tui-chat changes a held queue, and so does this one before it learns of that."""
        await self.settle()
        one = self.here
        await one.chat.conversation.settle()
        if one.chat.busy or not one.queue:
            return
        there = Conversation(self.other, await self.other.load(one.chat.conversation.chat.id))
        index, theirs, ours = self.random.randrange(len(one.queue)), self.prompt(), self.prompt()
        assert there.unqueue(index) == one.queue[index]
        there.enqueue(theirs)
        await there.settle()
        one.chat.enqueue(ours)
        del one.queue[index]
        one.queue.extend((theirs, ours))
        await one.chat.catch_up()

    async def step(self) -> None:
        ways = [
            *[self.say] * 5, *[self.finish] * 4, self.cut_short, self.fail, self.open, self.open, self.stop, self.edit,
            self.again, self.unqueue, self.send_next, self.write_elsewhere, self.queue_elsewhere,
        ]  # fmt: skip
        if len(self.chats) < 4 and self.random.random() < 0.08:
            self.log.append("new chat")
            self.new_chat()
            return
        way = self.random.choice(ways)
        self.log.append(way.__name__)
        await way()

    # What must be so

    async def check(self) -> None:
        await self.settle()
        assert set(self.box.most.values()) <= {1}, "two replies in one chat"
        for one in self.chats:
            if not one.said:
                continue
            conversation = one.chat.conversation
            await conversation.settle()
            assert conversation.trouble is None
            assert one.chat.queue == tuple(one.queue)
            assert prompts_of(conversation.branch) == one.order
            thread = await self.workspace.store.load(conversation.chat.id)
            assert {message.text for message in thread.messages if message.role is Role.USER} == one.said
            assert prompts_of(thread.branch()) == one.order
            assert thread.chat.queue == tuple(one.queue)
            if not one.chat.busy:
                assert thread.branch() == conversation.branch
                assert State.STREAMING not in {message.state for message in thread.messages}


def prompts_of(branch: Sequence[Message]) -> list[str]:
    return [message.text for message in branch if message.role is Role.USER]


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_is_done_no_prompt_is_lost(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "chats.db"
    store, other = await Store.open(path), await Store.open(path)
    box = Box()
    workspace = Workspace(Config(), store, Connection(lambda _: box, box.server, wanted="tiny"))
    work = Work(workspace, box, other, seed)
    try:
        for _ in range(STEPS):
            await work.step()
            if work.random.random() < 0.2:
                await work.check()
        await work.check()
        await workspace.rest()
        await work.check()
    except BaseException:
        print(f"seed {seed}: {work.log}")
        raise
    finally:
        await workspace.rest()
        await workspace.aclose()
        await other.aclose()
