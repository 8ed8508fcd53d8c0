"""A connection that breaks before the first token is tried again by itself, visibly, and Esc stops that."""

from __future__ import annotations

import time

from tui_chat.messages import Role, State

from tests.server import ScriptedServer, cut, head, reply, token
from tests.ui.kit import driven


def hurried() -> float:
    """A clock by which pauses take a second at most."""
    return 100 * time.monotonic()


async def test_it_is_tried_again_until_the_server_answers_and_the_bar_says_so() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30), clock=hurried) as run:
        server.script(cut())
        server.script(head(), cut())
        server.script(*reply("Here I am."))
        await run.say("go")
        await run.until(lambda: run.status.error and "closed the connection" in run.status.text)
        assert "retrying in" in run.status.text
        assert run.status.hint == "Esc gives up."
        await run.until(lambda: run.shows("Here I am."))
        await run.idle()
        assert len(server.asked()) == 3
        assert not run.status.error
        ended = run.transcript.entries[-1].message
        assert (ended.state, ended.error) == (State.COMPLETE, "")


async def test_escape_stops_the_trying() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(cut())
        await run.say("go")
        await run.until(lambda: "retrying in" in run.status.text)
        await run.pilot.press("escape")
        await run.idle()
        await run.until(lambda: "stopped" in run.status.text)
        assert len(server.asked()) == 1
        assert [entry.message.role for entry in run.transcript.entries] == [Role.USER, Role.ASSISTANT]


async def test_after_the_first_token_it_never_repeats_by_itself() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30), clock=hurried) as run:
        server.script(head(), token("half"), cut())
        await run.say("go")
        await run.idle()
        assert "retrying in" not in run.status.text
        assert len(server.asked()) == 1
        assert run.transcript.entries[-1].message.state is State.INTERRUPTED
