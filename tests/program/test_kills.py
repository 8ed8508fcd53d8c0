"""Kills at random moments with several chats running and prompts waiting: `TUI_CHAT_KILLS=20 TUI_CHAT_SEED=…`."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

from tui_chat.messages import Role, State

from tests.loopback import Exchange
from tests.program.kit import CTRL_N, Home, Program
from tests.server import ScriptedServer, done, end, head, token

KILLS = int(os.environ.get("TUI_CHAT_KILLS", "5"))
WORDS_PER_SECOND = 50
SHORT, LONG = 15, 2000
"""Words of replies: one ends while the others go on, and then its queue goes on."""
CHATS = {"a1": ("a2", "a3", "a4"), "b1": (), "c1": ("c2", "c3")}
"""Of each chat the first prompt, and those that wait behind it."""


class Speaker:
    """Answers with numbered words, and knows when each was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = defaultdict(list)
        """By prompt, the moment of each word."""

    async def __call__(self, exchange: Exchange) -> None:
        messages = exchange.request.json()["messages"]
        assert isinstance(messages, list)
        prompt = str(messages[-1]["content"])
        await head()(exchange)
        for number in range(SHORT if prompt.startswith("a") else LONG):
            await token(f"{prompt}.{number} ")(exchange)
            self.sent[prompt].append(time.monotonic())
            await asyncio.sleep(1 / WORDS_PER_SECOND)
        await done()(exchange)
        await end()(exchange)


def is_said(program: Program, prompt: str) -> bool:
    """Whether a prompt stands in the log, or waits below it with its number."""
    return any(re.search(rf"(▌|\d) +{prompt}\b", row) for row in program.rows)


async def kill_once(home: Home, age: float) -> None:
    """Begin the chats, kill the program at that age of theirs, and look at what is on disk."""
    speaker = Speaker()
    async with ScriptedServer() as server:
        server.script(speaker)
        async with home.running("--url", server.url) as program:
            await program.until_shows("tiny")
            for number, (prompt, waiting) in enumerate(CHATS.items()):
                if number:
                    program.type(CTRL_N)
                    await program.until_shows("New chat")
                await program.say(prompt)
                await program.until(partial(speaker.sent.__contains__, prompt))
                for each in waiting:
                    await program.say(each)
                    await program.until(partial(is_said, program, each))
            await asyncio.sleep(0.3 + age)  # what was on its way to the disk at the last key is there
            killed = time.monotonic()
            program.kill(signal.SIGKILL)
            await program.ended()
    threads = {thread.messages[0].text: thread for thread in await home.threads()}
    assert set(threads) == set(CHATS)
    for first, thread in threads.items():
        prompts = [message.text for message in thread.branch() if message.role is Role.USER]
        assert [*prompts, *thread.chat.queue] == [first, *CHATS[first]]
        for prompt, reply in zip(
            prompts, [each for each in thread.branch() if each.role is Role.ASSISTANT], strict=True
        ):
            kept = len(reply.text.split())
            due = sum(
                moment < killed - 1.5 for moment in speaker.sent[prompt]
            )  # a second; half of one for the machine
            assert kept >= due, f"{prompt}: {kept} of {due} words"
            assert reply.text == "".join(f"{prompt}.{number} " for number in range(kept))
            assert reply.state in (State.COMPLETE, State.INTERRUPTED)


async def test_kills_at_random_moments_lose_no_prompt_of_any_chat_and_at_most_a_second(tmp_path: Path) -> None:
    seed = int(os.environ.get("TUI_CHAT_SEED") or random.randrange(1 << 32))
    print(f"TUI_CHAT_SEED={seed}")
    chance = random.Random(seed)
    ages = [chance.uniform(0, 2.0) for _ in range(KILLS)]
    for at in range(0, KILLS, 2):  # two side by side
        await asyncio.gather(
            *(kill_once(_home(tmp_path / f"{at}-{lane}"), age) for lane, age in enumerate(ages[at : at + 2]))
        )


def _home(path: Path) -> Home:
    path.mkdir()
    return Home(path)
