"""Several processes on one store, and processes that are killed."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path

import pytest
from tui_chat.messages import Role, State
from tui_chat.store.store import Store
from tui_chat.store.values import Chat

from tests.store.earlier import earlier
from tests.store.kit import die, filled, opened, plain, python, said

WRITER = Path(__file__).with_name("writer.py")


@pytest.mark.parametrize("seed", range(6))
async def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "chats.db"
    with python(WRITER, "turns", str(path), "w", "1000") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(random.Random(seed).randint(2, 60))]
        process.kill()
        lines += process.stdout.readlines()
    acknowledged = dict(line.split() for line in lines[1:] if line.endswith("\n"))
    async with opened(path) as store:
        recovered = await store.recover()
        thread = await store.load("chat-w")
        by_id = {message.id: message for message in thread.messages}
        assert acknowledged.keys() <= by_id.keys()
        for message_id, length in acknowledged.items():
            if "r" in message_id:
                assert len(by_id[message_id].text) >= 250 * min(int(length), 4)
                assert length != "5" or by_id[message_id].state is State.COMPLETE
        cut = [message for message in thread.messages if message.state is State.INTERRUPTED]
        assert all(message.state is not State.STREAMING for message in thread.messages)
        assert recovered == (("chat-w",) if cut else ())
        assert len(cut) <= 1
    with plain(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_two_processes_write_to_one_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    processes = [python(WRITER, "turns", str(path), name, "12") for name in ("a", "b")]
    answers = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in processes))
    assert [process.returncode for process in processes] == [0, 0]
    async with opened(path) as store:
        assert await store.recover() == ()
        for (output, _), name in zip(answers, "ab", strict=True):
            assert len(output.splitlines()) == 1 + 12 * 6
            thread = await store.load(f"chat-{name}")
            assert len(thread.branch()) == 24
            assert {message.state for message in thread.messages} == {State.COMPLETE}
        hits = await store.search('"prompt 11"')
        assert {hit.message for hit in hits or ()} == {"a-p11", "b-p11"}


async def test_the_reply_of_a_living_process_is_followed_and_becomes_interrupted_when_it_dies(
    tmp_path: Path,
) -> None:
    path = tmp_path / "chats.db"
    with python(WRITER, "hold", str(path), "x") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "streaming\n"
        async with opened(path) as store:
            assert await store.recover() == ()
            first = await store.load("chat-x")
            assert first.elsewhere == {"x-r"}
            assert [summary.state for summary in await store.chats()] == [State.STREAMING]
            process.stdin.write("one line more\n")
            process.stdin.flush()
            assert process.stdout.readline() == "saved\n"
            grown = await store.load("chat-x", first.revision)
            assert [message.text for message in grown.messages] == ["one line more\n"]
            process.kill()
            process.wait()
            assert (await store.load("chat-x")).elsewhere == frozenset()
            assert await store.recover() == ("chat-x",)
            ended = await store.load("chat-x", grown.revision)
            assert [(message.text, message.state) for message in ended.messages] == [
                ("one line more\n", State.INTERRUPTED)
            ]
            assert [summary.unfinished for summary in await store.chats()] == [True]


async def test_recovery_leaves_what_this_process_writes_alone_and_names_the_newest_chat_first(
    tmp_path: Path,
) -> None:
    path = tmp_path / "chats.db"
    async with opened(path) as gone, opened(path) as store:
        for name in ("old", "new"):
            await gone.save(name, new=Chat(name))
            await gone.save(name, said("half", role=Role.ASSISTANT, state=State.STREAMING))
        await store.save("own", new=Chat("own"))
        await store.save("own", said("half", role=Role.ASSISTANT, state=State.STREAMING))
        assert (await gone.load("own")).elsewhere
        assert await store.recover() == ()
        die(gone)
        assert await store.recover() == ("new", "old")
        assert (await store.load("own")).messages[0].state is State.STREAMING


@pytest.mark.parametrize("before", ["nothing", "damage", "version 1"])
async def test_several_first_starts_at_once_end_with_one_sound_store(tmp_path: Path, before: str) -> None:
    path = tmp_path / "chats.db"
    if before == "damage":
        path.write_bytes(b"\xa5" * 8192)
    if before == "version 1":
        earlier(path, 2)
    stores = await asyncio.gather(*(Store.open(path) for _ in range(6)))
    for number, store in enumerate(stores):
        await store.save(f"new{number}", new=Chat(f"new{number}"))
    for store in stores:
        assert {f"new{number}" for number in range(6)} <= {summary.id for summary in await store.chats()}
    for store in stores:
        assert await store.aclose()
    assert len([store for store in stores if store.notice]) == (1 if before == "damage" else 0)
    assert len([entry for entry in tmp_path.iterdir() if ".version-" in entry.name]) == (before == "version 1")


async def test_a_slow_search_does_not_hold_up_a_checkpoint(tmp_path: Path) -> None:
    async with opened(tmp_path / "chats.db") as store:
        chat, _ = await filled(store, "text")
        release = threading.Event()
        store._database.reading.submit(release.wait)
        search = asyncio.create_task(store.search("text"))
        await asyncio.sleep(0)
        await store.save(chat.id, said("saved meanwhile"))
        assert not search.done()
        release.set()
        assert await search
