"""`!command`: the user's own shell commands, and their output in the composer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from tui_chat.ui.widgets.divider import Divider

from tests.server import ScriptedServer, reply
from tests.terminal.test_shell_command import is_alive
from tests.ui.kit import AppDriver, driven


@asynccontextmanager
async def running() -> AsyncIterator[tuple[AppDriver, ScriptedServer]]:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("Fine."))
        yield run, server


def asked(server: ScriptedServer) -> list[dict[str, str]]:
    """The messages of the last request."""
    messages: Any = server.asked()[-1]["messages"]
    return list(messages)


async def ran(run: AppDriver, command: str) -> None:
    """Type a command, run it, and wait for its end."""
    before = run.chat.composer.text.count("```console")
    run.chat.composer.insert(command)
    await run.pilot.press("enter")
    await run.until(lambda: run.chat.composer.text.count("```console") > before)
    await run.pilot.pause()


async def test_the_output_of_a_command_goes_with_the_prompt() -> None:
    async with running() as (run, server):
        await ran(run, "!echo one; exit 3")
        assert run.chat.composer.text.startswith("```console\n$ echo one; exit 3\none\n```\n(exit code 3 after ")
        assert "exit code 3" in run.status.text
        assert run.chat.query_one(Divider).standing == "Output goes along · Esc drops it"
        assert not server.asked()
        await run.pilot.press("w", "h", "y", "?", "enter")
        await run.until(lambda: bool(server.asked()))
        prompt = asked(server)[0]["content"]
        assert prompt.startswith("```console\n$ echo one")
        assert prompt.endswith(" s)\n\nwhy?")
        await run.idle()
        assert run.chat.composer.text == ""


async def test_what_was_typed_meanwhile_stands_after_the_output_and_stays_when_that_is_dropped() -> None:
    async with running() as (run, _):
        run.chat.composer.insert("!echo one; sleep 0.3")
        await run.pilot.press("enter", "h", "i")
        await run.until(lambda: "```console" in run.chat.composer.text)
        assert run.chat.composer.text.endswith(")\n\nhi")
        await run.pilot.press("!", "escape")
        assert run.chat.composer.text == "hi!"
        assert run.chat.query_one(Divider).standing == ""
        await run.pilot.press("ctrl+z")
        assert "```console" in run.chat.composer.text


async def test_a_command_that_is_typed_has_one_sign() -> None:
    async with running() as (run, _):
        await run.pilot.press(*"!ls")
        await run.until(lambda: run.shows("Enter runs it in your shell"))
        assert run.shows("❯ !ls")


async def test_commands_follow_each_other_and_all_outputs_are_dropped_at_once() -> None:
    async with running() as (run, _):
        await ran(run, "!echo one")
        await run.pilot.press("!")
        assert run.chat.query_one(Divider).standing == "Enter runs it in your shell"
        await run.pilot.press("!")
        await ran(run, "")
        text = run.chat.composer.text
        assert text.count("$ echo one\none\n") == 2
        await run.pilot.press("escape")
        assert run.chat.composer.text == ""


async def test_escape_ends_the_command_and_its_group(tmp_path: Path) -> None:
    async with running() as (run, _):
        run.chat.composer.insert(f"!sleep 1000 & echo $! > {tmp_path}/pid; echo started; wait")
        await run.pilot.press("enter")
        await run.until(lambda: run.shows("started") and run.shows(" s · Esc ends it"))
        pid = int((tmp_path / "pid").read_text())
        await run.pilot.press("escape")
        await run.until(lambda: "(stopped after " in run.chat.composer.text)
        assert not is_alive(pid)
        assert not run.shows("ends it")


async def test_one_command_runs_at_a_time_and_the_next_is_kept() -> None:
    async with running() as (run, _):
        run.chat.composer.insert("!sleep 1000")
        await run.pilot.press("enter")
        run.chat.composer.insert("!echo two")
        await run.pilot.press("enter")
        assert run.chat.composer.text == "!echo two"
        assert "A command still runs: Esc ends it." in run.notices
        await run.pilot.press("ctrl+c")
        await run.until(lambda: "(stopped after " in run.chat.composer.text)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("\\!important", "!important"),
        (" !ls", " !ls"),
        ("!important\nis this", "!important\nis this"),
        ("\\n!", "\\n!"),
    ],
)
async def test_what_is_meant_as_text_is_sent(typed: str, sent: str) -> None:
    async with running() as (run, server):
        await run.say(typed)
        await run.until(lambda: bool(server.asked()))
        assert asked(server)[0]["content"] == sent


async def test_a_prompt_with_a_mark_is_not_run_when_it_is_recalled() -> None:
    async with running() as (run, server):
        await run.say("\\!touch")
        await run.until(lambda: bool(server.asked()))
        await run.idle()
        await run.pilot.press("up")
        assert run.chat.composer.text == "\\!touch"
        await run.pilot.press("enter")
        await run.until(lambda: len(server.asked()) == 2)
        assert asked(server)[-1]["content"] == "!touch"


async def test_a_paste_runs_nothing_by_itself_and_a_long_one_not_even_with_enter(tmp_path: Path) -> None:
    async with running() as (run, server):
        run.app.post_message(events.Paste(f"!touch {tmp_path}/short\n\n\x1b[201~\r"))
        await run.until(lambda: "touch" in run.chat.composer.text)
        run.chat.composer.clear()
        run.app.post_message(events.Paste(f"!touch {tmp_path}/long " + "x" * 20_000))
        await run.until(lambda: "touch" in run.chat.composer.text)
        await run.pilot.pause(0.1)
        await run.pilot.press("enter")
        await run.until(lambda: bool(server.asked()))
        assert not list(tmp_path.iterdir())


async def test_a_flood_is_bounded_in_the_composer_and_says_what_is_left_out() -> None:
    async with running() as (run, _):
        await ran(run, "!seq 1 100000")
        assert "bytes in all …]" in run.chat.composer.text
        assert len(run.chat.composer.text) < 33_000
        assert run.chat.composer.document.line_count == 3
        assert "exit code 0" in run.status.text


async def test_output_cannot_act_on_the_terminal() -> None:
    async with running() as (run, _):
        await ran(run, "!printf '\\033]52;c;aGk=\\007\\033[2Jx\\r\\nok\\001'")
        assert "\x1b" not in run.chat.composer.text
        assert "\nx\nok␁\n```" in run.chat.composer.text


async def test_a_shell_that_is_not_there_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as (run, _):
        monkeypatch.setattr("tui_chat.terminal.shell_command.os.pipe", broken)
        run.chat.composer.insert("!ls")
        await run.pilot.press("enter")
        await run.until(lambda: run.status.error)
        assert "cannot run it: Too many open files" in run.status.text


def broken() -> tuple[int, int]:
    raise OSError(24, os.strerror(24))
