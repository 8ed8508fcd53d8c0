"""A whole session as a person has it: start, ask, read, stop, leave, come back."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tui_chat.messages import State

from tests.program.kit import CTRL_C, CTRL_G, CTRL_N, CTRL_O, ESCAPE, PAGE_UP, Home, Program
from tests.server import MODEL, ScriptedServer, answer, done, end, head, reply, stall, token, wait

F9 = "\x1b[20~"
STOP_SECONDS = 3.0
"""Textual waits 0.1 s for the rest of an escape sequence, the socket closes within 0.1 s; the rest is for a busy machine."""


async def test_ask_read_stop_leave_and_come_back(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("A bounded *que"), wait(gate), token("ue* blocks."), done(), end())
    server.script(head(), token("partial words"), stall())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("What is it?")
        await program.until_shows("A bounded que")
        gate.set()
        await program.until_shows("A bounded queue blocks.", "○ done")
        await program.say("And more?")
        await program.until_shows("partial words")
        program.type(ESCAPE)
        await asyncio.wait_for(server.disconnected.wait(), STOP_SECONDS)
        await program.until_shows("■ stopped", "^R continue")
        assert await program.quit() == 0
        assert program.unrestored() == []
        (named,) = re.findall(r"--chat (\w+)", program.said)
        assert "--continue, or tui-chat" in program.said
        assert "Traceback" not in program.output
    (thread,) = await home.threads()
    assert thread.chat.id == named
    assert [(message.text, message.state) for message in thread.branch()] == [
        ("What is it?", State.COMPLETE),
        ("A bounded *queue* blocks.", State.COMPLETE),
        ("And more?", State.COMPLETE),
        ("partial words", State.STOPPED),
    ]
    for again in (["--continue"], ["--chat", named[:12]]):
        async with home.running("--url", server.url, *again) as program:
            await program.until_shows("A bounded queue blocks.", "partial words", "■ stopped")
            program.type(CTRL_C)
            await program.until_shows("Press ^C again to quit.")
            program.type(CTRL_C)
            assert await program.ended() == 0
            assert program.unrestored() == []


@pytest.mark.parametrize("driver", ["", "stock"])
async def test_standard_error_need_not_be_the_terminal(
    home: Home, server: ScriptedServer, tmp_path: Path, driver: str
) -> None:
    home = replace(home, environ={**home.environ, "TUI_CHAT_DRIVER": driver})
    with (tmp_path / "errors").open("w+b") as errors:
        async with home.running("--url", server.url, errors=errors.fileno()) as program:
            await program.until_shows("tiny")
            assert await program.quit() == 0
            assert program.unrestored() == []
        assert b"\x1b" not in (tmp_path / "errors").read_bytes()


async def test_a_terminal_of_few_letters_gets_those_that_it_has(home: Home, server: ScriptedServer) -> None:
    home = replace(home, environ={**home.environ, "TUI_CHAT_DRIVER": "stock", "PYTHONIOENCODING": "latin-1"})
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        assert await program.quit() == 0
        assert program.unrestored() == []


def lines_of(program: Program) -> list[str]:
    """The rows of a log that counts."""
    return [row.split("line ")[1].split()[0] for row in program.rows if "  line " in row]


async def test_draft_place_and_model_come_back(home: Home, server: ScriptedServer) -> None:
    other = {"name": "other:latest", "model": "other:latest", "modified_at": "2020-01-01T00:00:00Z"}
    server.script(answer(200, {"models": [MODEL, other]}), path="/api/tags")
    server.script(*reply(*(f"line {number}\n\n" for number in range(60))))
    async with home.running("--url", server.url, "--model", "other") as program:
        await program.until_shows("other")
        await program.say("count")
        await program.until_shows("line 59", "○ done")
        program.type("a thought not yet sent")
        await program.until_shows("a thought not yet sent")
        program.type(PAGE_UP * 2)
        await program.until(lambda: not program.shows("line 44") and program.shows("more below"))
        log = lines_of(program)
        assert await program.quit() == 0
    async with home.running("--url", server.url, "--continue") as program:
        await program.until_shows("a thought not yet sent", "other")
        await program.until(lambda: lines_of(program) == log)
        assert await program.quit() == 0
    async with home.running("--url", server.url) as program:  # a new chat has none of it but the model
        await program.until_shows("other")
        assert not program.shows("a thought not yet sent")
        assert await program.quit() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_signal_ends_it_at_once_with_everything_kept(
    home: Home, server: ScriptedServer, number: int, code: int
) -> None:
    server.script(head(), token("half of "), token("a reply"), stall())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("half of a reply")
        program.kill(number)
        assert await program.ended() == code
        assert program.unrestored() == []
        assert "--continue, or tui-chat" in program.said
        assert "Traceback" not in program.output
    assert server.disconnected.is_set()
    (message,) = await home.replies()
    assert message.text == "half of a reply"
    assert message.state in (State.STOPPED, State.INTERRUPTED)


async def test_what_is_typed_right_behind_the_key_for_a_new_chat_goes_there(
    home: Home, server: ScriptedServer
) -> None:
    server.script(*reply("First."))
    server.script(*reply("Second."))
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("one")
        await program.until_shows("First.", "○ done")
        program.type(f"a draft{CTRL_N}two\r")  # as a slow line delivers it: all at once
        await program.until_shows("Second.", "○ done")
        assert not program.shows("First.")
        assert await program.quit() == 0
    threads = await home.threads()
    assert [[message.text for message in thread.branch()] for thread in threads] == [
        ["two", "Second."],
        ["one", "First."],
    ]
    assert [thread.chat.draft for thread in threads] == ["", "a draft"]


async def test_an_editor_has_the_terminal_while_a_reply_goes_on_and_its_text_comes_back(
    tmp_path: Path, server: ScriptedServer
) -> None:
    started, finish, editor = tmp_path / "started", tmp_path / "finish", tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys, time\n"
        "print('the editor is here', flush=True)\n"
        f"pathlib.Path({str(started)!r}).touch()\n"
        f"while not pathlib.Path({str(finish)!r}).exists(): time.sleep(0.02)\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text() + 'and \\x1b[31mmore\\n')\n"
    )
    home, gate = Home(tmp_path, {"VISUAL": f"{sys.executable} {editor}"}), asyncio.Event()
    server.script(head(), token("before, "), wait(gate), token("and meanwhile."), done(), end())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("before,")
        program.type("a draft")
        await program.until_shows("a draft")
        program.type(CTRL_G)
        await program.until(started.exists)
        program.kill(signal.SIGINT)  # Ctrl+C goes to all who have the terminal
        gate.set()
        await program.until(lambda: "the editor is here" in program.output.rpartition("\x1b[?1049l")[2])
        finish.touch()
        await program.until_shows("before, and meanwhile.", "a draft", "and ␛[31mmore", "○ done")
        assert await program.quit() == 0
        assert program.unrestored() == []


async def test_an_editor_that_is_not_there_is_said(tmp_path: Path, server: ScriptedServer) -> None:
    home = Home(tmp_path, {"VISUAL": "no-such-editor --wait"})
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type("a draft")
        await program.until_shows("a draft")
        program.type(CTRL_G)
        await program.until_shows("✗", "no-such-editor", "a draft")
        assert await program.quit() == 0


async def test_the_mouse_is_lent_to_the_terminal_until_it_is_taken_back(
    tmp_path: Path, server: ScriptedServer
) -> None:
    home = Home(tmp_path, {"VISUAL": "true"})
    reports = re.compile(r"\x1b\[\?(1000|1002|1006)([hl])")
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        assert dict(reports.findall(program.output)) == dict.fromkeys(("1000", "1002", "1006"), "h")
        program.type(F9)
        await program.until_shows("The mouse is the terminal's · F9 takes it back")
        assert dict(reports.findall(program.output)) == dict.fromkeys(("1000", "1002", "1006"), "l")
        program.type(CTRL_G)  # the editor, which gives the terminal back
        await program.until(lambda: program.output.count("\x1b[?1049h") == 2)
        await program.until_shows("F9 takes it back")
        assert dict(reports.findall(program.output)) == dict.fromkeys(("1000", "1002", "1006"), "l")
        program.type(F9)
        await program.until(lambda: not program.shows("F9 takes it back"))
        assert dict(reports.findall(program.output)) == dict.fromkeys(("1000", "1002", "1006"), "h")
        assert await program.quit() == 0
        assert program.unrestored() == []


@pytest.mark.parametrize("key", ["\x13", CTRL_O, CTRL_G])
async def test_a_key_pressed_right_after_the_editor_s_does_not_leave_the_terminal_to_it(
    tmp_path: Path, server: ScriptedServer, key: str
) -> None:
    async with Home(tmp_path, {"VISUAL": "true"}).running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type(CTRL_G + key)
        await program.until(lambda: program.output.count("\x1b[?1049h") == 2)
        await program.until(lambda: "tiny" in program.output.rpartition("\x1b[?1049h")[2])
        assert await program.quit() == 0
        assert program.unrestored() == []
