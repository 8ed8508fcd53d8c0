"""Cut lines and killed programs: a reply goes on without its terminal, and at most its last second is lost."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tui_chat.messages import State

from tests.program.kit import CTRL_N, CTRL_O, CTRL_R, ESCAPE, Home, Program
from tests.server import ScriptedServer, Step, done, end, head, pause, reply, stall, token, wait

KILLS = int(os.environ.get("TUI_CHAT_KILLS", "8"))
"""How often the program is killed; `TUI_CHAT_SEED` repeats the moments of an earlier run."""


def by_hang_up(program: Program) -> None:
    program.hang_up()


def by_signal(program: Program) -> None:
    program.kill(signal.SIGHUP)


@pytest.mark.parametrize("cut", [by_hang_up, by_signal])
async def test_a_reply_becomes_whole_without_its_terminal_and_another_tui_chat_watches_it_grow(
    home: Home, server: ScriptedServer, cut: Callable[[Program], None]
) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    middle = [token("the first, "), wait(gates[0]), token("the second, "), wait(gates[1])]
    server.script(head(), *middle, token("the last."), done(), end())
    server.script(*reply("Thanks for asking."))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("the first,")
        cut(program)
        before = program.cpu_seconds()
        cut_at = time.monotonic()
        async with home.running("--url", server.url, "--continue") as second:
            await second.until_shows("the first,", "another tui-chat is replying")
            await second.say("am I let in?")
            await second.until_shows("Your text is kept")
            assert len(server.asked()) == 1
            second.type(CTRL_O)
            await second.until_shows("Esc close", "  replying")
            second.type(ESCAPE)
            gates[0].set()
            await second.until_shows("the first, the second,")
            assert not server.disconnected.is_set()
            spent = (program.cpu_seconds() - before) / (time.monotonic() - cut_at)
            assert spent < 0.5, f"{spent:.0%} of a processor is spinning"
            gates[1].set()
            await second.until_shows("the first, the second, the last.", "○ done")
            assert await program.ended() == 0
            assert program.hung_up or program.unrestored() == []
            assert second.shows("am I let in?")
            second.type("\r")
            await second.until_shows("Thanks for asking.")
            assert await second.quit() == 0
    (thread,) = await home.threads()
    assert [message.text for message in thread.branch()] == [
        "go",
        "the first, the second, the last.",
        "am I let in?",
        "Thanks for asking.",
    ]
    assert {message.state for message in thread.messages} == {State.COMPLETE}


async def test_a_draft_in_a_new_chat_outlives_a_hang_up(home: Home, server: ScriptedServer) -> None:
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type("a long thought, not yet sent")
        await program.until_shows("not yet sent")
        program.hang_up()
        assert await program.ended() == 0
    async with home.running("--url", server.url, "--continue") as program:
        await program.until_shows("a long thought, not yet sent")
        assert await program.quit() == 0


async def test_a_terminal_of_an_unknown_kind_can_go_away_too(tmp_path: Path, server: ScriptedServer) -> None:
    gate, home = asyncio.Event(), Home(tmp_path, {"TERM": "unknown"})
    more = [step for number in range(40) for step in (token(f"and {number} "), pause(0.01))]
    server.script(head(), token("It begins. "), wait(gate), *more, done(), end())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("It begins.")
        program.hang_up()
        gate.set()
        await program.ended()
    (reply,) = await home.replies()
    assert (reply.state, reply.text[-7:]) == (State.COMPLETE, "and 39 ")


async def test_who_watches_learns_that_the_writer_was_killed_and_can_continue(
    home: Home, server: ScriptedServer
) -> None:
    server.script(head(), token("half a "), stall())
    server.script(*reply("sentence."))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("half a")
        async with home.running("--url", server.url, "--continue") as second:
            await second.until_shows("half a", "another tui-chat is replying")
            program.kill(signal.SIGKILL)
            await second.until_shows("… interrupted", "^R continue")
            second.type(CTRL_R)
            await second.until_shows("half a sentence.", "○ done")
            assert await second.quit() == 0


WORDS_PER_SECOND = 100


def numbered(count: int) -> list[Step]:
    """A stream of words that count."""
    return [step for number in range(count) for step in (token(f"w{number} "), pause(1 / WORDS_PER_SECOND))]


def highest(program: Program) -> int:
    """How many of these words have been on the screen, at least."""
    words = [word for row in program.rows for word in row.split()]
    return max((int(word[1:]) + 1 for word in words if re.fullmatch(r"w\d+", word)), default=0)


async def test_a_kill_at_any_moment_loses_at_most_the_last_second(home: Home, server: ScriptedServer) -> None:
    seed = int(os.environ.get("TUI_CHAT_SEED") or random.randrange(1 << 32))
    print(f"TUI_CHAT_SEED={seed}")
    chance = random.Random(seed)
    server.script(head(), *numbered(2000), done(), end())
    shown, age = 0, 0.0
    for turn in range(KILLS + 1):
        async with home.running("--url", server.url, "--continue") as program:
            await program.until_shows("tiny")
            if turn:
                await program.until_shows(f"prompt number {turn - 1}")
                thread = (await home.threads())[0]
                prompt, *replies = thread.branch()
                kept = sum(len(reply.text.split()) for reply in replies)
                print(f"killed after {age:.2f} s: {kept} words kept, {shown} were seen")
                assert prompt.text == f"prompt number {turn - 1}"
                assert [reply.state for reply in replies] == [State.INTERRUPTED] * len(replies)
                assert kept >= shown - 1.5 * WORDS_PER_SECOND  # a second, and half of one for a busy machine
                if kept:
                    await program.until_shows("interrupted")
            if turn == KILLS:
                break
            program.type(CTRL_N)
            await program.until_shows("New chat", "Ask tiny")
            sent, age = len(server.asked()), chance.uniform(0, 2.5)
            await program.say(f"prompt number {turn}")
            await program.until(partial(lambda sent: len(server.asked()) > sent, sent))
            await asyncio.sleep(age)  # the moment of death
            shown = highest(program)
            program.kill(signal.SIGKILL)
            await program.ended()


async def several_chats(program: Program, *prompts: str) -> None:
    """Send each prompt in a chat of its own, and see each reply begin."""
    for number, prompt in enumerate(prompts):
        if number:
            program.type(CTRL_N)
            await program.until_shows("New chat")
        await program.say(prompt)
        await program.until_shows(f"begin {prompt}")


async def test_a_hang_up_lets_the_replies_of_all_chats_become_whole(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    for prompt in ("one", "two", "three"):
        server.script(head(), token(f"begin {prompt}"), wait(gate), token(" and the end"), done(), end())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await several_chats(program, "one", "two", "three")
        await program.until_shows("2 more running")
        program.hang_up()
        gate.set()
        assert await program.ended() == 0
    whole = {thread.messages[0].text: thread.messages[-1] for thread in await home.threads()}
    assert {prompt: reply.text for prompt, reply in whole.items()} == {
        prompt: f"begin {prompt} and the end" for prompt in ("one", "two", "three")
    }
    assert {reply.state for reply in whole.values()} == {State.COMPLETE}


async def test_a_kill_with_several_chats_and_a_queue_loses_no_prompt(home: Home, server: ScriptedServer) -> None:
    for prompt in ("one", "two"):
        server.script(head(), token(f"begin {prompt}"), stall())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await several_chats(program, "one", "two")
        for waiting in ("three", "four"):
            await program.say(waiting)
        await program.until_shows("1 three", "2 four")
        await asyncio.sleep(random.uniform(0.2, 0.6))  # what was on its way to the disk at the key is there
        program.kill(signal.SIGKILL)
        await program.ended()
    async with home.running("--url", server.url, "--continue") as program:
        await program.until_shows("1 three", "2 four", "2 prompts are waiting")
        assert await program.quit() == 0
    threads = {thread.messages[0].text: thread for thread in await home.threads()}
    assert {name: thread.messages[-1].text for name, thread in threads.items()} == {
        "one": "begin one",
        "two": "begin two",
    }
    assert threads["two"].chat.queue == ("three", "four")
