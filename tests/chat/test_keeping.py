"""A reply is on disk from its first token, then once a second, then at its end, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.generation import Generation
from tui_chat.chat.retry import ReplyPlan, RetryKind, answer_to
from tui_chat.chat.turn import Turn
from tui_chat.errors import Cut
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import ChatRequest, Message, State
from tui_chat.store.store import Store
from tui_chat.tasks import start_task

from tests.chat.kit import ScriptedBackend, Step


class CountingStore(Store):
    """Counts what is written of replies."""

    saves: list[Message]

    async def save(self, chat_id: str, *messages: Message, **more: Any) -> None:
        self.saves.append(messages[-1])
        await super().save(chat_id, *messages, **more)


@pytest.fixture
async def store() -> AsyncIterator[CountingStore]:
    store = await CountingStore.open(None)
    assert isinstance(store, CountingStore)
    store.saves = []
    yield store
    await store.aclose()


async def begun(store: Store, *script: Step, seconds: float = 3600) -> tuple[Conversation, Generation]:
    """A chat with a prompt, and the reply to it, which checkpoints every so many `seconds`."""
    conversation = Conversation(store)
    prompt = conversation.prompt("go")
    reply = answer_to(prompt)
    await conversation.begin(prompt, reply, settings={})
    turn = Turn(ScriptedBackend([list(script)]), ChatRequest("tiny", ()), reply)

    async def begin() -> ReplyPlan:
        return ReplyPlan(RetryKind.RETRY, reply)

    async def connect(_: ReplyPlan) -> Turn:
        return turn

    return conversation, Generation(conversation, begin, connect, lambda _: reply, checkpoint_seconds=seconds)


async def on_disk(store: Store, conversation: Conversation) -> Message | None:
    thread = await store.load(conversation.chat.id)
    return next((message for message in thread.messages if message.parent), None)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_the_row_is_there_from_the_beginning_and_the_first_token_is_written_at_once(
    store: CountingStore,
) -> None:
    gates = asyncio.Event(), asyncio.Event()
    conversation, reply = await begun(store, Accepted(), gates[0], Delta("a"), gates[1])
    task = start_task(reply.run())

    def holds(text: str) -> Callable[[], Awaitable[bool]]:
        async def is_there() -> bool:
            message = await on_disk(store, conversation)
            return message is not None and (message.text, message.state) == (text, State.STREAMING)

        return is_there

    await until(holds(""))
    gates[0].set()
    await until(holds("a"))
    await reply.stop()
    assert task.cancelled()
    ended = await on_disk(store, conversation)
    assert ended is not None
    assert (ended.text, ended.state) == ("a", State.STOPPED)


async def test_the_cost_does_not_grow_with_the_tokens(store: CountingStore) -> None:
    _, reply = await begun(store, *[Delta("word ")] * 500, Finished())
    await reply.run()
    assert [message.state for message in store.saves] == [State.STREAMING, State.STREAMING, State.COMPLETE]
    assert store.saves[-1].text == "word " * 500


async def test_words_after_which_the_server_falls_silent_are_written_too(store: CountingStore) -> None:
    conversation, reply = await begun(store, Delta("one "), Delta("two"), asyncio.Event(), seconds=0.05)
    task = start_task(reply.run())

    async def is_there() -> bool:
        message = await on_disk(store, conversation)
        return message is not None and message.text == "one two"

    await until(is_there)
    writes = len(store.saves)
    await asyncio.sleep(0.15)
    assert len(store.saves) == writes  # silence costs nothing
    await reply.stop()
    assert task.cancelled()


async def test_a_cut_is_written_with_its_error(store: CountingStore) -> None:
    conversation, reply = await begun(store, Delta("half"), Cut("gone"))
    await reply.run()
    message = await on_disk(store, conversation)
    assert message is not None
    assert reply.message is not None
    assert (message.text, message.state, message.error) == ("half", State.INTERRUPTED, "gone")
    assert replace(message, created=0.0) == replace(reply.message, created=0.0)
