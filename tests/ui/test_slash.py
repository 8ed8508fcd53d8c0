"""Slash commands: what is a command and what a prompt, and that no text is lost whichever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.ui.commands.slash import is_command, is_open, prompt_of, split, typed_as
from tui_chat.ui.commands.table import BY_SLASH

from tests.server import ScriptedServer, reply
from tests.ui.kit import AppDriver, driven

Q = '"' * 3
LINES = st.lists(st.sampled_from(["/", "//", " ", "\n", "set", "/set system", "new", "a", "é", Q, '"', "\t"])).map(
    "".join
)


@given(st.text() | LINES)
def test_every_prompt_can_be_typed(prompt: str) -> None:
    text = typed_as(prompt)
    assert not is_command(text)
    assert prompt_of(text) == prompt
    assert not is_open(text)


@given(st.text() | LINES)
def test_splitting_never_fails_and_loses_only_blanks(text: str) -> None:
    if is_command(text):
        name, rest = split(text, {*BY_SLASH, "/set system"})
        assert "".join((name + rest).lower().split()) == "".join(text.lower().split())
        assert name.startswith("/")


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/new", "/new", ""),
        ("/NEW", "/new", ""),
        ("/model  qwen3:4b ", "/model", "  qwen3:4b "),
        ("/set   system You are  kind", "/set system", " You are  kind"),
        ("/set temperature 1", "/set", " temperature 1"),
        ("/etc/passwd is what?", "/etc/passwd", " is what?"),
        ("/", "/", ""),
    ],
)
def test_the_longest_known_name_is_the_command(text: str, name: str, rest: str) -> None:
    assert split(text, {"/set", "/set system", "/new", "/model"}) == (name, rest)


@pytest.mark.parametrize("text", ["a /new", " /new", "//new", "/new\nline", ""])
def test_all_else_is_a_prompt(text: str) -> None:
    assert not is_command(text)


@pytest.mark.parametrize(
    ("text", "is_unfinished", "prompt"),
    [
        (Q, True, ""),
        (f"{Q}One", True, ""),
        (f"{Q}\ntwo", True, ""),
        (f"{Q}One\ntwo{Q}", False, "One\ntwo"),
        (f"{Q}\none\n{Q}", False, "\none\n"),
        (f"{Q}one{Q}", False, "one"),
        (f"{Q}Docstring.{Q}\nimport os", False, f"{Q}Docstring.{Q}\nimport os"),
        (f"say {Q}", False, f"say {Q}"),
    ],
)
def test_three_quotes_hold_lines_together(text: str, is_unfinished: bool, prompt: str) -> None:
    assert is_open(text) is is_unfinished
    assert is_unfinished or prompt_of(text) == prompt


def said(run: AppDriver) -> list[str]:
    return [entry.message.text for entry in run.transcript.entries]


async def test_a_command_is_carried_out_and_not_sent() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("answer"))
        await run.say("question")
        await run.idle()
        await run.say("/clear")
        await run.until(lambda: not run.transcript.entries)
        assert run.chat.composer.text == ""
        assert [chat.title for chat in await run.app.workspace.store.chats()] == ["question"]
        await run.say("/chats question")
        await run.until(lambda: said(run) == ["question", "answer"])


async def test_an_unknown_command_is_not_sent_and_the_nearest_is_named() -> None:
    async with driven(None) as run:
        await run.say("/modle x")
        await run.until(lambda: any("/model?" in notice for notice in run.notices))
        assert run.chat.composer.text == "/modle x"
        assert not run.transcript.entries


@pytest.mark.parametrize("way", ["again", "slash"])
async def test_a_path_is_sent_at_a_second_enter_or_behind_a_second_slash(way: str) -> None:
    prompt = "/etc/passwd is what?"
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("a file"))
        if way == "again":
            await run.say(prompt)
            await run.until(lambda: any("no command /etc/passwd" in notice for notice in run.notices))
            await run.pilot.press("enter")
        else:
            await run.say(f"/{prompt}")
        await run.until(lambda: said(run) == [prompt, "a file"])
        await run.idle()
        await run.pilot.press("up")
        await run.until(lambda: run.chat.composer.text == f"/{prompt}")  # as it would have to be typed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/new one", "Nothing can follow /new"),
        ("/theme nosuch", "no theme nosuch"),
        ("/chats nosuch", "No chat's title has nosuch"),
        ("/model nosuch", "demo has no model nosuch"),
        ("/load nosuch", "demo has no model nosuch"),
        ("/set nosuch", "After /set comes one of: format, noformat"),
    ],
)
async def test_the_text_stays_when_a_command_fails(text: str, told: str) -> None:
    async with driven(None) as run:
        await run.say(text)
        await run.until(lambda: told in run.status.text)
        assert run.chat.composer.text == text
        await run.pilot.press("x")
        assert run.chat.composer.text == f"{text}x"


async def test_the_complaint_of_a_command_goes_with_the_next_one() -> None:
    async with driven(None) as run:
        await run.say("/theme nosuch")
        await run.until(lambda: "no theme nosuch" in run.status.text)
        run.chat.composer.clear()
        await run.say("/theme nord")
        await run.until(lambda: run.app.theme == "nord")
        await run.until(lambda: not run.status.error)


async def test_commands_work_while_a_reply_runs_and_prompts_that_wait_are_prompts(tmp_path: Path) -> None:
    async with driven(None, demo_speed=1.0, database=tmp_path / "chats.db") as run:
        await run.say("Hello")
        await run.until(lambda: run.chat.replies.busy)
        await run.say("//etc waits")
        await run.until(lambda: run.app.workspace.current.queue == ("/etc waits",))
        await run.say("/stop")
        await run.idle()
        await run.say("/unqueue")
        await run.until(lambda: run.chat.composer.text == "//etc waits")


async def test_the_highlighted_name_is_carried_out_by_enter() -> None:
    async with driven(None) as run:
        await run.pilot.press(*"/hel", "enter")
        await run.until(lambda: len(run.app.screen_stack) == 2)
        assert run.chat.composer.text == ""


async def test_an_edited_prompt_that_begins_with_a_slash_stays_a_prompt() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("one"))
        server.script(*reply("two"))
        await run.say("//new")
        await run.idle()
        await run.pilot.press("shift+tab", "up", "e")
        await run.until(lambda: run.chat.composer.text == "//new")
        await run.pilot.press("enter")
        await run.until(lambda: said(run) == ["/new", "two"])


async def test_enter_starts_lines_between_three_quotes() -> None:
    async with driven(None) as run:
        await run.pilot.press(*Q, "a", "enter", "b", "enter")
        await run.until(lambda: any("a line ends with" in notice for notice in run.notices))
        await run.pilot.press(*Q, "enter")
        await run.until(lambda: said(run)[:1] == ["a\nb"])
