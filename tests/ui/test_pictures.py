"""Pictures in the log: a line each, drawn where the user asks, free where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as pil
from tui_chat.config import Config
from tui_chat.markdown.draw import Row
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, Image, parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread
from tui_chat.ui.widgets.rows import HalfBlockRows

from tests.server import ScriptedServer, done, end, head, reply, token
from tests.ui.kit import AppDriver, driven


def png(width: int, height: int) -> bytes:
    """Red above blue."""
    image, file = pil.new("RGB", (width, height), (255, 0, 0)), BytesIO()
    image.paste((0, 0, 255), (0, height // 2, width, height))
    image.save(file, "PNG")
    return file.getvalue()


@asynccontextmanager
async def showing(
    tmp_path: Path, *pictures: bytes, server: ScriptedServer | None = None, config: Config | None = None
) -> AsyncGenerator[AppDriver, None]:
    """A chat with a prompt for each picture."""
    store = await Store.open(tmp_path / "chats.db")
    messages, parent = list[Message](), None
    for number, data in enumerate(pictures):
        files = [Image(f"p{number}.png", "image/png", Blob.of(data))]
        prompt = Message(Role.USER, parts_of("What is it?", files=files), id=f"{number}a", parent=parent)
        answer = Message(Role.ASSISTANT, parts_of("Colours."), id=f"{number}b", parent=prompt.id)
        messages += [replace(prompt, created=2.0 * number), replace(answer, created=2.0 * number + 1)]
        parent = answer.id
    await store.adopt(Thread(Chat("chat", leaf=parent), tuple(messages)))
    await store.aclose()
    async with driven(server, database=tmp_path / "chats.db", chat="chat", config=config) as run:
        yield run


def blocks(run: AppDriver) -> int:
    """Rows of the screen with half blocks."""
    return sum("▀▀" in row for row in run.rows())


async def test_a_picture_is_shown_and_hidden_by_key_and_by_click(tmp_path: Path) -> None:
    async with ScriptedServer() as server, showing(tmp_path, png(20, 16), server=server) as run:
        await run.until(lambda: run.shows("▪ p0.png · image/png · 89 B · show"))
        assert blocks(run) == 0
        await run.pilot.press("alt+up", "alt+up", "p")
        await run.until(lambda: blocks(run) == 8)
        assert run.shows("· hide")
        await run.pilot.press("p")
        await run.until(lambda: blocks(run) == 0)
        await run.pilot.press("escape")
        row = next(number for number, row in enumerate(run.rows()) if "· show" in row)
        await run.pilot.click(offset=(run.rows()[row].index("show"), row))
        await run.until(lambda: blocks(run) == 8)
        await run.pilot.resize_terminal(40, 12)
        await run.until(lambda: run.shows("· hide") or blocks(run) > 0)
        colours = {
            (segment.style.color.name, segment.style.bgcolor.name)
            for strip in run.app.screen._compositor.render_strips()
            for segment in strip
            if "▀" in segment.text and segment.style and segment.style.color and segment.style.bgcolor
        }
        assert colours == {("#ff0000", "#ff0000"), ("#0000ff", "#0000ff")}


async def test_a_message_without_one_says_so(tmp_path: Path) -> None:
    async with ScriptedServer() as server, showing(tmp_path, png(2, 2), server=server) as run:
        await run.pilot.press("alt+up", "p")
        await run.until(lambda: any("no picture in this message" in notice for notice in run.notices))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "is a broken picture"),
        (png(20, 10)[:60], "is a broken picture"),
        (png(8_000, 8_000), "p0.png has more than 50 million pixels"),
    ],
)
async def test_a_hostile_picture_gives_a_message(tmp_path: Path, data: bytes, words: str) -> None:
    async with ScriptedServer() as server, showing(tmp_path, data, server=server) as run:
        await run.pilot.press("alt+up", "alt+up", "p")
        await run.until(lambda: words in run.status.text)
        assert blocks(run) == 0


async def test_a_flat_one_is_drawn_small(tmp_path: Path) -> None:
    async with ScriptedServer() as server, showing(tmp_path, png(1, 20_000), png(20_000, 1), server=server) as run:
        for _ in range(2):
            await run.pilot.press("alt+up", "alt+up", "p")
            await run.until(lambda: run.shows("· hide"))


async def test_without_pillow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server, showing(tmp_path, png(2, 2), server=server) as run:
        monkeypatch.setitem(sys.modules, "PIL", None)
        await run.pilot.press("alt+up", "alt+up", "p")
        await run.until(lambda: "without Pillow" in run.status.text)
        assert "tui-chat-llm[images]" in run.status.hint


async def test_pictures_out_of_view_cost_nothing_while_a_reply_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[int]()
    row = HalfBlockRows.row

    def counted(rows: HalfBlockRows, y: int) -> Row:
        drawn.append(y)
        return row(rows, y)

    monkeypatch.setattr(HalfBlockRows, "row", counted)
    async with ScriptedServer() as server, showing(tmp_path, *[png(60, 40)] * 10, server=server) as run:
        server.script(head(), *[token("word ") for _ in range(2000)], done(), end())
        for entry in run.transcript.entries:
            run.chat.pictures.toggle(entry.message)
            await run.until(lambda: not any(each.group == "pictures" for each in run.chat.workers))
        assert sum(bool(entry.pictures) for entry in run.transcript.entries) == 10
        await run.say("go on")
        await run.until(lambda: run.shows("word word"))
        await run.idle()
        await run.pilot.press("ctrl+end")
        await run.pilot.pause(0.2)
        drawn.clear()
        rendered = run.transcript.rendered
        server._scripts.clear()
        server.script(*reply(*["more "] * 500))
        await run.say("and on")
        await run.until(lambda: run.shows("more more"))
        await run.idle()
        assert drawn == []
        with_pictures = run.transcript.rendered - rendered
        assert with_pictures < 1000


async def test_kitty_gets_the_picture_once_and_placeholders_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[str]()
    config = Config(pictures="kitty")
    async with ScriptedServer() as server, showing(tmp_path, png(80, 64), server=server, config=config) as run:
        monkeypatch.setattr(run.app._driver, "write", written.append)
        await run.pilot.press("alt+up", "alt+up", "p")
        await run.until(lambda: sum("\U0010eeee" in row for row in run.rows()) == 4)
        await run.pilot.press("ctrl+home", "ctrl+end")
        sent = [data for data in written if "\x1b_G" in data]
        assert len(sent) == 1
        assert "a=T,U=1,q=2,f=100" in sent[0]
        assert ",c=10,r=4," in sent[0]


async def test_a_selected_message_with_a_picture_names_the_key_that_shows_it(tmp_path: Path) -> None:
    async with ScriptedServer() as server, showing(tmp_path, png(20, 16), server=server) as run:
        await run.pilot.press("alt+up")
        assert "pictures" not in run.status.hint
        await run.pilot.press("alt+up")
        await run.until(lambda: run.shows(" · p pictures · "))
