"""Several chats that are answered at once, and what lies between Enter and a request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tui_chat.messages import Role, State
from tui_chat.store.store import Store

from tests.bench.content import tokens
from tests.bench.measures import Figures, percentile, typing
from tests.bench.programs import Marks, Program, Run, running
from tests.bench.serve import Server, Stream

_CTRL_N: Final = "\x0e"
_RATE: Final = 50.0
"""Tokens a second of each chat."""


def sending(server: Server, home: Path, tree: Path, count: int) -> Figures:
    """Send short prompts, one after another: milliseconds from Enter until the request is at the server."""
    with running(Program.OURS, server, home, tree=tree) as run:
        session, delays = run.session, list[float]()
        run.answered(Stream("prose", 20))
        for index in range(count):
            server.stream(Stream("prose", 2, tag="zz"))
            session.key(f"ask{index}")
            assert session.until(lambda text=f"ask{index}": session.sees(text), 10)  # type: ignore[misc]
            session.settle()
            pressed = session.key("\r")
            session.settle()
            delays.append((server.asked() - pressed) * 1000)
        assert min(delays) > 0, "a prompt was not sent"
        return {"enter p50": percentile(delays, 0.5), "enter p95": percentile(delays, 0.95)}


def side_by_side(server: Server, home: Path, chats: int, seconds: float) -> Figures:
    """Let so many chats be answered at once; what the terminal gets, what a token costs, how long a key takes."""
    with running(Program.OURS, server, home) as run:
        run.fill_screen()
        session = run.session
        count = int(_RATE * (seconds + 10 + 2 * chats))
        shown = _ask_in_each(run, chats, count)
        session.until(lambda: shown.last > 50, 20)
        sent, cpu, first = session.total, session.cpu(), shown.last
        session.run(seconds)
        took = {
            "bytes": (session.total - sent) / (shown.last - first),
            "cpu": (session.cpu() - cpu) * 1000 / (seconds * _RATE * chats),
        }
        figures = {**took, **typing(run, 30)}
        assert shown.last < count - 1, "the reply ended before the last key"
        return figures


def at_once(server: Server, home: Path, chats: int, count: int) -> Figures:
    """Let so many chats be answered at once to their ends: how many are whole on disk, and what a token cost."""
    with running(Program.OURS, server, home) as run:
        session = run.session
        run.answered(Stream("prose", 20))
        cpu = session.cpu()
        shown = _ask_in_each(run, chats, count)
        assert session.until(lambda: shown.last >= count - 1, 2 * count / _RATE + 60), session.screen.text()
        session.settle(3.0, 60.0)
        took = (session.cpu() - cpu) * 1000 / (chats * count)
    return {"cpu": took, "whole": asyncio.run(_whole(home, count))}


def _ask_in_each(run: Run, chats: int, count: int) -> Marks:
    """Ask in so many chats, the last of which stays on screen: its marks."""
    marks = run.ask(Stream("mixed", count, _RATE))
    for _ in range(chats - 1):
        run.session.watchers.remove(marks)
        run.session.until(lambda: not run.session.sees("please"), 0.3)
        run.session.key(_CTRL_N)
        run.session.run(0.2)
        marks = run.ask(Stream("mixed", count, _RATE))
    return marks


async def _whole(home: Path, count: int) -> float:
    """How many chats have a whole reply of so many tokens."""
    store = await Store.open(next(home.rglob("*.db")))
    try:
        chats = [await store.load(chat.id) for chat in await store.chats()]
    finally:
        await store.aclose()
    replies = [message for chat in chats for message in chat.messages if message.role is Role.ASSISTANT]
    lengths = len("".join(tokens("mixed", count, "xx")))
    return sum(message.state is State.COMPLETE and len(message.text) == lengths for message in replies)
