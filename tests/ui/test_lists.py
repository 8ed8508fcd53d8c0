"""Lists that are filtered as one types: what is shown when, what can be taken, and what a key costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest
from textual.screen import Screen
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Server
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread
from tui_chat.ui.dialogs import chats
from tui_chat.ui.dialogs.chats import ChatsScreen
from tui_chat.ui.widgets.choice_list import ChoiceList

from tests.ui.kit import AppDriver, driven, gated

NOWHERE = Server("http://127.0.0.1:9", name="nowhere")


@asynccontextmanager
async def list_of(prompts: Sequence[str]) -> AsyncGenerator[tuple[AppDriver, ChatsScreen], None]:
    """The list of chats that began so, the first one on top."""
    async with driven(NOWHERE, ready=False) as run:
        for number, prompt in enumerate(reversed(prompts)):
            prompted = Message(Role.USER, parts_of(prompt), id=f"m{number}", created=float(number))
            chat = Chat(f"c{number}", title=prompt, created=float(number), updated=float(number), leaf=prompted.id)
            await run.app.workspace.store.adopt(Thread(chat, (prompted,)))
        await run.pilot.press("ctrl+o")
        await run.until(lambda: isinstance(run.app.screen, ChatsScreen) and run.shows("1 msg"))
        screen = run.app.screen
        assert isinstance(screen, ChatsScreen)
        await run.until(lambda: is_still(screen))
        yield run, screen


def is_still(screen: ChatsScreen) -> bool:
    """Whether it has found what there is."""
    return all(worker.is_finished for worker in screen.workers if worker.node is screen)


def names(screen: ChatsScreen) -> list[str]:
    return [choice.name for choice in screen.list.choices]


async def test_what_is_in_view_is_listed_first_and_then_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()
    original = Store.chats

    async def counted(self: Store, words: str = "", limit: int | None = None) -> Any:
        asked.append(limit)
        return await original(self, words, limit)

    monkeypatch.setattr(Store, "chats", counted)
    async with list_of([f"chat {number:02}" for number in range(60)]) as (run, screen):
        assert asked == [24, 200]
        assert names(screen) == [f"chat {number:02}" for number in range(60)]
        await run.pilot.press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        await run.until(lambda: run.shows("chat 50"))
        listing = screen.query_one(ChoiceList)
        assert listing.vertical_scrollbar.window_virtual_size == 60


async def test_the_titles_are_there_before_the_messages_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    async with list_of(["pears", "apples and pears"]) as (run, screen):
        gate = gated(monkeypatch, "search")
        await run.pilot.press(*"app")
        await run.until(lambda: names(screen) == ["apples and pears"])
        gate.set()
        await run.until(lambda: len(screen.list.choices) == 2)
        assert [choice.value.message for choice in screen.list.choices] == [None, "m0"]


async def test_what_is_no_result_any_more_stays_in_sight_for_a_blink_but_cannot_be_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chats, "_BLINK", 60.0)
    async with list_of(["pears", "plums"]) as (run, screen):
        gate = gated(monkeypatch, "search")
        await run.pilot.press("x")
        await run.until(lambda: not screen.list.choices)
        assert run.shows("pears")
        await run.pilot.press("enter", "down")
        await run.pilot.click(ChoiceList, offset=(3, 0))
        await run.pilot.pause()
        assert run.app.screen is screen
        gate.set()
        await run.until(lambda: run.shows("Nothing found."))
        assert not run.shows("pears")


async def test_a_search_that_takes_longer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with list_of(["pears"]) as (run, _):
        gate = gated(monkeypatch, "search")
        await run.pilot.press("x")
        await run.until(lambda: run.shows("Searching …"))
        assert not run.shows("pears")
        gate.set()
        await run.until(lambda: run.shows("Nothing found."))


async def test_a_title_that_comes_back_is_found_though_none_was_before() -> None:
    async with list_of(["pears", "plums"]) as (run, screen):
        await run.pilot.press("down", "ctrl+d")
        await run.until(lambda: names(screen) == ["pears"])
        await run.pilot.press(*"plu")
        await run.until(lambda: run.shows("Nothing found."))
        await run.pilot.press("ctrl+z")
        await run.until(lambda: names(screen)[:1] == ["plums"])
        await run.pilot.press(*"ms")
        await run.until(lambda: is_still(screen))
        assert names(screen)[:1] == ["plums"]


async def test_after_a_deletion_the_highlight_is_where_it_was() -> None:
    async with list_of(["one", "two", "three", "four"]) as (run, screen):
        for gone, here in (("two", "three"), ("three", "four"), ("four", "one")):
            if gone == "two":
                await run.pilot.press("down")
            await run.pilot.press("ctrl+d")
            await run.until(lambda gone=gone: gone not in names(screen))  # type: ignore[misc]
            await run.until(lambda: is_still(screen))
            assert screen.list.choice is not None
            assert screen.list.choice.name == here


async def test_a_key_draws_no_row_that_stays_and_lays_out_only_to_become_higher() -> None:
    refresh_layout = Screen._refresh_layout
    heights = Counter[int]()

    async with list_of([f"pears {number}" for number in range(12)]) as (run, screen):

        def laid_out(*args: Any, **kwargs: Any) -> None:
            heights[screen.list.virtual_size.height] += args[0] is screen  # the chat below has a clock of its own
            refresh_layout(*args, **kwargs)

        with (
            patch.object(ChoiceList, "_draw", autospec=True, side_effect=ChoiceList._draw) as draw,
            patch.object(Screen, "_refresh_layout", autospec=True, side_effect=laid_out),
        ):
            for key in "pears":
                await run.pilot.press(key)
                await run.until(lambda: is_still(screen))
                await run.pilot.pause()
            assert len(names(screen)) > 12  # the messages below the titles
            drawn = [call.args[1] for call in draw.call_args_list]
        assert not [row for row in drawn if not isinstance(row, str) and not row.choice.snippet and not row.second]
        assert max(heights.values()) <= 2  # of the list; laid out only when it became higher


async def test_a_row_ends_before_the_scrollbar() -> None:
    async with list_of(["a long title " * 6] * 40) as (run, screen):
        listing = screen.query_one(ChoiceList)
        assert listing.show_vertical_scrollbar
        assert listing.render_line(0).cell_length == listing.size.width - 1
        assert all("… " in row and "1 msg" in row for row in run.rows()[listing.region.y : listing.region.bottom])


@pytest.mark.parametrize("actions", ["take take", "close close", "take close"])
async def test_keys_pressed_while_a_list_closes_do_nothing(actions: str) -> None:
    async with list_of(["one", "two"]) as (run, screen):
        choice = screen.list.choice
        assert choice is not None
        for action in actions.split():
            screen.take(choice) if action == "take" else screen.dismiss()
        await run.until(lambda: screen not in run.app.screen_stack)
        await run.pilot.pause()
        assert run.app.screen is run.chat


async def test_what_comes_for_a_list_that_was_closed_meanwhile_does_nothing() -> None:
    async with list_of(["pears", "plums"]) as (run, screen):
        shown = list(screen.list.choices)
        screen.dismiss()
        await run.until(lambda: not screen.query(ChoiceList))
        screen.show(shown)
        screen.notify("Deleted.")
        screen.list.show(shown, "")
        screen.list.highlight(shown[1].value)
        assert run.app.screen is run.chat


@pytest.mark.parametrize("size", [(10, 3), (5, 3), (3, 5), (2, 2), (1, 10)])
@pytest.mark.parametrize("key", ["ctrl+o", "f3", "ctrl+l", "ctrl+p", "f1"])
async def test_lists_open_and_close_in_a_terminal_without_room(size: tuple[int, int], key: str) -> None:
    async with driven(NOWHERE, ready=False, size=size) as run:
        await run.pilot.press(key, "down", "a")
        await run.pilot.pause()
        await run.pilot.press("escape")
        await run.until(lambda: run.app.screen is run.chat)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("ctrl+o", "Enter open · ^R rename · ^T pin ^D delete · ^Z undo · Esc close"),
        ("f3", "Enter use · ^T test · ^R edit ^D remove · ^Z undo · Esc close"),
        ("ctrl+p", "Enter choose · Esc close"),
        ("ctrl+f", "Find in this chat ↑ ↓ · Esc close"),
    ],
)
async def test_a_tiny_terminal_has_room_for_all_keys(key: str, keys: str) -> None:
    async with driven(None, size=(40, 10)) as run:
        await run.say("hello")
        await run.idle()
        await run.pilot.press(key)
        await run.until(lambda: keys in " ".join(" ".join(run.rows()).split()))
