"""Images and files that go with a prompt: a line each in the log, kept whatever is done with it, and read when sent."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Collection
from pathlib import Path

import pytest
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, File, Image, parts_of
from tui_chat.store import parts
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.server import ScriptedServer, reply
from tests.ui.kit import AppDriver, driven

PICTURE = Blob.of(b"\x89PNG" + b"x" * 4096)
FILES = (Image("cat.png", "image/png", PICTURE), File("notes.md", "text/markdown", Blob.of(b"# It purrs\n")))
PROMPT = Message(Role.USER, parts_of("What is it?", files=FILES), id="prompt", created=1.0)
ANSWER = Message(Role.ASSISTANT, parts_of("A cat."), id="answer", parent="prompt", created=2.0)
SENT = {
    "role": "user",
    "content": "What is it?\n\nnotes.md:\n```\n# It purrs\n```",
    "images": [base64.b64encode(PICTURE.data or b"").decode()],
}


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    path = tmp_path / "chats.db"
    store = await Store.open(path)
    await store.adopt(Thread(Chat("chat", leaf="answer"), (PROMPT, ANSWER)))
    await store.aclose()
    return path


async def answered(run: AppDriver, server: ScriptedServer, *keys: str) -> None:
    """Press keys that ask, and wait for the reply."""
    server._scripts.pop("/api/chat", None)
    server.script(*reply("It is a cat."))
    await run.pilot.press(*keys)
    await run.until(lambda: run.shows("It is a cat."))
    await run.idle()


async def test_a_file_is_a_line_below_its_prompt(database: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=database, chat="chat") as run:
        rows = run.log()
        at = next(number for number, row in enumerate(rows) if "What is it?" in row)
        assert [row.strip("▌ ") for row in rows[at + 1 : at + 3]] == [
            "▪ cat.png · image/png · 4.1 kB · show",
            "▪ notes.md · text/markdown · 11 B",
        ]


async def test_a_file_is_read_when_it_is_sent_and_not_before(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[set[str]] = []
    original = parts.data_of

    def noted(db: sqlite3.Connection, wanted: Collection[str]) -> dict[str, bytes]:
        read.append(set(wanted))
        return original(db, wanted)

    monkeypatch.setattr(parts, "data_of", noted)
    async with ScriptedServer() as server, driven(server, database=database, chat="chat") as run:
        assert run.shows("A cat.")
        assert read == []
        await answered(run, server, "ctrl+r")
        assert server.asked()[-1]["messages"] == [SENT]
        assert read == [{file.blob.digest for file in FILES}]
        assert all(file.blob.data is None for file in run.chat.workspace.conversation.branch[0].files)


async def test_a_prompt_that_is_written_anew_keeps_its_files(database: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=database, chat="chat") as run:
        await run.pilot.press("alt+up", "alt+up", "e")
        await run.until(lambda: run.chat.composer.text == "What is it?")
        run.chat.composer.text = "Who is it?"
        await answered(run, server, "enter")
        assert run.shows("▪ cat.png · image/png")
        asked = {**SENT, "content": str(SENT["content"]).replace("What", "Who")}
        assert server.asked()[-1]["messages"] == [asked]
    store = await Store.open(database)
    anew = (await store.load("chat")).branch()[0]
    assert (await store.with_data([anew]))[0].files[0].blob.data == PICTURE.data
    await store.aclose()


async def test_a_prompt_that_is_files_alone_is_lines_alone(database: Path) -> None:
    store = await Store.open(database)
    alone = Message(Role.USER, FILES, parent="answer", created=3.0)
    await store.save("chat", alone)
    await store.aclose()
    async with ScriptedServer() as server, driven(server, database=database, chat="chat") as run:
        rows = [row.strip("▌ ") for row in run.log()]
        assert rows[rows.index("you", rows.index("A cat.")) + 1].startswith("▪ cat.png")
