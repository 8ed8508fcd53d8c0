"""What is said reaches the disk, also where that fails for a while; and never more is queued than is of use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tui_chat.chat import writer
from tui_chat.chat.conversation import Conversation
from tui_chat.errors import StoreError
from tui_chat.messages import Message, State
from tui_chat.store.store import Store

from tests.chat.kit import ask, empty_reply


class Unsteady(Store):
    """Fails, or takes its time, when told to."""

    broken = False
    saved: list[tuple[Message, ...]]
    gate: asyncio.Event

    async def save(self, chat_id: str, *messages: Message, **more: Any) -> None:
        if self.broken:
            raise StoreError("The disk is locked.", "Wait.")
        await self.gate.wait()
        self.saved.append(messages)
        await super().save(chat_id, *messages, **more)


@pytest.fixture
async def store() -> AsyncIterator[Unsteady]:
    store = await Unsteady.open(None)
    assert isinstance(store, Unsteady)
    store.saved, store.gate = [], asyncio.Event()
    store.gate.set()
    yield store
    await store.aclose()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0.01)


async def begun(store: Store) -> tuple[Conversation, Message]:
    conversation = Conversation(store)
    prompt = await ask(conversation, "go")
    return conversation, replace(empty_reply(parent=prompt.id).with_text("half"), state=State.STREAMING)


async def texts(store: Store, conversation: Conversation) -> list[str]:
    return [message.text for message in (await store.load(conversation.chat.id)).branch()]


async def test_a_write_that_failed_is_not_forgotten_because_another_one_works(store: Unsteady) -> None:
    conversation, reply = await begun(store)
    await conversation.keep(reply)
    store.broken = True
    whole = replace(reply.with_text("half and the rest"), state=State.COMPLETE)
    await conversation.keep(whole)
    await conversation.note(draft="more")
    assert conversation.trouble is not None
    await conversation.catch_up()
    assert conversation.last == whole  # what is on disk is older
    store.broken = False
    await ask(conversation, "and?")
    assert conversation.trouble is None
    assert await texts(store, conversation) == ["go", "half and the rest", "and?"]


async def test_what_failed_is_tried_again_by_itself(store: Unsteady, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_AGAIN_SECONDS", 0.02)
    conversation, reply = await begun(store)
    store.broken = True
    await conversation.keep(replace(reply, state=State.STOPPED))
    assert conversation.trouble is not None
    store.broken = False

    async def is_there() -> bool:
        return await texts(store, conversation) == ["go", "half"]

    await until(is_there)
    assert conversation.trouble is None


async def test_what_is_tried_after_the_end_does_not_hide_why_it_is_not_saved(store: Unsteady) -> None:
    conversation, reply = await begun(store)
    store.broken = True
    await conversation.keep(replace(reply, state=State.STOPPED))
    store.broken = False
    await store.aclose()
    await conversation.settle()
    assert str(conversation.trouble) == "The disk is locked."


async def test_versions_that_are_not_shown_are_written_too(store: Unsteady) -> None:
    conversation, reply = await begun(store)
    store.broken = True
    await conversation.keep(replace(reply.with_text("one"), state=State.COMPLETE))
    await conversation.keep(replace(reply.with_text("two"), id="other", state=State.COMPLETE))
    store.broken = False
    await conversation.settle()
    thread = await store.load(conversation.chat.id)
    assert [message.text for message in thread.messages] == ["go", "one", "two"]


async def test_behind_a_slow_disk_waits_one_write_of_the_newest_state(store: Unsteady) -> None:
    conversation, reply = await begun(store)
    store.saved.clear()
    store.gate.clear()
    for number in range(50):
        conversation.keep(reply.with_text(f"{number} pieces"))
        await asyncio.sleep(0)
    store.gate.set()
    await conversation.keep(replace(reply.with_text("all"), state=State.COMPLETE))
    assert [[message.text for message in messages] for messages in store.saved] == [["0 pieces"], ["all"]]


async def test_a_reply_that_this_process_left_unfinished_on_disk_can_be_continued(store: Unsteady) -> None:
    conversation, reply = await begun(store)
    await conversation.keep(reply)
    opened = Conversation(store, await store.load(conversation.chat.id))
    assert not opened.elsewhere
    assert opened.last is not None
    assert opened.last.state is State.INTERRUPTED


async def test_what_another_process_has_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    here, there = [await Store.open(tmp_path / "chats.db") for _ in range(2)]
    conversation, cut = await begun(here)
    await conversation.keep(replace(cut, state=State.STOPPED))
    other = Conversation(there, await there.load(conversation.chat.id))
    await other.keep(replace(cut.with_text("half, continued there"), state=State.COMPLETE))
    for text in ("something", "something else here"):
        await conversation.keep(replace(cut.with_text(text), state=State.COMPLETE))
    assert conversation.trouble is None
    thread = await here.load(conversation.chat.id)
    assert [message.text for message in thread.messages] == ["go", "half, continued there", "something else here"]
    assert [message.text for message in conversation.branch] == ["go", "something else here"]
    for store in (here, there):
        await store.aclose()
