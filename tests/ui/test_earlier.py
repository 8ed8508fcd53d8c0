"""Earlier prompts: Up finds those of all chats that begin with what is typed, a list finds them by their words."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tui_chat.chat.summary import SUM_UP
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.server import ScriptedServer, reply
from tests.ui.kit import AppDriver, driven, gated


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[AppDriver]:
    """A new chat beside an older one, in which these prompts were sent, the oldest first."""
    database = tmp_path / "chats.db"
    store = await Store.open(database)
    said: list[Message] = []
    for number, text in enumerate(
        ["Why is the sky blue?", "how so", SUM_UP, "Why not\ngreen?", "why?", "/etc is what?"]
    ):
        parent = said[-1].id if said else None
        created = time.time() - 1000 + number
        said.append(Message(Role.USER, parts_of(text), id=f"m{number}", parent=parent, created=created))
    await store.adopt(Thread(Chat("older", leaf=said[-1].id, title="older"), tuple(said)))
    await store.aclose()
    async with ScriptedServer() as server, driven(server, database=database) as run:
        server.script(*reply("answer"))
        yield run


async def shown(run: AppDriver, text: str) -> None:
    await run.until(lambda: run.chat.composer.text == text)


async def test_up_finds_what_begins_so_in_all_chats_and_down_brings_back_what_was_typed(run: AppDriver) -> None:
    await run.pilot.press(*"why")
    for prompt in ("why?", "Why not\ngreen?", "Why is the sky blue?"):
        await run.pilot.press("up")
        await shown(run, prompt)
    await run.pilot.press("up")
    await shown(run, "Why is the sky blue?")
    await run.pilot.press("down", "down", "down")
    await shown(run, "why")
    await run.pilot.press("down", "?", "up")
    await run.until(lambda: all(each.group != "earlier" for each in run.chat.workers))
    await shown(run, "why?")  # it is the only one, and typed already
    assert run.chat.composer.cursor_location == (0, 4)


async def test_up_beyond_the_oldest_prompt_leaves_the_cursor_at_the_end(run: AppDriver) -> None:
    await run.pilot.press(*"how", "up")
    await shown(run, "how so")
    await run.pilot.press("up", "!")
    await shown(run, "how so!")
    await run.pilot.press("ctrl+u")
    await run.say("here")
    await run.idle()
    await run.pilot.press("up", "up", "up", "!")
    await shown(run, "here!")


async def test_the_prompts_of_the_open_chat_go_first(run: AppDriver) -> None:
    await run.say("Why here?")
    await run.idle()
    await run.pilot.press("W", "up")
    await shown(run, "Why here?")
    await run.pilot.press("up")
    await shown(run, "why?")


async def test_up_in_the_second_row_is_a_key_of_the_text(run: AppDriver) -> None:
    await run.pilot.press("w", "ctrl+j", "x", "up")
    assert run.chat.composer.cursor_location == (0, 1)
    await run.pilot.press("up")
    await run.until(lambda: run.chat.composer.cursor_location == (0, 0))
    assert run.chat.composer.text == "w\nx"


async def test_what_is_typed_while_the_store_looks_stays(run: AppDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = gated(monkeypatch, "prompts")
    await run.pilot.press("w", "up", "x")
    gate.set()
    await run.pilot.pause(0.1)
    assert run.chat.composer.text == "wx"


async def test_up_in_an_empty_composer_stays_in_this_chat(run: AppDriver) -> None:
    await run.pilot.press("up")
    await run.pilot.pause()
    assert run.chat.composer.text == ""


async def test_a_prompt_with_a_slash_comes_back_as_it_has_to_be_typed(run: AppDriver) -> None:
    await run.pilot.press(*"//e", "up")
    await shown(run, "//etc is what?")


async def test_the_list_narrows_and_enter_puts_a_prompt_where_the_cursor_is(run: AppDriver) -> None:
    await run.pilot.press(*"Say: ", "f10")
    await run.until(lambda: run.shows("Earlier prompts") and run.shows("Why is the sky blue?"))
    await run.pilot.press(*"green not")
    await run.until(lambda: run.shows("Why not green?") and not run.shows("sky"))
    await run.pilot.press("enter")
    await shown(run, "Say: Why not\ngreen?")
    run.chat.composer.clear()
    await run.pilot.press("S", "u", "m", "up")
    await run.pilot.pause()
    assert run.chat.composer.text == "Sum", "nobody typed what asks for a summary"
    run.chat.composer.clear()
    await run.pilot.press("alt+r")
    await run.until(lambda: run.shows("/etc is what?"))
    assert not run.shows("Sum up")
    await run.pilot.press("enter")
    await shown(run, "//etc is what?")
    await run.pilot.press("f10")
    await run.until(lambda: run.shows("Earlier prompts"))
    await run.pilot.press(*"nothing such")
    await run.until(lambda: run.shows("Nothing found."))
    await run.pilot.press("enter", "escape")
    await shown(run, "//etc is what?")
