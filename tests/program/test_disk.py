"""A disk that is locked or full, and two copies on one store: no word is lost, and nobody waits long."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.program.kit import CTRL_Q, CTRL_R, ESCAPE, Home
from tests.server import ScriptedServer, done, end, head, pause, reply, stall, token, wait

PROMPT = Message(Role.USER, parts_of("in A"), id="a", created=1.0)


def locked(home: Home) -> sqlite3.Connection:
    """A lock on the store, as another program may hold it."""
    lock = sqlite3.connect(home.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    return lock


async def with_chat(home: Home, *messages: Message) -> None:
    store = await Store.open(home.database)
    await store.adopt(Thread(Chat("AAAA", title="chat A", leaf=messages[-1].id), messages))
    await store.aclose()


async def test_a_reply_that_could_not_be_saved_is_saved_later_and_sent_with_the_next_prompt(
    home: Home, server: ScriptedServer
) -> None:
    gate = asyncio.Event()
    server.script(head(), token("the beginning "), wait(gate), token("and THE END"), done(), end())
    server.script(*reply("second answer"))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("the beginning")
        async with asyncio.timeout(10):
            while not any("beginning" in reply.text for reply in await home.replies()):
                await asyncio.sleep(0.05)
        lock = locked(home)
        gate.set()
        await program.until_shows("THE END", "✗", "locked", "NOT SAVED")
        lock.execute("ROLLBACK")
        await program.say("next prompt")
        await program.until_shows("second answer", "○ done")
        assert await program.quit() == 0
    (thread,) = await home.threads()
    assert [message.text for message in thread.branch()] == [
        "go",
        "the beginning and THE END",
        "next prompt",
        "second answer",
    ]
    sent = server.asked()[-1]["messages"]
    assert isinstance(sent, list)
    assert sent[1]["content"] == "the beginning and THE END"


@pytest.mark.parametrize("leave", ["key", "signal"])
async def test_leaving_does_not_wait_for_a_disk_that_is_locked(
    home: Home, server: ScriptedServer, leave: str
) -> None:
    words = [step for number in range(2000) for step in (token(f"w{number} "), pause(0.02))]
    server.script(head(), *words, done(), end())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("w3 ")
        lock = locked(home)
        await asyncio.sleep(3)  # some checkpoints are due
        began = time.monotonic()
        if leave == "key":
            program.type(CTRL_Q)
            await program.until_shows("still running.")
            program.type("\r")
        else:
            program.kill(signal.SIGTERM)
        assert await program.ended() == (0 if leave == "key" else 128 + signal.SIGTERM)
        assert time.monotonic() - began < 12  # three seconds for the reply, two for the rest, and a busy machine
        assert program.unrestored() == []
        locked_or_late = ("The chats are locked by another program.", "The disk did not respond in time.")
        assert any(f"not saved. {cause}" in program.said for cause in locked_or_late)
        lock.execute("ROLLBACK")


async def test_two_copies_continue_the_same_reply_and_none_overwrites_the_other(
    home: Home, server: ScriptedServer
) -> None:
    cut = Message(Role.ASSISTANT, parts_of("cut short "), id="r", parent="a", state=State.INTERRUPTED, created=2.0)
    await with_chat(home, PROMPT, cut)
    server.script(head(), token("and a long continuation, to THE END"), done(), end())
    server.script(head(), token("another version"), stall())
    arguments = ("--url", server.url, "--chat", "AAAA")
    async with home.running(*arguments) as one, home.running(*arguments) as two:
        await one.until_shows("cut short", "tiny:latest ·")
        await two.until_shows("cut short", "tiny:latest ·")
        one.type(CTRL_R)
        await one.until_shows("THE END", "○ done")
        two.type(CTRL_R)
        await two.until_shows("another version")
        two.type(ESCAPE)
        await two.until_shows("■ stopped")
        assert await two.quit() == 0
        assert await one.quit() == 0
    texts = {message.text for message in await home.replies()}
    assert texts == {"cut short and a long continuation, to THE END", "another version"}


async def test_who_comes_back_before_the_first_token_sees_that_it_is_being_answered(
    home: Home, server: ScriptedServer
) -> None:
    gate = asyncio.Event()
    server.script(head(), wait(gate), token("a late answer"), done(), end())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until(lambda: bool(server.asked()))
        program.hang_up()
        async with home.running("--url", server.url, "--continue") as second:
            await second.until_shows("go", "another tui-chat is replying")
            gate.set()
            assert await program.ended() == 0
            await second.until_shows("a late answer", "○ done")
            assert await second.quit() == 0
    assert len(server.asked()) == 1


async def test_a_disk_without_room_at_the_start_keeps_nobody_from_reading(
    home: Home, server: ScriptedServer
) -> None:
    await with_chat(home, PROMPT)
    gone = await Store.open(home.database)
    await gone.save(
        "AAAA", Message(Role.ASSISTANT, parts_of("half of it"), id="r", parent="a", state=State.STREAMING)
    )
    await gone.aclose()
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE messages SET touched = 0")
    connection.close()
    size = home.database.stat().st_size
    async with home.running("--url", server.url, "--chat", "AAAA", limit=size) as program:
        await program.until_shows("half of it", "in A")
        assert await program.quit() == 0


async def test_the_way_back_names_the_server_that_was_named(tmp_path: Path, server: ScriptedServer) -> None:
    home = Home(tmp_path)
    server.script(*reply("ok"))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("○ done")
        assert await program.quit() == 0
        assert f"tui-chat --url {server.url} --continue" in program.said
    async with home.running("--continue") as program:
        await program.until_shows("tiny:latest ·", "ok")  # it remembers where it was
        assert await program.quit() == 0


async def test_a_reply_that_goes_on_after_a_hang_up_can_be_stopped_from_the_next_start(
    home: Home, server: ScriptedServer
) -> None:
    server.script(head(), token("it begins, "), stall())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("it begins,")
        program.hang_up()
        async with home.running("--url", server.url, "--continue") as second:
            await second.until_shows("it begins,", "another tui-chat is replying")
            second.type(ESCAPE)
            await second.until_shows("■ stopped")
            assert await program.ended() == 0
            assert server.disconnected.is_set()
            assert await second.quit() == 0
