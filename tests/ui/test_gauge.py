"""The header's gauge, and the warning of a chat that is larger than what the model sees."""

from __future__ import annotations

import asyncio

import pytest
from tui_chat.ui.widgets.header import Fullness

from tests.server import ScriptedServer, done, end, head, reply, token, wait
from tests.ui.kit import driven


async def test_the_gauge_of_a_prompt_larger_than_the_window_is_full() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(*reply("ok"))
        await run.say("word " * 5000)
        await run.idle()
        run.app.workspace.connection.window = 4096
        run.chat.server.show_gauge()
        assert "█████ 100% of 4k" in run.header.render().plain


async def test_a_window_that_is_nearly_full_shows_in_colour() -> None:
    async with driven(None) as run:
        colours = []
        for used in (500, 800, 970, 1000):
            run.header.fullness = Fullness(used, 1000)
            line = run.header.render()
            cells = line.plain.index("█")
            colours.append(next(str(span.style) for span in line.spans if span.start <= cells < span.end))
        assert colours == ["$text-muted", "bold $text-warning", "bold $text-error", "bold $text-error"]


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_gauge_is_always_there_and_the_servers_name_goes_first(width: int) -> None:
    async with ScriptedServer() as server, driven(server, size=(width, 24)) as run:
        gate = asyncio.Event()
        server.script(head(), token("ok"), wait(gate), done("stop", prompt_eval_count=3000, eval_count=50), end())
        run.app.workspace.connection.window = 8192
        run.chat.server.show_gauge()
        await run.until(lambda: "░░░░░  0%" in run.rows()[0])
        await run.say("Which title this is ")
        await run.until(lambda: run.shows("ok"))
        assert "█░░░░  0%" in run.rows()[0]
        gate.set()
        await run.idle()
        run.app.workspace.connection.window = 8192
        run.chat.server.show_gauge()
        await run.until(lambda: "██░░░ 37%" in run.rows()[0])
        assert "Which title" in run.rows()[0]
        assert ("box" in run.rows()[0]) is (width > 40)


async def test_the_gauge_of_a_chat_that_fills_its_window_is_full() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(head(), token("ok"), done("stop", prompt_eval_count=4000, eval_count=50), end())
        run.app.workspace.connection.window = 4096
        await run.say("hello")
        await run.idle()
        run.app.workspace.connection.window = 4096
        run.chat.server.show_gauge()
        assert run.header.fullness.share > 0.95
