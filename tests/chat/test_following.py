"""A reply that another process writes: followed through the store until it ends or its writer is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.reply import RemoteReply
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat
from tui_chat.tasks import start_task

from tests.chat.kit import ask


async def streaming(store: Store) -> Message:
    """A chat with half a reply, written by `store`'s process."""
    prompt = Message(Role.USER, parts_of("go"), id="prompt")
    reply = Message(Role.ASSISTANT, parts_of("half"), id="reply", parent="prompt", state=State.STREAMING)
    await store.save("chat", new=Chat("chat"))
    await store.save("chat", prompt, reply)
    return reply


async def test_it_grows_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    other, store = await Store.open(path), await Store.open(path)
    reply = await streaming(other)
    conversation = Conversation(store, await store.load("chat"))
    assert conversation.elsewhere
    seen: list[tuple[str, State]] = []
    stages = iter([reply.with_text("half of it"), replace(reply.with_text("all of it"), state=State.COMPLETE)])
    await other.save("chat", next(stages))
    remote = RemoteReply(conversation, 0.01)
    following = start_task(remote.run())
    async with asyncio.timeout(10):
        async for _ in remote.changes():
            assert remote.message is not None
            seen.append((remote.message.text, remote.message.state))
            if len(seen) > 1 and (stage := next(stages, None)) is not None:
                await other.save("chat", stage)
    await following
    assert seen[:3] == [
        ("half", State.STREAMING),
        ("half of it", State.STREAMING),
        ("all of it", State.COMPLETE),
    ]
    assert remote.ended
    assert not conversation.elsewhere
    assert [message.text for message in conversation.branch] == ["go", "all of it"]
    await other.aclose()
    await store.aclose()


async def test_when_its_writer_is_gone_it_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    gone, store = await Store.open(path), await Store.open(path)
    reply = await streaming(gone)
    gone._database.owner.close()
    thread = await store.load("chat")
    assert thread.messages[1].state is State.INTERRUPTED  # so it is said at once where its writer was gone before
    then = replace(thread, messages=(thread.messages[0], reply), elsewhere=frozenset({reply.id}))
    conversation = Conversation(store, then)
    remote = RemoteReply(conversation, 0.01)
    async with asyncio.timeout(10):
        await remote.run()
    assert remote.message is not None
    assert (remote.message.text, remote.message.state) == ("half", State.INTERRUPTED)
    assert not conversation.elsewhere
    await gone.aclose()
    await store.aclose()


async def test_a_chat_that_nobody_answers_is_not_followed() -> None:
    store = await Store.open(None)
    conversation = Conversation(store)
    await ask(conversation, "go")
    remote = RemoteReply(conversation, 3600)
    async with asyncio.timeout(10):
        await remote.run()
    assert remote.ended
    await store.aclose()
