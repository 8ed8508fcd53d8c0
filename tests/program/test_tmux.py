"""tui-chat in a real tmux: what it copies is there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tui_chat.terminal.pictures import PLACEHOLDER, placeholders

from tests.program.kit import PATIENCE, PROGRAM, Home
from tests.program.test_pictures import keep_a_picture
from tests.server import ScriptedServer, reply

TMUX = shutil.which("tmux") or ""
pytestmark = pytest.mark.skipif(not TMUX, reason="there is no tmux")


class Tmux:
    """A tmux server of its own with one pane."""

    def __init__(self, home: Home) -> None:
        self._socket = str(home.path / "tmux")
        self._environ = home.variables()

    @property
    def command(self) -> tuple[str, ...]:
        """How it is spoken to."""
        return TMUX, "-S", self._socket, "-f", "/dev/null"

    async def __call__(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(*self.command, *arguments),
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


def drawn(output: bytes) -> str:
    """What a terminal shows at the end: tmux draws a cell anew with each mark that joins it."""
    return re.sub(f"{PLACEHOLDER}[^\b{PLACEHOLDER}]*\b", "", output.decode(errors="replace"))


async def test_a_picture_passes_to_the_terminal_outside(home: Home, server: ScriptedServer) -> None:
    await keep_a_picture(home)
    home.configure('pictures = "kitty"')
    async with running(home, "--url", server.url, "--chat", "chat") as tmux:
        await tmux("set", "-g", "allow-passthrough", "on")
        await tmux("set", "-as", "terminal-features", ",*:RGB")
        outside, inside = os.openpty()
        os.set_blocking(outside, False)
        client = await asyncio.create_subprocess_exec(
            *(*tmux.command, "attach"), stdin=inside, stdout=inside, stderr=inside, env=home.variables()
        )
        os.close(inside)
        seen = b""

        def read() -> None:
            nonlocal seen
            seen += os.read(outside, 1 << 16)

        asyncio.get_running_loop().add_reader(outside, read)
        try:
            await tmux.until(lambda shown: "line 39" in shown and "ready" in shown, "capture-pane", "-p")
            await tmux("send-keys", "C-Home")
            await tmux.until(lambda shown: "p.png" in shown, "capture-pane", "-p")
            await tmux("send-keys", "M-Up")
            await tmux.until(lambda shown: "message selected" in shown, "capture-pane", "-p")
            await tmux("send-keys", "M-Up")
            await tmux.until(lambda shown: "▎ you" in shown, "capture-pane", "-p")
            await tmux("send-keys", "p")
            await tmux.until(lambda shown: "· hide" in shown, "capture-pane", "-p")
            async with asyncio.timeout(PATIENCE):
                while not all(row in drawn(seen) for row in placeholders(5, 3)):
                    await asyncio.sleep(0.05)
            assert re.search(b"\x1b_Ga=T,U=1,[^;]*,c=5,r=3,", seen)
        finally:
            asyncio.get_running_loop().remove_reader(outside)
            client.kill()
            await client.wait()
            os.close(outside)
