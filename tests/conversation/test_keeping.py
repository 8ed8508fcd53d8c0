"""A reply is on disk from its first token, then once a second, then at its end, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from tui_chat.conversation.again import answer_to
from tui_chat.conversation.conversation import Conversation
from tui_chat.conversation.keeping import kept
from tui_chat.conversation.turn import Turn
from tui_chat.errors import Cut
from tui_chat.events import Accepted, Delta, Event, Finished
from tui_chat.messages import ChatRequest, Message, State
from tui_chat.store.store import Store

from tests.conversation.kit import ScriptedBackend, Step


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


async def begun(store: Store, *script: Step) -> tuple[Conversation, Turn]:
    """A chat with a prompt, and the turn that answers it."""
    conversation = Conversation(store)
    prompt = conversation.prompt("go")
    reply = answer_to(prompt)
    await conversation.begin(prompt, reply, settings={})
    return conversation, Turn(ScriptedBackend([list(script)]), ChatRequest("tiny", ()), reply)


async def on_disk(store: Store, conversation: Conversation) -> Message | None:
    thread = await store.load(conversation.chat.id)
    return next((message for message in thread.messages if message.parent), None)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def consume(turn: Turn, conversation: Conversation, seconds: float) -> list[Event]:
    async with aclosing(kept(turn, conversation, seconds)) as events:
        return [event async for event in events]


async def test_the_row_is_there_from_the_beginning_and_the_first_token_is_written_at_once(
    store: CountingStore,
) -> None:
    gates = asyncio.Event(), asyncio.Event()
    conversation, turn = await begun(store, Accepted(), gates[0], Delta("a"), gates[1])
    task = asyncio.create_task(consume(turn, conversation, 3600))

    def holds(text: str) -> Callable[[], Awaitable[bool]]:
        async def is_there() -> bool:
            message = await on_disk(store, conversation)
            return message is not None and (message.text, message.state) == (text, State.STREAMING)

        return is_there

    await until(holds(""))
    gates[0].set()
    await until(holds("a"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ended = await on_disk(store, conversation)
    assert ended is not None
    assert (ended.text, ended.state) == ("a", State.STOPPED)


async def test_the_cost_does_not_grow_with_the_tokens(store: CountingStore) -> None:
    conversation, turn = await begun(store, *[Delta("word ")] * 500, Finished())
    await consume(turn, conversation, 3600)
    assert [message.state for message in store.saves] == [State.STREAMING, State.STREAMING, State.COMPLETE]
    assert store.saves[-1].text == "word " * 500


async def test_words_after_which_the_server_falls_silent_are_written_too(store: CountingStore) -> None:
    conversation, turn = await begun(store, Delta("one "), Delta("two"), asyncio.Event())
    task = asyncio.create_task(consume(turn, conversation, 0.05))

    async def is_there() -> bool:
        message = await on_disk(store, conversation)
        return message is not None and message.text == "one two"

    await until(is_there)
    writes = len(store.saves)
    await asyncio.sleep(0.15)
    assert len(store.saves) == writes  # silence costs nothing
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cut_is_written_with_its_error(store: CountingStore) -> None:
    conversation, turn = await begun(store, Delta("half"), Cut("gone"))
    await consume(turn, conversation, 3600)
    message = await on_disk(store, conversation)
    assert message is not None
    assert (message.text, message.state, message.error) == ("half", State.INTERRUPTED, "gone")
    assert replace(message, created=0.0) == replace(turn.message, created=0.0)
