"""The log follows the stream until the reader leaves its end, then stays put to the row."""

from __future__ import annotations

import asyncio

import pytest
from tui_chat.ui.phrases import heading
from tui_chat.ui.widgets.divider import Divider

from tests.server import ScriptedServer, done, end, head, thought, token, wait
from tests.ui.kit import AppDriver, driven

LINES = 60


async def streaming(server: ScriptedServer, run: AppDriver) -> asyncio.Event:
    """A reply of many lines that stops in the middle; setting the event lets as many follow."""
    gate = asyncio.Event()
    first = [token(f"line {number}\n\n") for number in range(LINES)]
    second = [token(f"later {number}\n\n") for number in range(LINES)]
    server.script(head(), *first, wait(gate), *second, done(), end())
    await run.say("go")
    await run.until(lambda: run.shows(f"line {LINES - 1}"))
    return gate


def figures(run: AppDriver) -> str:
    """What stands beside the model's name once the reply has ended."""
    return f" · {heading(run.transcript.entries[-1].message)[1]}"


async def wheel_up(run: AppDriver) -> None:
    from textual import events

    log = run.transcript
    for _ in range(3):
        log.post_message(events.MouseScrollUp(log, 5, 5, 0, -1, 0, False, False, False))
    await run.pilot.pause()


async def drag_scrollbar(run: AppDriver) -> None:
    from textual.scrollbar import ScrollTo

    run.transcript.post_message(ScrollTo(y=10, animate=False))
    await run.pilot.pause()


WAYS_UP = {"wheel": wheel_up, "scrollbar": drag_scrollbar}
KEYS_UP = ["pageup", "shift+up", "home", "ctrl+home"]


@pytest.mark.parametrize("way", [*WAYS_UP, *KEYS_UP])
async def test_who_scrolls_up_stays_put_to_the_row_and_is_told_what_is_new(way: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = await streaming(server, run)
        if way in WAYS_UP:
            await WAYS_UP[way](run)
        else:
            await run.pilot.press(way)
        await run.pilot.pause()
        before = run.log()
        assert not any(f"line {LINES - 1}" in row for row in before[-1:])
        assert run.chat.query_one(Divider).below == 0
        gate.set()
        await run.idle()
        assert [row.removesuffix(figures(run)) for row in run.log()] == before
        assert run.chat.query_one(Divider).below == 2 * LINES
        assert run.shows(f"{2 * LINES} new lines")
        await run.pilot.press("end")
        await run.until(lambda: run.shows(f"later {LINES - 1}"))
        assert run.chat.query_one(Divider).below is None


@pytest.mark.parametrize("way", ["end", "ctrl+end", "pagedown"])
async def test_going_to_the_end_follows_again(way: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = await streaming(server, run)
        await run.pilot.press("pageup")
        assert not run.transcript.viewport.follows
        for _ in range(3):
            await run.pilot.press(way)
        assert run.transcript.viewport.follows
        gate.set()
        await run.until(lambda: run.shows(f"later {LINES - 1}"))


@pytest.mark.parametrize("key", ["pagedown", "shift+down"])
async def test_scrolling_down_at_the_end_goes_on_following(key: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = await streaming(server, run)
        await run.pilot.press(key)
        gate.set()
        await run.until(lambda: run.shows(f"later {LINES - 1}"))
        assert run.transcript.viewport.follows


async def test_sending_follows_again() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = await streaming(server, run)
        gate.set()
        await run.idle()
        await run.pilot.press("ctrl+home")
        assert not run.transcript.viewport.follows
        server.script(head(), token("the next reply"), done(), end())
        server._scripts["/api/chat"] = server._scripts["/api/chat"][-1:]
        await run.say("next")
        await run.until(lambda: run.shows("the next reply"))
        assert run.transcript.viewport.follows


async def test_a_resize_keeps_the_row_that_is_read_at_the_top() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await streaming(server, run)
        await run.pilot.press("pageup", "pageup")
        top = next(row.strip() for row in run.log() if row.strip())
        for size in ((60, 24), (100, 30), (40, 10), (80, 24)):
            await run.pilot.resize_terminal(*size)
            await run.pilot.pause()
            assert top in [row.strip() for row in run.log()][:2], (size, run.log())


async def test_a_resize_while_streaming_goes_on_following() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = await streaming(server, run)
        await run.pilot.resize_terminal(50, 15)
        gate.set()
        await run.until(lambda: run.shows(f"later {LINES - 1}"))


async def test_unfolding_a_thought_brings_no_new_lines() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        steps = [thought("a thought\n\n" * 20), *(token(f"line {number}\n\n") for number in range(LINES))]
        server.script(head(), *steps, done(), end())
        await run.say("go")
        await run.idle()
        await run.pilot.press("ctrl+home")
        await run.until(lambda: run.shows("more below"))
        await run.pilot.press("ctrl+t")
        await run.until(lambda: run.shows("▾ thought"))
        await run.pilot.pause()
        assert run.shows("more below")
        assert not run.shows("new line")
