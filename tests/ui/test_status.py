"""The bottom line: what is said there, and which keys stay in view beside it."""

from __future__ import annotations

from itertools import count
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tui_chat.chat.progress import Phase, Progress
from tui_chat.events import Accepted, Delta, Dropped
from tui_chat.ui.phrases import phase, shortened
from tui_chat.ui.widgets import status
from tui_chat.ui.widgets.status import Status, error_rows

from tests.server import ScriptedServer, answer, cut, head, line, reply, token
from tests.ui.kit import driven

LONG = "llama runner process has terminated: exit status 2 " * 8
SIZES = [(40, 10), (80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_an_error_shows_the_key_that_helps_and_that_of_the_help(size: tuple[int, int]) -> None:
    async with ScriptedServer() as server, driven(server, size=size) as run:
        server.script(head(), token("half"), line({"error": LONG}))
        await run.say("go")
        await run.until(lambda: run.status.error)
        await run.idle()
        assert run.shows("F1 help")
        assert run.shows("^R ")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_server_that_refuses_leaves_the_way_to_another_in_view(size: tuple[int, int]) -> None:
    async with ScriptedServer() as server:
        for path in ("/api/tags", "/api/ps", "/api/version", "/v1/models"):
            server.script(answer(401, {"error": "unauthorized"}), path=path)
        async with driven(server, size=size, ready=False) as run:
            await run.until(lambda: run.status.error)
            await run.until(lambda: run.shows("F3 servers") and run.shows("F1 help"))


@given(
    st.integers(20, 120),
    st.integers(2, 4),
    st.sampled_from(["", "short", LONG, "漢字" * 100, "x" * 300]),
    st.sampled_from(["", "Do something.", "Do much about it, and more. " * 3, "y" * 500]),
)
def test_the_rows_of_an_error_fit_and_end_with_two_keys(width: int, height: int, text: str, hint: str) -> None:
    keys = (("^R", "retry", ""), ("^P", "commands", ""), ("F1", "help", ""))
    rows = [row.plain for row in error_rows(Status(text, hint, error=True), keys, width, height)]
    assert len(rows) <= height
    assert all(cell_len(row) <= width for row in rows)
    assert "^R retry" in rows[-1]
    assert rows[-1].endswith("  F1 help")
    if cell_len(hint) + 40 < width * (height - 1):
        assert not hint or hint.split()[-1] in " ".join(rows)
    assert text[:4] in " ".join(rows)


@given(st.integers(0, 20), st.integers(1, 4), st.sampled_from(["Sorry", "x" * 300, "文字 " * 90]), st.text())
def test_the_rows_of_an_error_are_found_in_few_steps_in_however_narrow_a_bar(
    width: int, height: int, text: str, hint: str
) -> None:
    steps = count(1)

    def counted(whole: str, cells: int) -> str:
        assert next(steps) < 200, "it goes on for ever"
        return shortened(whole, cells)

    with patch.object(status, "shortened", counted):
        assert error_rows(Status(text, hint, error=True), (("^R", "retry", ""), ("F1", "help", "")), width, height)


async def test_once_something_is_written_the_key_for_a_new_line_is_shown() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("go")
        await run.idle()
        assert not run.shows("new line")
        await run.pilot.press("a")
        await run.until(lambda: run.shows("^J new line"))
        await run.pilot.press("backspace")
        await run.until(lambda: not run.shows("new line"))


async def test_a_cut_reply_names_the_key_that_continues_it_once() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(head(), token("half"), cut())
        await run.say("go")
        await run.until(lambda: run.status.error)
        await run.idle()
        assert "^R continue " in run.rows()[-1]
        assert sum(row.count("^R") for row in run.rows()) == 1
        assert "again" not in run.status.hint


def test_a_dropped_connection_is_told_until_the_reply_goes_on() -> None:
    progress = Progress(lambda: 0.0)
    progress.enter(Phase.COMMITTING)
    progress.enter(Phase.CONNECTING)
    for event in (Accepted(), Delta("a"), Dropped()):
        progress.take(event)
    assert phase(progress, "tiny") == "connection lost · getting back to the reply"
    progress.take(Delta("b"))
    assert phase(progress, "tiny") == "answering"
