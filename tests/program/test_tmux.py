"""tui-chat in a real tmux: what it copies is there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.program.kit import PATIENCE, PROGRAM, Home
from tests.server import ScriptedServer, reply

TMUX = shutil.which("tmux") or ""
pytestmark = pytest.mark.skipif(not TMUX, reason="there is no tmux")


class Tmux:
    """A tmux server of its own with one pane."""

    def __init__(self, home: Home) -> None:
        self._socket = str(home.path / "tmux")
        self._environ = home.variables()

    async def __call__(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(TMUX, "-S", self._socket, "-f", "/dev/null", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environ,
        )
        output, _ = await process.communicate()
        return output.decode()

    async def until(self, true: Callable[[str], object], *arguments: str) -> str:
        """Ask until the answer is so."""
        answer = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while not true(answer):
                    await asyncio.sleep(0.05)
                    answer = await self(*arguments)
        except TimeoutError:
            raise AssertionError(f"it did not become so:\n{answer}") from None
        return answer


@asynccontextmanager
async def running(home: Home, *arguments: str) -> AsyncIterator[Tmux]:
    """tui-chat in a tmux with its default settings."""
    tmux = Tmux(home)
    try:
        await tmux("new-session", "-d", "-x", "120", "-y", "30", str(PROGRAM), *arguments)
        yield tmux
    finally:
        await tmux("kill-server")


TEXT = "One:\n\n```sh\nls -l\n```\n\nTwo.\n"


async def test_copies_arrive_in_its_buffer_and_say_so(home: Home, server: ScriptedServer) -> None:
    server.script(*reply(TEXT))
    async with running(home, "--url", server.url, "go") as tmux:
        await tmux.until(lambda shown: "Two." in shown and "#1  c copy" in shown, "capture-pane", "-p")
        await tmux("send-keys", "M-c")
        shown = await tmux.until(lambda shown: "Copied" in shown, "capture-pane", "-p")
        assert f"Copied the message: {len(TEXT)} B by tmux, to its buffer and the terminal." in shown
        assert await tmux.until(bool, "show-buffer") == TEXT
        await tmux("send-keys", "M-Up")
        await tmux.until(lambda shown: "code block 1 selected" in shown, "capture-pane", "-p")
        await tmux("send-keys", "c")
        await tmux.until(lambda buffer: buffer == "ls -l\n", "show-buffer")


async def test_where_tmux_does_not_take_it_a_copy_goes_out_as_osc_52(
    tmp_path: Path, server: ScriptedServer
) -> None:
    other = tmp_path / "bin" / "tmux"
    other.parent.mkdir()
    home = Home(tmp_path, {"PATH": f"{other.parent}:/usr/bin:/bin"})
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    server.script(*reply(TEXT))
    async with running(home, "--url", server.url, "go") as tmux:
        await tmux("set", "-g", "set-clipboard", "on")
        await tmux.until(lambda shown: "Two." in shown, "capture-pane", "-p")
        await tmux("send-keys", "M-c")
        shown = await tmux.until(lambda shown: "Copied" in shown, "capture-pane", "-p")
        assert f"Copied the message: {len(TEXT)} B by OSC 52 through tmux." in shown
        assert await tmux.until(bool, "show-buffer") == TEXT
