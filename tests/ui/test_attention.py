"""Notices and titles: who looks elsewhere hears when a long reply has ended, and nobody else does."""

from __future__ import annotations

import asyncio

import pytest
from tui_chat.config import Config
from tui_chat.terminal.textual_private import driver_of
from tui_chat.ui import attention

from tests.server import ScriptedServer, done, end, head, stall, token, wait
from tests.ui.kit import AppDriver, driven

BELL = "\x07"


def told(run: AppDriver, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the terminal is told from now on."""
    written: list[str] = []
    assert run.app.attention is not None
    monkeypatch.setattr(run.app.attention, "_environ", {"TERM": "xterm-256color"})
    monkeypatch.setattr(driver_of(run.app), "write", written.append)
    return written


async def answered(run: AppDriver, server: ScriptedServer, *, elsewhere: bool = False) -> None:
    gate = asyncio.Event()
    server.script(head(), token("Well"), wait(gate), done(), end())
    await run.say("a question")
    await run.until(lambda: run.shows("Well"))
    assert run.app.attention is not None
    run.app.attention.look()
    if elsewhere:
        await run.pilot.press("ctrl+n")
    gate.set()
    await run.until(lambda: not run.chat.workspace.replying)
    run.app.attention.look()


@pytest.mark.parametrize(
    ("focused", "elsewhere", "seconds", "rings"),
    [(False, False, 0.0, True), (True, False, 0.0, False), (True, True, 0.0, True), (False, False, 3600.0, False)],
    ids=["not in focus", "in focus", "another chat", "a short one"],
)
async def test_a_long_reply_that_ends_unseen_is_told(
    monkeypatch: pytest.MonkeyPatch, focused: bool, elsewhere: bool, seconds: float, rings: bool
) -> None:
    monkeypatch.setattr(attention, "LONG_SECONDS", seconds)
    async with ScriptedServer() as server, driven(server) as run:
        written = told(run, monkeypatch)
        run.app.on_app_focus() if focused else run.app.on_app_blur()
        await answered(run, server, elsewhere=elsewhere)
        assert (BELL in written) is rings


async def test_the_title_names_the_phase_and_is_sent_only_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        written = told(run, monkeypatch)
        server.script(head(), token("Well"), stall())
        await run.say("a question")
        await run.until(lambda: run.shows("Well"))
        assert run.app.attention is not None
        for _ in range(3):
            run.app.attention.look()
        titles = [text for text in written if text.startswith("\x1b]2;")]
        assert titles[-1] == f"\x1b]2;● answering · tui-chat{BELL}"
        assert len(titles) == len(set(titles))


async def test_switched_off_nothing_is_told() -> None:
    async with driven(None, config=Config(notify="off")) as run:
        assert run.app.attention is None
