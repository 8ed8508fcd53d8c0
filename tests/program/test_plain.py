"""`--plain`: line by line, in a terminal and between pipes; and `--print-on-exit`."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tui_chat.messages import State
from tui_chat.shell.plain_commands import COMMANDS
from tui_chat.ui.commands.table import BY_SLASH

from tests.program.kit import CTRL_C, PATIENCE, PROGRAM, Home
from tests.server import ScriptedServer, answer, head, reply, stall, token

CTRL_D = "\x04"


async def piped(home: Home, typed: str, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), "--plain", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=home.variables(),
    )
    async with asyncio.timeout(PATIENCE):
        output, error = await process.communicate(typed.encode("utf-8", "surrogateescape"))
    assert process.returncode is not None
    return process.returncode, output.decode(), error.decode()


def test_its_commands_are_named_as_on_the_screen() -> None:
    assert set(COMMANDS) <= set(BY_SLASH)


def test_it_loads_no_textual() -> None:
    code = "import sys, tui_chat.shell.plain; sys.exit(any(name.startswith('textual') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_between_pipes_each_line_is_a_prompt_or_a_command(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("One \x1b[31mfine\x1b[0m answer."))
    typed = 'hello\n"""two\nlines"""\n/rename a title\n/chats\n/model\n/nosuch\n//sent \udcff\n/bye\nnever\n'
    code, output, error = await piped(home, typed, "--url", server.url)
    assert code == 0
    assert output.count("One ␛[31mfine␛[0m answer.") == 3
    assert "\x1b" not in output + error
    assert "a title" in output
    assert "* tiny:latest" in output
    assert "There is no command /nosuch." in error
    (thread,) = await home.threads()
    prompts = [message.text for message in thread.branch()[::2]]
    assert prompts == ["hello", "two\nlines", "/sent \ufffd"]


async def test_a_server_that_is_not_there_is_said_and_the_prompt_is_kept(home: Home) -> None:
    code, output, error = await piped(home, "hello\n", "--url", "http://127.0.0.1:9")
    assert (code, output) == (0, "")
    assert "127.0.0.1:9" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"NO_COLOR": "1"}])
async def test_in_a_terminal_ctrl_c_stops_the_reply_and_ctrl_d_leaves(
    tmp_path: Path, server: ScriptedServer, environ: dict[str, str]
) -> None:
    home = Home(tmp_path, environ)
    server.script(head(), token("partial words"), stall())
    arguments = [] if environ.get("TERM") == "dumb" else ["--plain"]
    async with home.running(*arguments, "--url", server.url) as program:
        await program.until(lambda: "/help lists the commands." in program.output)
        assert ("TERM=xterm-256color tui-chat" in program.output) is (environ.get("TERM") == "dumb")
        program.type("go\r")
        await program.until(lambda: "partial words" in program.output)
        program.type(CTRL_C)
        await asyncio.wait_for(server.disconnected.wait(), PATIENCE)
        await program.until(lambda: program.output.endswith("(stopped)\r\n> "))
        for _ in range(100):
            if program.output.endswith("Ctrl+D or /bye leaves.\r\n> "):
                break
            program.type("half")  # Ctrl+C may drop the key that readline was about to read: it waits for the next
            await asyncio.sleep(0.2)
            program.type(CTRL_C)
            await asyncio.sleep(0.2)
        else:
            pytest.fail(program.output)
        async with asyncio.timeout(PATIENCE):
            while program.process.returncode is None:
                program.type(CTRL_D)  # a late Ctrl+C may drop one
                await asyncio.sleep(0.2)
        assert await program.ended() == 0
        assert program.unrestored() == []
        assert f"Continue with: tui-chat --plain --url {server.url} --continue, or " in program.output
        moves = re.sub(r"\x1b\[\?2004[hl]", "", program.output)  # readline's bracketed paste
        assert "\x1b" not in (program.output if environ.get("TERM") == "dumb" else moves)
    (message,) = await home.replies()
    assert (message.text, message.state) == ("partial words", State.STOPPED)


async def test_ctrl_c_pressed_again_and_again_at_the_prompt_does_not_end_it(
    home: Home, server: ScriptedServer
) -> None:
    async with home.running("--plain", "--url", server.url) as program:
        await program.until(lambda: program.output.endswith("> "))
        for _ in range(200):
            program.kill(signal.SIGINT)
            await asyncio.sleep(0.002)
        assert program.process.returncode is None
        program.type("/bye\r")
        assert await program.ended() == 0


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}])
async def test_a_line_that_was_entered_is_read_though_python_notices_a_ctrl_c_only_then(
    tmp_path: Path, server: ScriptedServer, environ: dict[str, str]
) -> None:
    arguments = [] if environ.get("TERM") == "dumb" else ["--plain"]
    async with Home(tmp_path, environ).running(*arguments, "--url", server.url) as program:
        await program.until(lambda: program.output.endswith("> "))
        program.kill(signal.SIGSTOP)  # as a busy machine does it: the signal and the line are there at once
        program.kill(signal.SIGINT)
        program.type("/bye\r")
        program.kill(signal.SIGCONT)
        assert await program.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_it_and_what_came_is_kept(home: Home, server: ScriptedServer, number: int) -> None:
    server.script(head(), token("partial words"), stall())
    async with home.running("--plain", "--url", server.url, "go") as program:
        await program.until(lambda: "partial words" in program.output)
        program.kill(number)
        assert await program.ended() == 128 + number
    (message,) = await home.replies()
    assert (message.text, message.state) == ("partial words", State.STOPPED)


@pytest.mark.parametrize("plain", [[], ["--plain"]])
async def test_the_last_line_is_a_command_that_finds_the_chat_again(
    home: Home, server: ScriptedServer, plain: list[str]
) -> None:
    server.script(*reply("An answer."))
    config, data = home.path / "my config", home.path / "my chats"
    config.write_text("")
    where = ["--config", str(config), "--data-dir", str(data), "--url", server.url]
    async with home.running(*plain, *where, "my question") as program:
        if plain:
            await program.until(lambda: program.output.endswith("An answer.\r\n> "))
            program.type("/bye\r")
            assert await program.ended() == 0
        else:
            await program.until_shows("An answer.", "○ done")
            assert await program.quit() == 0
        last, one = program.said.strip().splitlines()[-1].removeprefix("Continue with: ").split(", or ")
    assert shlex.split(last) == ["tui-chat", *plain, *where, "--continue"]
    *command, chat = shlex.split(one)
    assert command == ["tui-chat", *plain, *where, "--chat"]
    async with home.running(*command[1:], chat) as program:
        if plain:
            await program.until(lambda: "you: my question" in program.output)
        else:
            await program.until_shows("my question", "An answer.")


async def test_the_chat_stays_in_the_scrollback_if_that_is_wanted(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("A **bold** answer.\n\n- one\n- two\n"))
    async with home.running("--print-on-exit", "--url", server.url, "my question") as program:
        await program.until_shows("A bold answer.", "○ done")
        assert await program.quit() == 0
        rows = [row.rstrip() for row in program.said.split("\n")]
        assert "my question" in rows
        assert "A bold answer." in rows
        assert "Continue with:" in rows[-2]
        assert program.unrestored() == []


async def test_what_was_not_sent_is_in_the_scrollback_too(home: Home, server: ScriptedServer) -> None:
    server.script(head(), token("It begins."), stall())
    async with home.running("--print-on-exit", "--url", server.url, "my question") as program:
        await program.until_shows("It begins.")
        program.type("it waits\r")
        await program.until_shows("1 it waits")
        program.type("I was writing")
        await program.until_shows("❯ I was writing")
        assert await program.quit() == 0
        rows = [row.strip() for row in program.said.split("\n")]
        end = [row for row in rows[rows.index("It begins.") :] if row]
        assert end[1:-1] == [
            "(stopped)", "You · waiting, not sent", "it waits", "You · draft, not sent", "I was writing",
        ]  # fmt: skip


async def test_what_is_set_is_sent_shown_and_kept_as_a_preset(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("A fine answer."))
    server.script(answer(200, {"license": "MIT, in short"}), path="/api/show")
    typed = (
        "/set parameter temperature 0.2\n/set system Be brief.\n/set nothink\n/set format json\nhello\n/find FINE\n"
        "/show\n/save brief\n/new\n/load brief\n/set noformat\nagain\n/delete\n/preset\n/think\n"
        "/set parameter tempreture 1\n/set parameter\n/show nothing\n/copy 2\n/set verbose\n/set seed 9\n"
    )
    code, output, error = await piped(home, typed, "--url", server.url)
    assert code == 0
    first, again = (json.loads(each.body) for each in server.requests if each.path == "/api/chat")
    assert first["options"] == {"temperature": 0.2}
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (first["format"], first["think"]) == ("json", False)
    assert (again["options"], again["messages"][0]) == (first["options"], first["messages"][0])
    assert "format" not in again
    for shown in (
        "temperature: 0.2.",
        "MIT, in short",
        "PARAMETER temperature 0.2",
        "uses the preset brief.",
        "\nbrief\n",
    ):
        assert shown in output
    assert "tiny:latest: A fine answer." in output
    for said in ("'temperature'", "needs more: /set parameter name value", "does not know nothing"):
        assert said in error
    assert "/copy needs the full screen." in error
    assert "/set verbose needs the full screen." in error
    assert "After /set comes one of: format, noformat, nothink, parameter, system, think." in error
    (kept,) = await home.threads()
    assert kept.chat.parameters.temperature == 0.2


async def test_a_summary_goes_along_with_the_first_prompt_of_a_new_chat(
    home: Home, server: ScriptedServer
) -> None:
    server.script(*reply("In short: @/etc/hostname is fine."))
    assert (await piped(home, "/summary\nhello\n/summary\ngo on\n", "--url", server.url))[0] == 0
    *_, last = (json.loads(each.body) for each in server.requests if each.path == "/api/chat")
    (prompt,) = last["messages"]
    assert prompt["content"].startswith("go on")
    assert "In short: @/etc/hostname is fine." in prompt["content"]
    thread, _ = await home.threads()
    assert [file.name for file in thread.branch()[0].files] == ["Summary"]


async def test_a_shell_command_runs_live_and_goes_along_or_is_dropped(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("answer"))
    async with home.running("--plain", "--url", server.url) as program:
        await program.until(lambda: "/help lists the commands." in program.output)
        program.type("!printf 'gone\\n'\r")
        await program.until(lambda: "goes along with your next prompt" in program.output)
        program.type("!\r")
        await program.until(lambda: "Nothing goes along" in program.output)
        program.type("!printf 'one\\033]0;title\\007\\ntwo'; yes xyz | head -c 50000 | tr -d '\\n'; sleep 100\r")
        await program.until(lambda: "\r\none\r\n" in program.output)
        await program.until(lambda: "twoxyzxyz" in program.output)  # a line without end is not held back for ever
        program.type(CTRL_C)
        await program.until(lambda: "(stopped)" in program.output)
        assert "\x1b]0" not in program.output
        program.type("!printf 'last @/etc/hostname'; exit 3\r")
        await program.until(lambda: "(exit code 3 after" in program.output)
        program.type("what is it\r")
        await program.until(lambda: program.output.endswith("answer\r\n> "))
        program.type("/bye\r")
        assert await program.ended() == 0
    body = next(json.loads(each.body) for each in server.requests if each.path == "/api/chat")
    (prompt,) = body["messages"]
    assert prompt["content"].startswith(
        "what is it\n\n!printf 'last @/etc/hostname'; exit 3:\n```\nlast @/etc/hostname"
    )
    assert "gone" not in prompt["content"]


async def test_what_is_piped_runs_nothing(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("answer"))
    assert (await piped(home, f"!touch {home.path}/ran\n", "--url", server.url))[0] == 0
    assert not (home.path / "ran").exists()
    (thread,) = await home.threads()
    assert thread.branch()[0].text == f"!touch {home.path}/ran"
