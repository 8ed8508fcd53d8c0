"""A monkey at the keyboard: whatever it types, pastes and clicks, the program goes on until it is told to leave."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.hostile import ACTING, DISPUTED, ENTITIES
from tests.program.kit import PATIENCE, Home, Program
from tests.server import ScriptedServer, reply

SIZES: Final = [(80, 24), (120, 40), (40, 10), (20, 6), (10, 3), (5, 3), (1, 1)]
WORDS: Final = ["~nobody", "~nobody/x", "off", "2", "0 ", "/", " ", "漢", "é", ":", "."]
"""No commands: one of the fields takes a command."""
KEYS: Final = [
    *(chr(code) for code in range(1, 27) if chr(code) not in "\x03\x11\x1a"),  # not those to leave by
    *("\x1b", "\x1b\x1b", "\x7f", "\r", "\t", "\x1b[Z", "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1bc", "\x1b\r"),
    *(f"\x1b[{modifier}{key}" for modifier in ("", "1;2", "1;3", "1;5") for key in "ABCDHF"),
    *("\x1b[5~", "\x1b[6~", "\x1b[2~", "\x1b[3~", "\x1b[I", "\x1b[O", "\x1b[97;5u", "\x1b[57399u", "\x1b[;;u"),
]
NONSENSE: Final = [
    *("\x1b[M ", "\x1b[M!!", "\x1b[M!!!", "\x1b[<0;0;0M", "\x1b[<0;0;0m", "\x1b[<999;1;1M", "\x1b[<0;9999;9999M"),
    *(
        "\x1b[<;;M",
        "\x1b[<--1M",
        "\x1b[99999999999u",
        "\x1b[:35R",
        "\x1b[48;1;1;1;1t",
        "\x1b[0;0R",
        "\x1b[?2026;9$y",
    ),
    *("\x1b[201~", "\x1b[<0;1", "\x1b]0;x\x07", "\x1bP1\x1b\\", "\x1b[1;1R", "\x1bOz"),
]


def event(chance: random.Random) -> str:
    """What a monkey does next, as the bytes of a terminal."""
    kind = chance.random()
    if kind < 0.5:
        return chance.choice(KEYS)
    if kind < 0.7:
        return chance.choice(WORDS)
    if kind < 0.85:
        button, end = chance.choice([0, 1, 2, 4, 32, 35, 64, 65, 66, 67]), chance.choice("Mm")
        return f"\x1b[<{button};{chance.randint(0, 90)};{chance.randint(0, 30)}{end}"
    if kind < 0.93:
        return chance.choice(NONSENSE)
    text = "".join(chance.choices([*DISPUTED, *ACTING, *ENTITIES, *WORDS, "\n", "| a |\n|--|\n"], k=9))
    return f"\x1b[200~{text.replace(chr(27), '')}\x1b[201~"


async def play(home: Home, url: str, seed: int, events: int) -> None:
    """Let a monkey play with the program; it is started anew where the monkey has found a way out of it."""
    chance = random.Random(seed)
    while events > 0:
        async with home.running("--url", url, size=chance.choice(SIZES)) as program:
            await program.until(lambda: bool(program.output))
            done: list[str] = []
            while events > 0 and program.process.returncode is None:
                events -= 20
                if chance.random() < 0.1:
                    program.resize(*chance.choice(SIZES))
                    program.kill(signal.SIGWINCH)
                done += (burst := [event(chance) for _ in range(20)])
                await send(program, "".join(burst).encode())
                await asyncio.sleep(0.02)
            code = program.process.returncode
            if code is None:
                code = await leave(program)
            whole = re.sub(r"\s*\r?\n\s*", "", re.sub(r"\x1b\[[0-?]*[@-~]", "", program.output))
            assert (code, whole.partition("Traceback")[2][-1500:]) == (0, ""), (seed, done[-60:])


async def send(program: Program, data: bytes) -> None:
    """The bytes, as fast as the program reads them."""
    while data and program.process.returncode is None:
        try:
            data = data[os.write(program._master, data) :]
        except BlockingIOError:
            await asyncio.sleep(0.01)


async def leave(program: Program) -> int:
    """Leave, as soon as no editor has the terminal; a reply or a pull that still runs is asked about."""
    for turn in range(int(PATIENCE)):
        program.type("\r" if turn % 2 else "\x1b[201~\x11")
        with suppress(TimeoutError):
            return await asyncio.wait_for(program.process.wait(), 1.0)
    raise TimeoutError("\n".join(program.rows))


@pytest.fixture
def cage(tmp_path: Path) -> Home:
    """A home in which a monkey cannot open anything."""
    return Home(tmp_path, {"EDITOR": "true"})


async def test_a_monkey_cannot_end_it(cage: Home, server: ScriptedServer) -> None:
    server.script(*reply("# A reply\n\n- with a [link](https://a.example/)\n\n```py\ncode\n```\n"))
    await play(cage, server.url, seed=1, events=600)


@pytest.mark.monkey
@pytest.mark.parametrize("seed", range(2, 22))
async def test_nor_many_of_them(cage: Home, server: ScriptedServer, seed: int) -> None:
    server.script(*reply("# A reply\n\n- with a [link](https://a.example/)\n\n```py\ncode\n```\n"))
    await play(cage, server.url, seed, events=1200)
