"""A store that cannot be written, read or understood: said clearly, nothing deleted, and the chat goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tui_chat.messages import State

from tests.program.kit import Home, Program
from tests.server import ScriptedServer, done, end, head, reply, token, wait


async def chat_goes_on(program: Program, server: ScriptedServer) -> None:
    """A prompt is answered, whatever became of the store."""
    server.script(*reply("All is well here."))
    await program.until_shows("tiny")
    await program.say("Hello?")
    await program.until_shows("All is well here.")
    assert await program.quit() == 0
    assert program.unrestored() == []
    assert "Traceback" not in program.output


async def test_a_full_disk_is_said_and_the_chat_goes_on(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    flood = [token("word " * 2000) for _ in range(40)]
    server.script(*reply("saved"))
    server.script(head(), token("It begins. "), wait(gate), *flood, token("THE END"), done(), end())
    server.script(*reply("All is well here."))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("before")
        await program.until_shows("saved")
        assert await program.quit() == 0
    async with home.running("--url", server.url, "--continue", limit=200_000) as program:
        await program.until_shows("tiny", "saved")
        await program.say("fill it")
        await program.until_shows("It begins.")
        gate.set()
        await program.until_shows("THE END", "✗ The disk")
        await program.say("still there?")
        await program.until_shows("All is well here.")
        assert await program.quit() == 0
        assert program.unrestored() == []
        assert "not saved. The disk took no more" in program.said
        assert "Traceback" not in program.output
    (thread,) = await home.threads()
    texts = [message.text for message in thread.branch()]
    assert texts[:3] == ["before", "saved", "fill it"]


async def test_a_data_folder_that_cannot_be_written_is_said(home: Home, server: ScriptedServer) -> None:
    home.data.mkdir(parents=True)
    home.data.chmod(0o500)
    async with home.running("--url", server.url, size=(120, 30)) as program:
        await program.until_shows("NOT SAVED")
        await chat_goes_on(program, server)
    assert list(home.data.iterdir()) == []


async def test_a_data_folder_that_is_a_file_is_said(home: Home, server: ScriptedServer) -> None:
    home.data.parent.mkdir(parents=True)
    home.data.write_text("mine")
    async with home.running("--url", server.url, size=(120, 30)) as program:
        await program.until_shows("NOT SAVED")
        await chat_goes_on(program, server)
    assert home.data.read_text() == "mine"


async def test_a_damaged_file_is_set_aside_and_said(home: Home, server: ScriptedServer) -> None:
    garbage = b"\xa5" * 8192
    home.data.mkdir(parents=True)
    home.database.write_bytes(garbage)
    async with home.running("--url", server.url, size=(120, 30)) as program:
        await program.until_shows("damaged")
        await chat_goes_on(program, server)
    (aside,) = home.data.glob("*damaged*")
    assert aside.read_bytes() == garbage
    assert len(await home.threads()) == 1


async def test_a_file_of_a_newer_program_is_left_alone_and_said(home: Home, server: ScriptedServer) -> None:
    home.data.mkdir(parents=True)
    async with home.running("--url", server.url) as program:
        await chat_goes_on(program, server)
    with closing(sqlite3.connect(home.database)) as database:
        newer = database.execute("PRAGMA user_version").fetchone()[0] + 1
        database.execute(f"PRAGMA user_version = {newer}")
    before = contents(home.data)
    async with home.running("--url", server.url, size=(120, 30)) as program:
        await program.until_shows("NOT SAVED")
        await chat_goes_on(program, server)
    assert contents(home.data) == before


async def test_two_programs_on_one_store_lose_nothing(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    for text in ("first", "second"):
        server.script(head(), token(f"the {text} "), wait(gate), token("reply"), done(), end())
    server.script(*reply("and another"))
    async with home.running("--url", server.url) as one, home.running("--url", server.url) as two:
        for program, prompt, begun in ((one, "from one", "the first"), (two, "from two", "the second")):
            await program.until_shows("tiny")
            await program.say(prompt)
            await program.until_shows(begun)
        gate.set()
        await asyncio.gather(one.until_shows("the first reply"), two.until_shows("the second reply"))
        await asyncio.gather(one.say("more from one"), two.say("more from two"))
        await asyncio.gather(one.until_shows("and another"), two.until_shows("and another"))
        await asyncio.gather(*(program.until_shows("○ done") for program in (one, two)))
        assert [await one.quit(), await two.quit()] == [0, 0]
    threads = await home.threads()
    assert {tuple(message.text for message in thread.branch()) for thread in threads} == {
        ("from one", "the first reply", "more from one", "and another"),
        ("from two", "the second reply", "more from two", "and another"),
    }
    assert {message.state for thread in threads for message in thread.messages} == {State.COMPLETE}


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder; those that SQLite keeps only while a database is open apart."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith(("-wal", "-shm"))}
