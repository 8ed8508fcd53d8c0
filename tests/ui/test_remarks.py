"""What is said about the text in the composer goes when the text changes, or the next one is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tui_chat.ui.widgets.notes import AttachmentRows

from tests.server import MODEL, ScriptedServer, answer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven
from tests.ui.test_attachments import PNG, paste


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    (tmp_path / "data.bin").write_bytes(b"\0")
    (tmp_path / "dot.png").write_bytes(PNG)
    (tmp_path / "broken.png").write_bytes(PNG[:40])
    (tmp_path / "main.py").write_text("a = 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def refused(run: AppDriver, text: str) -> None:
    """Send what cannot be sent, and wait until it is back."""
    await run.say(text)
    await run.until(lambda: run.status.error or bool(run.notices))
    await run.until(lambda: run.chat.composer.text == text)
    await run.pilot.pause(0.05)


@pytest.mark.parametrize("text", ["see @data.bin", "/theme nosuch", "/foo", "/file nosuch"])
@pytest.mark.parametrize("key", ["!", "ctrl+u"])
async def test_why_a_text_was_refused_goes_with_it(text: str, key: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("It greets."))
        await run.say("hello")
        await run.idle()
        await refused(run, text)
        assert run.status.error or run.notices, "it stands until something is done"
        await run.pilot.press(key)
        await run.until(lambda: not run.status.error and not run.notices)
        rows = run.chat.query_one(AttachmentRows)
        await run.until(lambda: rows.display is ("@" in run.chat.composer.text))


async def test_complaints_do_not_pile_up() -> None:
    async with driven(None) as run:
        for name in ("/foo", "/bar"):
            await refused(run, name)
            assert [notice.split(":")[0] for notice in run.notices] == [f"There is no command {name}"]
        await run.say("/theme nord")
        await run.until(lambda: run.app.theme == "nord")
        assert not run.notices


async def test_a_refused_paste_is_not_said_to_be_attached(work: Path) -> None:
    async with driven(None) as run:
        await paste(run, str(work / "main.py"))
        await run.until(lambda: "Attached. ^Z makes it the path again." in run.notices)
        await paste(run, str(work / "data.bin"))
        await run.until(lambda: run.status.error)
        assert not run.notices
        await run.pilot.press("ctrl+u")
        await run.until(lambda: not run.status.error)


async def test_that_a_model_sees_nothing_is_not_said_of_the_reply() -> None:
    async with ScriptedServer() as server:
        blind = {**MODEL, "capabilities": ["completion"]}
        server.script(answer(200, {"models": [blind]}), path="/api/tags")
        server.script(head(), token("I see"), stall(), done(), end())
        async with driven(server) as run:
            await run.pilot.press(*"what is @dot.png ?")
            await run.until(lambda: run.chat.query_one(AttachmentRows).display)
            await run.pilot.press("enter")
            await run.until(lambda: any("again sends it anyway" in notice for notice in run.notices))
            await run.pilot.press("enter")
            await run.until(lambda: run.shows("I see"))
            assert not run.notices
            await run.pilot.press("escape")
            await run.idle()


async def test_the_error_of_a_waiting_prompt_stands_while_one_types() -> None:
    gate = asyncio.Event()
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), token("It greets."), wait(gate), done(), end())
        await run.say("Hello")
        await run.until(lambda: run.chat.replies.busy)
        await run.say("see @data.bin")
        gate.set()
        await run.until(lambda: run.status.error)
        await run.pilot.press(*"more")
        await run.pilot.pause(0.05)
        assert run.status.error


async def test_in_a_tiny_terminal_an_error_has_the_rows_that_it_needs() -> None:
    async with ScriptedServer() as server, driven(server, size=(40, 10)) as run:
        server.script(*reply("It greets."))
        await run.say("hello")
        await run.idle()
        text = "what is in @broken.png and what in @main.py " + "and so on " * 9
        run.chat.composer.text = text
        await run.until(lambda: len(run.chat.attachments.found) == 2)
        await run.pilot.press("enter", "enter")  # the model sees no pictures, which is said once
        await run.until(lambda: run.status.error)
        await run.until(lambda: run.shows("it again."))
        assert run.shows("F1 help")
        assert run.shows("✗ broken.png is a broken picture.")
