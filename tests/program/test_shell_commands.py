"""`!command` in the whole program: it ends with the program, and an editor is not disturbed by it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.program.kit import CTRL_G, ESCAPE, Home, Program
from tests.server import ScriptedServer
from tests.terminal.test_shell_command import is_alive


async def started(program: Program, folder: Path) -> int:
    """Run a command that has a child in its group: the child's process id."""
    await program.until_shows("tiny")
    file = folder / "pid"
    await program.say("!sleep 100 & echo $! >pid; wait")
    await program.until_shows(" s · Esc ends it")
    await program.until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


async def test_escape_ends_it_with_its_group_and_its_output_can_be_sent(
    home: Home, server: ScriptedServer
) -> None:
    async with home.running("--url", server.url) as program:
        pid = await started(program, home.path)
        program.type(ESCAPE)
        await program.until_shows("(stopped after ", "Output goes along · Esc drops it")
        assert not is_alive(pid)
        program.type(ESCAPE)
        await program.until(lambda: not program.shows("(stopped after "))
        assert await program.quit() == 0
        assert program.unrestored() == []


@pytest.mark.parametrize("way", ["quit", "hang-up", "TERM"])
async def test_it_ends_with_the_program(home: Home, server: ScriptedServer, way: str) -> None:
    async with home.running("--url", server.url) as program:
        pid = await started(program, home.path)
        if way == "quit":
            assert await program.quit() == 0
        elif way == "hang-up":
            program.hang_up()
            program.kill(signal.SIGHUP)
            await program.ended()
        else:
            program.kill(signal.SIGTERM)
            await program.ended()
        assert not is_alive(pid)


async def test_an_editor_has_the_terminal_while_a_command_runs(tmp_path: Path, server: ScriptedServer) -> None:
    finish, editor = tmp_path / "finish", tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys, time\n"
        "print('the editor is here', flush=True)\n"
        f"while not pathlib.Path({str(finish)!r}).exists(): time.sleep(0.02)\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text() + 'and more\\n')\n"
    )
    async with Home(tmp_path, {"VISUAL": f"{sys.executable} {editor}"}).running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("!echo $$ >pid; while :; do echo noise; sleep 0.05; done")
        await program.until_shows("noise", " s · Esc ends it")
        program.type("a draft")
        await program.until_shows("a draft")
        program.type(CTRL_G)
        await program.until(lambda: "the editor is here" in program.output.rpartition("\x1b[?1049l")[2])
        assert is_alive(int((tmp_path / "pid").read_text()))
        assert "noise" not in program.said
        finish.touch()
        await program.until_shows("a draft", "and more")
        assert await program.quit() == 0
        assert not is_alive(int((tmp_path / "pid").read_text()))
        assert program.unrestored() == []
