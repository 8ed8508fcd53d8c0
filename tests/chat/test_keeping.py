"""A reply is on disk from its first token, then once a second, then at its end, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.errors import Cut, StoreError
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import Message, State
from tui_chat.store.store import Store
from tui_chat.tasks import start_task

from tests.chat.kit import ScriptedBackend, Step, reception


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


async def on_disk(store: Store, conversation: Conversation) -> Message | None:
    try:
        thread = await store.load(conversation.chat.id)
    except StoreError:
        return None  # not yet
    return next((message for message in thread.messages if message.parent), None)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_the_row_is_there_from_the_beginning_and_the_first_token_is_written_at_once(
    store: CountingStore,
) -> None:
    gates = asyncio.Event(), asyncio.Event()
    script: list[Step] = [Accepted(), gates[0], Delta("a"), gates[1]]
    async with reception(ScriptedBackend([script]), store=store) as received:
        conversation, reply = received.conversation, received.generation
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
    async with reception(ScriptedBackend([[*[Delta("word ")] * 500, Finished()]]), store=store) as received:
        await received.run()
    assert len(store.saves) <= 3
    assert [message.state for message in (store.saves[0], store.saves[-1])] == [State.STREAMING, State.COMPLETE]
    assert store.saves[-1].text == "word " * 500


async def test_words_after_which_the_server_falls_silent_are_written_too(store: CountingStore) -> None:
    backend = ScriptedBackend([[Delta("one "), Delta("two"), asyncio.Event()]])
    async with reception(backend, store=store, checkpoint_seconds=0.05) as received:
        conversation, reply = received.conversation, received.generation
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
    async with reception(ScriptedBackend([[Delta("half"), Cut("gone")]]), store=store) as received:
        await received.run()
    reply = received.generation
    message = await on_disk(store, received.conversation)
    assert message is not None
    assert reply.message is not None
    assert (message.text, message.state, message.error) == ("half", State.INTERRUPTED, "gone")
    assert replace(message, created=0.0) == replace(reply.message, created=0.0)
