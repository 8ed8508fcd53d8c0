"""The app as tests drive it: a real server on loopback, a store in memory, a pilot at the keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from tui_chat.config import Config
from tui_chat.server import DEMO, Server
from tui_chat.servers import backend as backends
from tui_chat.servers.backend import Backend
from tui_chat.servers.connection import Discover
from tui_chat.servers.dialects.demo import DemoBackend
from tui_chat.servers.probe import Discovery
from tui_chat.servers.server_file import ServerFile
from tui_chat.store.store import Store
from tui_chat.terminal.colours import Depth
from tui_chat.ui.app import ChatApp
from tui_chat.ui.run import build
from tui_chat.ui.screen import ChatScreen
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, StatusBar
from tui_chat.ui.widgets.transcript import Transcript

from tests.server import ScriptedServer

PATIENCE = 15.0
"""Seconds until a test gives up waiting for something."""


@dataclass
class AppDriver:
    """A running app and what a test looks at."""

    app: ChatApp
    pilot: Pilot[None]

    @property
    def clipboard(self) -> str:
        """What was copied last."""
        return self.app.clipboard

    @property
    def chat(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def transcript(self) -> Transcript:
        return self.chat.query_one(Transcript)

    @property
    def status(self) -> Status:
        return self.chat.query_one(StatusBar).status

    @property
    def header(self) -> Header:
        return self.chat.query_one(Header)

    @property
    def notices(self) -> list[str]:
        """What was said in passing and is still in view: on the rule, and below a list."""
        hints = [str(hint.content) for hint in self.app.screen.query("#picker-hint").results(Static)]
        return [*(notice.plain for notice in self.chat.query_one(Divider).notices), *hints]

    def rows(self) -> list[str]:
        """The screen as text, row by row."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def shows(self, text: str) -> bool:
        """Whether a row of the screen has this text."""
        return any(text in row for row in self.rows())

    def log(self) -> list[str]:
        """The rows of the log alone, without its scrollbar."""
        region = self.transcript.scrollable_content_region
        left, top = self.transcript.region.offset
        return [row[left : left + region.width].rstrip() for row in self.rows()[top : top + region.height]]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        for _ in range(int(PATIENCE / 0.01)):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError("it did not become so; the screen:\n" + "\n".join(self.rows()))

    async def say(self, text: str) -> None:
        """Write a prompt and send it."""
        self.chat.composer.text = text
        await self.pilot.press("enter")

    async def idle(self) -> None:
        """Wait until no reply is on its way and the composer is free."""
        await self.until(lambda: not self.chat.replies.busy)
        await self.pilot.pause()


def gated(monkeypatch: pytest.MonkeyPatch, name: str) -> asyncio.Event:
    """Let a method of the store end only once the event is set."""
    original: Callable[..., Awaitable[Any]] = getattr(Store, name)
    gate = asyncio.Event()

    async def slow(self: Store, *arguments: Any, **fields: Any) -> Any:
        result = await original(self, *arguments, **fields)
        await gate.wait()
        return result

    monkeypatch.setattr(Store, name, slow)
    return gate


async def nothing_found() -> Discovery:
    """A machine on which no server runs."""
    return Discovery(())


@asynccontextmanager
async def driven(
    server: Server | ScriptedServer | None,
    *,
    size: tuple[int, int] = (80, 24),
    config: Config | None = None,
    database: Path | None = None,
    chat: str | None = None,
    resume: bool = False,
    ready: bool = True,
    demo_speed: float = 5000.0,
    discover: Discover = nothing_found,
    added: ServerFile | None = None,
    clock: Callable[[], float] = time.monotonic,
    question: str = "",
    depth: Depth = Depth.TRUE,
) -> AsyncGenerator[AppDriver, None]:
    """The app, talking to a server; None is the built-in demo."""
    if isinstance(server, ScriptedServer):
        server = Server(server.url, name="box")

    def connect(server: Server) -> Backend:
        return DemoBackend(demo_speed) if server == DEMO else backends.connect(server)

    services = Services(
        config or Config(),
        connect,
        discover,
        environ={"TERM": "xterm-256color"},
        demo=server is None,
        clock=clock,
        question=question,
        open_link=None,
        added=added or ServerFile(),
    )
    store = await Store.open(database)
    app = build(services, store, depth=depth)
    if server is not None:
        app.workspace.connection.switch(server)
    await app.workspace.start(chat, resume=resume)
    try:
        async with app.run_test(size=size) as pilot:
            run = AppDriver(app, pilot)
            if ready:
                await run.until(lambda: bool(run.header.model))
                await pilot.pause()
            yield run
    finally:
        await app.workspace.aclose()
