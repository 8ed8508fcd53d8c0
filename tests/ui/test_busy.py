"""A server that has too much to do and says when to come back."""

from __future__ import annotations

import pytest
from tui_chat.messages import State
from tui_chat.server import Kind, Server

from tests.server import ScriptedServer, Step, answer, reply
from tests.ui.kit import driven


def busy(seconds: str) -> Step:
    body = {"error": {"message": "slow down", "type": "rate_limit"}}
    return answer(429, body, headers=[("Retry-After", seconds)])


async def test_the_wait_is_counted_down_and_then_it_is_tried_again() -> None:
    async with ScriptedServer() as server, driven(server, size=(110, 24)) as run:
        server.script(busy("2"))
        server.script(*reply("here now"))
        await run.say("go")
        await run.until(lambda: "slow down · retrying in 2 s" in run.status.text)
        await run.until(lambda: "retrying in 1 s" in run.status.text)
        await run.until(lambda: run.shows("here now"))
        await run.idle()
        assert len(server.asked()) == 2
        assert not run.status.error


async def test_escape_ends_the_wait_and_nothing_is_asked_any_more() -> None:
    async with ScriptedServer() as server, driven(server, size=(110, 24)) as run:
        server.script(busy("90"))
        await run.say("go")
        await run.until(lambda: "retrying in 90 s" in run.status.text)
        assert run.shows("Esc gives up")
        await run.pilot.press("escape")
        await run.idle()
        assert run.transcript.entries[-1].message.state is State.STOPPED
        assert (run.status.error, run.status.text) == (False, "stopped")
        assert len(server.asked()) == 1


@pytest.mark.parametrize("kind", [Kind.OLLAMA, Kind.OPENAI])
async def test_an_hour_is_not_waited_for_but_told(kind: Kind) -> None:
    async with ScriptedServer() as server:
        path = "/api/chat" if kind is Kind.OLLAMA else "/v1/chat/completions"
        server.script(busy("3600"), path=path)
        server.script(answer(200, {"data": [{"id": "tiny"}]}), path="/v1/models")
        async with driven(Server(server.url, name="box", kind=kind), size=(110, 24)) as run:
            await run.say("go")
            await run.until(lambda: "slow down" in run.status.text)
            await run.idle()
            assert run.status.error
            assert "in 60 minutes, at " in run.status.hint
            assert len(server.asked(path)) == 1


async def test_a_wish_of_nothing_is_no_reason_to_hammer_the_server() -> None:
    async with ScriptedServer() as server, driven(server, size=(110, 24)) as run:
        server.script(busy("0"))
        await run.say("go")
        await run.until(lambda: "retrying in 1 s" in run.status.text)
        assert len(server.asked()) == 1
        await run.pilot.press("escape")
        await run.idle()
