"""What is said in passing stands on the composer's rule, covers nothing, and goes with what it speaks of."""

from __future__ import annotations

import asyncio

import pytest
from textual.content import Content
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.divider import Divider

from tests.server import ScriptedServer, done, end, head, reply, stall, token, wait
from tests.ui.kit import driven


async def test_a_notice_stands_on_the_rule_and_goes_when_the_reply_has_ended() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = asyncio.Event()
        server.script(head(), token("It goes on."), wait(gate), done("stop"), end())
        await run.say("go")
        await run.until(lambda: run.shows("It goes on."))
        before = run.log()
        await run.pilot.press("ctrl+r")  # try again, in the middle of it
        await run.until(lambda: any(row.startswith("─ Still replying") for row in run.rows()))
        assert run.log() == before
        gate.set()
        await run.idle()
        await run.until(lambda: not run.notices)


async def test_an_earlier_prompt_that_is_edited_is_told_above_the_composer() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("first")
        await run.idle()
        await run.pilot.press("tab", "e")
        await run.until(
            lambda: run.shows("─ Editing an earlier prompt · Enter sends a new version · Esc cancels ─")
        )
        await run.pilot.press("escape")
        await run.until(lambda: not run.shows("Editing an earlier prompt"))


@pytest.mark.parametrize("width", [40, 80])
async def test_a_long_notice_is_there_to_its_end(width: int) -> None:
    async with driven(None, size=(width, 24)) as run:
        run.app.notify("It is as long as " + "words are " * 7 + "to the end.", timeout=60)
        await run.until(lambda: run.shows("to the end."))
        assert len(run.rows()) == 24
        run.chat.query_one(Divider).clear()
        await run.until(lambda: not run.shows("words are"))


async def test_what_looks_clickable_is() -> None:
    async with ScriptedServer() as server, driven(server, size=(80, 24)) as run:
        server.script(*reply("a\n\n" * 60))
        await run.say("go")
        await run.idle()
        await run.pilot.press("pageup")
        await run.until(lambda: run.shows("↓ more below"))

        async def click(text: str) -> None:
            y = next(y for y, row in enumerate(run.rows()) if text in row)
            await run.pilot.click(offset=(run.rows()[y].index(text) + 1, y))

        await click("more below")
        await run.until(lambda: run.transcript.viewport.follows)
        await click("tok")  # the gauge
        await run.until(lambda: run.shows("Context window"))
        await run.pilot.press("escape")
        await run.until(lambda: not run.shows("Context window"))
        await click("tiny:latest · box")
        await run.until(lambda: run.shows("Models of box"))
        await run.pilot.press("escape")
        await click("F1 help")
        await run.until(lambda: run.shows("scroll · Esc close"))
        await click("Esc close")
        await run.until(lambda: run.app.screen is run.chat)
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("^R rename"))
        await run.pilot.pause()
        await click("^R rename")
        await run.until(lambda: run.shows("Rename this chat"))
        await run.pilot.press(*"d")
        await click("Enter rename")
        await run.until(lambda: run.shows("god"))
        await click("Enter open")
        await run.until(lambda: run.app.screen is run.chat)


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_notice_in_a_list_goes_with_the_next_key_or_after_its_time(size: tuple[int, int]) -> None:
    async with driven(None, size=size) as run:
        await run.pilot.press("f3")
        await run.until(lambda: run.shows("Add a server"))
        await run.pilot.pause()
        await run.until(lambda: not run.shows("asking"))
        before = run.rows()
        run.app.notify("Removed.", timeout=0.05)
        assert run.app.screen.query_one(Hint).content == Content("Removed.")
        await run.until(lambda: run.rows() == before)
        for key, back in (("down", "up"), ("x", "backspace")):
            run.app.notify("Removed.", timeout=60)
            await run.until(lambda: run.shows("Removed."))
            await run.pilot.press(key, back)
            await run.until(lambda: run.rows() == before)


async def test_what_a_dialog_says_waits_for_the_end_of_a_notice() -> None:
    async with driven(None) as run:
        screen = Picker(run.chat.keys, "Models", [Choice("a", "a"), Choice("b", "b")])
        await run.app.push_screen(screen)
        run.app.notify("Removed.", timeout=60)
        screen.query_one(Hint).say(Content("no answer from box"))
        await run.until(lambda: run.shows("Removed."))
        assert not run.shows("no answer")
        await run.pilot.press("down")
        await run.until(lambda: run.shows("no answer from box"))


async def test_while_a_reply_runs_nothing_is_said_of_a_text_that_was_not_written() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        server.script(head(), token("It goes on."), stall())
        await run.say("first")
        await run.idle()
        await run.say("second")
        await run.until(lambda: run.shows("It goes on."))
        await run.pilot.press("alt+up", "left")
        await run.until(lambda: bool(run.notices))
        assert run.notices == ["Still replying (Esc stops)."]
        await run.pilot.press("escape", "escape")
        await run.idle()


async def test_what_is_edited_is_told_at_once_though_a_notice_stands() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("first")
        await run.idle()
        run.app.notify("Copied the message (2 characters).", timeout=60)
        await run.pilot.press("tab", "e")
        await run.until(lambda: run.shows("─ Editing an earlier prompt"))


async def test_a_notice_of_several_rows_stands_above_the_rule() -> None:
    async with driven(None, size=(40, 24)) as run:
        run.app.notify("It is as long as " + "words are " * 4 + "to the end.", timeout=60)
        await run.until(lambda: run.shows("to the end."))
        assert next(row for row in run.rows() if "to the end." in row).strip().endswith("to the end.")


async def test_a_code_block_is_not_offered_what_is_a_messages() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 24)) as run:
        server.script(*reply("```sh\nls\n```"))
        await run.say("first")
        await run.idle()
        await run.pilot.press("tab")
        await run.until(lambda: run.shows("message selected") and run.shows("e edit"))
        await run.pilot.press("down")
        await run.until(lambda: run.shows("code block 1 selected") and run.shows("c copy"))
        assert not run.shows("e edit")


async def test_the_list_of_themes_leaves_the_chat_in_sight() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(*reply("a row\n\n" * 30))
        await run.say("first")
        await run.idle()
        await run.pilot.press(*"/theme", "enter")
        await run.until(lambda: run.shows("Themes"))
        shown = [row for row in run.rows() if row.startswith(f"  a row{' ' * 40}")]
        assert len(shown) > 8


async def test_the_header_names_the_model_as_the_server_does() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await run.chat.server.use_model("tiny")
        assert run.header.model == "tiny:latest"
