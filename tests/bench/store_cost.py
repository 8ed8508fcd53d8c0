"""What the store costs: `python tests/bench/store_cost.py [CHATS] [MESSAGES_PER_CHAT]`.

Lists many chats, searches many messages key by key, and measures what a checkpoint takes meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.store.kit import index

T = TypeVar("T")

QUERIES = (
    "the queue",
    "e",
    "zq",
    "async with",
    "日本",
    "日本語",
    "nothing-like-it",
    '"to the"',
    "Überraschung",
    "0x7f",
)
SYLLABLES = [
    "the",
    "qu",
    "eue",
    "as",
    "ync",
    "wi",
    "th",
    "to",
    "of",
    "an",
    "in",
    "ter",
    "re",
    "con",
    "tion",
    "al",
    "ing",
    "er",
    "ly",
    "est",
    "pre",
    "be",
    "un",
    "der",
    "over",
    "so",
    "me",
    "is",
    "it",
    "at",
]


def vocabulary(count: int, seed: random.Random) -> list[str]:
    """Words made of syllables, the frequent ones first."""
    words = {"the", "to", "of", "queue", "async", "with"}
    while len(words) < count:
        words.add("".join(seed.choices(SYLLABLES, k=seed.randint(1, 4))))
    return sorted(words, key=len)


def corpus(chats: int, per_chat: int) -> list[Thread]:
    """Chats of about 1 KB a message, a few of them in Japanese or German."""
    seed = random.Random(7)
    words = vocabulary(20_000, seed)
    weights = [1 / (rank + 1) for rank in range(len(words))]
    stock = seed.choices(words, weights, k=400_000)
    threads = []
    for number in range(chats):
        chat = Chat(f"{number:016x}", created=float(number))
        messages: list[Message] = []
        for turn in range(per_chat):
            start = seed.randrange(len(stock) - 400)
            text = " ".join(stock[start : start + seed.choice((20, 100, 400))])
            if seed.random() < 0.002:
                text += " 日本語の質問です Überraschung 0x7fff"
            parent = messages[-1].id if messages else None
            role = Role.ASSISTANT if turn % 2 else Role.USER
            messages.append(
                Message(role, parts_of(text), id=f"{number:08x}{turn:08x}", parent=parent, created=float(number))
            )
        threads.append(Thread(chat, tuple(messages)))
    return threads


async def timed(call: Awaitable[T]) -> tuple[float, T]:
    """Milliseconds that a call takes, and its result."""
    start = time.perf_counter()
    result = await call
    return (time.perf_counter() - start) * 1000, result


def show(what: str, times: list[float]) -> None:
    """One line of the report."""
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)] if len(ordered) > 1 else ordered[0]
    print(
        f"{what:44} n={len(times):<5} p50 {statistics.median(times):8.2f} ms   p95 {p95:8.2f} ms   max {ordered[-1]:8.2f} ms"
    )


async def fill(store: Store, threads: list[Thread]) -> None:
    """Store all threads and index them."""
    start = time.perf_counter()
    for thread in threads:
        await store.adopt(thread)
    stored = time.perf_counter()
    await index(store)
    print(f"adopted in {stored - start:.1f} s, indexed after {time.perf_counter() - stored:.1f} s more")


async def listing(store: Store) -> None:
    """The list of chats, whole, by the screen, and filtered."""
    for limit, words in ((None, ""), (100, ""), (None, "queue"), (100, "zq")):
        show(
            f"chats(limit={limit}, words={words!r})",
            [(await timed(store.chats(words, limit)))[0] for _ in range(10)],
        )


async def searching(store: Store) -> None:
    """Every query typed key by key."""
    everything: list[float] = []
    for query in QUERIES:
        times = []
        for end in range(1, len(query) + 1):
            typed = query[:end]
            milliseconds, hits = await timed(store.search(typed))
            times.append(milliseconds)
        everything += times
        show(f"search {query!r}, per key ({len(hits or ())} hits)", times)
    show("search, every key of all queries", everything)


async def checkpointing(store: Store) -> None:
    """A growing reply, saved while searches run."""
    chat = Chat()
    await store.save(chat.id, new=chat)

    async def search_on() -> None:
        while True:
            await store.search("the queue")

    for what, background in (("alone", None), ("while searches run", asyncio.create_task(search_on()))):
        times = []
        reply = Message(Role.ASSISTANT, (), state=State.STREAMING)
        for size in range(1000, 100_001, 1000):
            grown = Message(reply.role, parts_of("word " * (size // 5)), id=reply.id, state=State.STREAMING)
            times.append((await timed(store.save(chat.id, grown)))[0])
        show(f"checkpoint of 1 to 100 KB, {what}", times)
        if background is not None:
            background.cancel()


async def main(chats: int, per_chat: int) -> None:
    """Build a store and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        store = await Store.open(path)
        await fill(store, corpus(chats, per_chat))
        await store.aclose()
        print(f"{chats} chats, {chats * per_chat} messages, {path.stat().st_size / 1e6:.0f} MB")
        milliseconds, store = await timed(Store.open(path))
        show("open", [milliseconds])
        show("load one chat", [(await timed(store.load(f"{number:016x}")))[0] for number in range(20)])
        await listing(store)
        await searching(store)
        await checkpointing(store)
        await store.aclose()


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:] or ("10000", "10"))))
