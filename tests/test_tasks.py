"""A task's handle is kept before its work begins, whatever the event loop's factory does."""

from __future__ import annotations

import asyncio
import sys

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.store.store import Store
from tui_chat.tasks import start_task

from tests.chat.kit import ask

eager = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 has no eager tasks")


@eager
async def test_the_work_begins_after_its_handle_is_kept() -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
    begun: list[asyncio.Task[None] | None] = []
    handle: asyncio.Task[None] | None = None

    async def work() -> None:
        begun.append(handle)

    handle = start_task(work())
    assert begun == []
    await handle
    assert begun == [handle]


@eager
async def test_every_message_is_written_where_tasks_are_eager() -> None:
    """As Textual makes them from Python 3.12 on: a chat's first write was its last there."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
    store = await Store.open(None)
    conversation = Conversation(store)
    for text in ("one", "two", "three"):
        async with asyncio.timeout(5):
            await ask(conversation, text)
    thread = await store.load(conversation.chat.id)
    assert [message.text for message in thread.branch()] == ["one", "two", "three"]
    await store.aclose()
