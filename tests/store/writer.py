"""A process that writes to a store and says on its standard output what was acknowledged. Run by the tests."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path

from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat


async def turns(path: Path, name: str, count: int) -> None:
    """Prompts and replies, each reply checkpointed a few times; one line per acknowledged write."""
    store = await Store.open(path)
    chat = Chat(f"chat-{name}", title=name)
    await store.save(chat.id, new=chat)
    print("created", flush=True)
    parent: str | None = None
    for turn in range(count):
        prompt = Message(Role.USER, parts_of(f"prompt {turn}"), id=f"{name}-p{turn}", parent=parent)
        await store.save(chat.id, prompt)
        print(prompt.id, 0, flush=True)
        reply = Message(Role.ASSISTANT, (), id=f"{name}-r{turn}", parent=prompt.id, state=State.STREAMING)
        for length in range(1, 5):
            reply = reply.with_text("word " * length * 50)
            await store.save(chat.id, reply)
            print(reply.id, length, flush=True)
        await store.save(chat.id, dataclasses.replace(reply, state=State.COMPLETE))
        print(reply.id, 5, flush=True)
        parent = reply.id
    assert await store.aclose()


async def hold(path: Path, name: str) -> None:
    """A reply that grows with each line of standard input, until it ends."""
    store = await Store.open(path)
    chat = Chat(f"chat-{name}")
    await store.save(chat.id, new=chat)
    reply = Message(Role.ASSISTANT, (), id=f"{name}-r", state=State.STREAMING)
    await store.save(chat.id, reply)
    print("streaming", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        reply = reply.with_text(reply.text + line)
        await store.save(chat.id, reply)
        print("saved", flush=True)
    await store.aclose()


if __name__ == "__main__":
    what, where, who = sys.argv[1:4]
    asyncio.run(hold(Path(where), who) if what == "hold" else turns(Path(where), who, int(sys.argv[4])))
