"""`tui-chat ask`, as a shell runs it: what it sends, what it prints, what it keeps, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tui_chat.attachments.reading import FILE_LIMIT
from tui_chat.messages import Role, State

from tests.program.kit import CTRL_C, PATIENCE, PROGRAM, Home
from tests.server import (
    MODEL,
    ScriptedServer,
    Step,
    answer,
    cut,
    done,
    end,
    head,
    line,
    reply,
    stall,
    thought,
    token,
    wait,
)

OK, FAILED, USAGE, CUT = 0, 1, 2, 3
PLAIN = "What is a queue?"

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""


@asynccontextmanager
async def asking(
    home: Home, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """A running `ask` between pipes; nothing is left of it."""
    variables = {**home.variables(), **(environ or {})}
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "ask", *arguments, stdin=stdin, stdout=PIPE, stderr=PIPE, env=variables
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ask(home: Home, *arguments: str, piped: bytes | None = None, **environ: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    stdin = asyncio.subprocess.DEVNULL if piped is None else PIPE
    async with asking(home, *arguments, stdin=stdin, environ=environ) as process, asyncio.timeout(PATIENCE):
        output, error = await process.communicate(piped)
        assert process.returncode is not None
        return process.returncode, output.decode(), error.decode()


CLOUD = {**MODEL, "name": "big:120b-cloud", "model": "big:120b-cloud", "remote_host": "https://ollama.com:443"}


async def test_a_model_that_runs_elsewhere_is_asked_only_if_that_was_agreed_to(
    home: Home, server: ScriptedServer
) -> None:
    server.script(answer(200, {"models": [CLOUD]}), path="/api/tags")
    server.script(*reply("From afar."))
    arguments = ("--url", server.url, "a secret")
    code, output, error = await ask(home, *arguments)
    assert (code, output) == (USAGE, "")
    assert "big:120b-cloud runs at ollama.com: what you write to it leaves this machine." in error
    assert "--cloud" in error
    assert not server.asked()
    assert (await ask(home, "--cloud", *arguments))[:2] == (OK, "From afar.")
    assert (await ask(home, *arguments))[0] == USAGE  # the flag is for one run
    async with home.running("ask", *arguments) as program:  # at a terminal it is asked
        await program.until(lambda: program.output.endswith("do not ask again? [y/N] "))
        program.type("\r")
        assert await program.ended() == USAGE
    assert len(server.asked()) == 1
    async with home.running("--plain", "--url", server.url) as program:
        await program.until(lambda: "/help lists the commands." in program.output)
        program.type("hi\r")
        await program.until(lambda: program.output.endswith("do not ask again? [y/N] "))
        program.type(CTRL_C)
        await program.until(lambda: program.output.endswith("(stopped)\r\n> "))
        program.type("hi\r")
        await program.until(lambda: program.output.endswith("do not ask again? [y/N] "))
        program.type("y\r")
        await program.until(lambda: program.output.endswith("From afar.\r\n> "))
        program.type("and more\r")
        await program.until(lambda: program.output.count("From afar.") == 2)
    assert (await ask(home, "--no-save", *arguments))[:2] == (OK, "From afar.")
    assert (await ask(home, *arguments))[:2] == (OK, "From afar.")


async def first_bytes(process: Process, text: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert await process.stdout.readexactly(len(text.encode())) == text.encode()


async def stopped(process: Process, number: int) -> tuple[int, str, str]:
    process.send_signal(number)
    async with asyncio.timeout(PATIENCE):
        output, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), error.decode()


def prompt_of(server: ScriptedServer) -> str:
    """The last prompt that the server was sent."""
    messages: Any = server.asked()[-1]["messages"]
    return str(messages[-1]["content"])


# What is asked


async def test_a_question_is_answered_printed_and_kept(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("A line", " that waits."))
    code, output, error = await ask(home, "--url", server.url, "What is", "a queue?")
    assert (code, output, error) == (OK, "A line that waits.", "")
    assert prompt_of(server) == PLAIN
    (thread,) = await home.threads()
    assert [(message.role, message.text, message.state) for message in thread.messages] == [
        (Role.USER, PLAIN, State.COMPLETE),
        (Role.ASSISTANT, "A line that waits.", State.COMPLETE),
    ]
    assert thread.chat.title == PLAIN
    assert thread.messages[1].usage is not None


@pytest.mark.parametrize(
    ("words", "piped", "sent"),
    [
        (["review", "this"], b"- old\n+ new\n", "review this\n\n```\n- old\n+ new\n```"),
        ([], b"What is a queue?\n", PLAIN),
        (["why?"], b"", "why?"),
        (["why?"], b"```\nin it\n```\n", "why?\n\n````\n```\nin it\n```\n````"),
        ([], b"\xef\xbb\xbfa\r\nb\x1b[2J", "a\nb␛[2J"),
    ],
)
async def test_what_is_piped_in_follows_the_words(
    home: Home, server: ScriptedServer, words: list[str], piped: bytes, sent: str
) -> None:
    server.script(*reply("Yes."))
    assert (await ask(home, "--url", server.url, *words, piped=piped))[0] == OK
    assert prompt_of(server) == sent


async def test_a_picture_is_sent_as_one_and_kept_with_the_prompt(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("A dot."))
    server.script(answer(200, {"models": [{**MODEL, "capabilities": ["completion", "vision"]}]}), path="/api/tags")
    server.script(answer(200, {"models": [MODEL]}), path="/api/tags")
    dot, broken = home.path / "dot.png", home.path / "broken.png"
    dot.write_bytes(PNG)
    broken.write_bytes(PNG[:40])
    assert (await ask(home, "--url", server.url, "what is it?", "-f", str(dot)))[:2] == (OK, "A dot.")
    message: Any = server.asked()[0]["messages"][0]  # type: ignore[index]
    assert (message["content"], message["images"]) == ("what is it?", [base64.b64encode(PNG).decode()])
    (thread,) = await home.threads()
    assert [file.name for file in thread.messages[0].files] == [str(dot)]
    error = (await ask(home, "--url", server.url, "what is it?", "-f", str(broken)))[2]
    assert "is a broken picture" in error
    code, output, error = await ask(home, "--url", server.url, "what is it?", "-f", str(dot))
    assert (code, output, error) == (
        USAGE,
        "",
        "tui-chat: tiny:latest cannot see pictures.\n  -m chooses another model.\n",
    )
    assert len(server.asked()) == 1  # nothing was sent


async def test_files_are_sent_with_their_names_in_fences(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    code, notes = home.path / "queue.py", home.path / "notes"
    code.write_text("print('`````')\n")
    notes.write_text("no newline")
    await ask(home, "--url", server.url, "explain", "-f", str(code), "--file", str(notes), piped=b"more\n")
    fence = "`" * 6
    assert prompt_of(server) == "\n\n".join(
        [
            "explain",
            f"{code}:\n{fence}py\nprint('`````')\n{fence}",
            f"{notes}:\n```\nno newline\n```",
            "```\nmore\n```",
        ]
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04\x00\x00", "is binary"), (b"\xff\x41", "is not UTF-8 text"), (None, "No such file")],
)
async def test_files_that_are_no_text_are_refused_with_the_reason(
    home: Home, server: ScriptedServer, content: bytes | None, words: str
) -> None:
    file = home.path / "file"
    if content is not None:
        file.write_bytes(content)
    code, output, error = await ask(home, "--url", server.url, "explain", "-f", str(file))
    assert (code, output) == (USAGE, "")
    assert words in error
    assert str(file) in error
    assert not server.requests
    assert (await ask(home, "--url", server.url, "x", "-f", str(home.path)))[0] == USAGE


async def test_input_that_does_not_end_is_said_to_be_waited_for(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    async with asking(home, "--url", server.url, "x", stdin=PIPE) as process, asyncio.timeout(PATIENCE):
        assert process.stderr is not None
        assert process.stdin is not None
        assert b"</dev/null" in await process.stderr.readline()
        process.stdin.close()
        assert await process.communicate() == (b"Yes.", b"")


async def test_binary_input_is_refused(home: Home, server: ScriptedServer) -> None:
    code, _, error = await ask(home, "--url", server.url, "explain", piped=b"\x00\x01")
    assert (code, error.splitlines()[0]) == (USAGE, "tui-chat: Standard input is binary, not text.")


async def test_no_question_is_a_wrong_command_line(home: Home) -> None:
    code, output, error = await ask(home)
    assert (code, output) == (USAGE, "")
    assert "There is no question" in error


async def test_model_system_prompt_and_thinking_are_sent(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    for level, sent in (("off", False), ("on", True), ("low", "low"), ("max", "max")):
        assert (await ask(home, "--url", server.url, "-m", "other", "-s", "Be kind.", "--think", level, "x"))[
            0
        ] == OK
        body: Any = server.asked()[-1]
        assert (body["model"], body["think"]) == ("other", sent)
        assert body["messages"][0] == {"role": "system", "content": "Be kind."}
    code, _, error = await ask(home, "--think", "much", "x")
    assert code == USAGE
    assert "much" in error


async def test_options_count_before_the_command_too(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--url", server.url, "-m", "other", "ask", "x"),
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, env=home.variables(),
    )  # fmt: skip
    assert (await process.communicate())[0] == b"Yes."
    assert server.asked()[-1]["model"] == "other"


async def test_a_chat_is_gone_on_with(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("One."))
    for words in (["first"], ["second"], ["-c", "third"]):
        await ask(home, "--url", server.url, *words)
    newest, oldest = await home.threads()
    assert [message.text for message in newest.messages] == ["second", "One.", "third", "One."]
    assert (await ask(home, "--url", server.url, "--chat", oldest.chat.id[:12], "more"))[0] == OK
    sent: Any = server.asked()[-1]["messages"]
    assert [message["content"] for message in sent] == ["first", "One.", "more"]
    code, _, error = await ask(home, "--url", server.url, "--chat", "nosuch", "more")
    assert code == FAILED
    assert "tui-chat chats" in error


async def test_the_server_and_the_model_used_last_are_used_again(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    await ask(home, "--url", server.url, "-m", "tiny", "x")
    assert (await ask(home, "y"))[0] == OK
    assert server.asked()[-1]["model"] == "tiny:latest"


async def test_nothing_is_kept_where_that_is_not_wanted(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    assert (await ask(home, "--url", server.url, "--no-save", "x"))[:2] == (OK, "Yes.")
    assert not home.data.exists() or not any(home.data.iterdir())
    await ask(home, "--url", server.url, "kept")
    assert (await ask(home, "-c", "--no-save", "y"))[:2] == (OK, "Yes.")
    sent: Any = server.asked()[-1]["messages"]
    assert [message["content"] for message in sent] == ["kept", "Yes.", "y"]
    (thread,) = await home.threads()
    assert [message.text for message in thread.messages] == ["kept", "Yes."]


# What is printed


async def test_text_streams_as_it_comes(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("Hel"), wait(gate), token("lo"), done(), end())
    async with asking(home, "--url", server.url, "x") as process:
        await first_bytes(process, "Hel")
        gate.set()
        await first_bytes(process, "lo")


ODD = "a\r\n\x1b[31mred\x07\u202eback\ufeff\x00end\u200e"


async def test_a_pipe_gets_the_exact_text_and_the_store_a_safe_one(home: Home, server: ScriptedServer) -> None:
    server.script(*reply(ODD, "\r", "\n"))
    _, output, _ = await ask(home, "--url", server.url, "x")
    assert output == ODD + "\r\n"
    (kept,) = await home.replies()
    assert "\x1b" not in kept.text
    server.script(*reply(ODD))
    _, output, _ = await ask(home, "--url", server.url, "--json", "x")
    assert json.loads(output.splitlines()[1]) == {"type": "text", "text": ODD}


@pytest.mark.parametrize("option", [[], ["--json"], ["--render"]])
async def test_a_terminal_gets_nothing_that_acts_on_it(
    home: Home, server: ScriptedServer, option: list[str]
) -> None:
    server.script(head(), thought("\x1b]0;think\x07"), token(f"{ODD}[x](http://a/&#27;[2J)"), done(), end())
    async with home.running("ask", "--url", server.url, "--think", "on", *option, "x") as program:
        assert await program.ended() == OK
        ours = re.sub(r"\x1b\[[\d;]*[mAJ]|\x1b\]8;[^\x1b\x07]*\x1b\\", "", program.output)
        assert not set("\x1b\x07\u202e\x00") & set(ours), program.output
        assert "red" in ours


async def test_thinking_is_dimmed_beside_the_answer_on_a_terminal_alone(
    home: Home, server: ScriptedServer
) -> None:
    steps = [head(), thought("Let me"), thought(" see."), token("Yes."), done(), end()]
    server.script(*steps)
    async with home.running("ask", "--url", server.url, "--think", "on", "x") as program:
        assert await program.ended() == OK
        assert program.output == "\x1b[2mLet me\x1b[0m\x1b[2m see.\x1b[0m\r\n\r\nYes.\r\n"
    assert (await ask(home, "--url", server.url, "--think", "on", "x"))[1:] == ("Yes.", "")


async def test_events_are_printed_as_json_a_line_each(home: Home, server: ScriptedServer) -> None:
    server.script(head(), thought("Hm."), token("Yes"), token("."), done(eval_count=3), end())
    code, output, _ = await ask(home, "--url", server.url, "--json", "x")
    *events, last = map(json.loads, output.splitlines())
    assert code == OK
    assert events == [
        {"type": "accepted"},
        {"type": "thinking", "text": "Hm."},
        {"type": "text", "text": "Yes"},
        {"type": "text", "text": "."},
    ]
    (thread,) = await home.threads()
    assert (last["type"], last["state"], last["text"], last["thinking"]) == ("end", "complete", "Yes.", "Hm.")
    assert (last["chat"], last["model"], last["usage"]["reply_tokens"]) == (thread.chat.id, "tiny:latest", 3)


MARKDOWN = (
    "# Title\n\nSome **bold** text\n\n| a | b |\n|---|---|\n| 1 | two |\n| three | 4 |\n\n```py\nprint(1)\n```\n"
)


async def test_markdown_is_drawn_as_it_grows_and_ends_as_if_drawn_at_once(
    home: Home, server: ScriptedServer
) -> None:
    server.script(*reply(*MARKDOWN))
    async with home.running("ask", "--url", server.url, "--render", "x", size=(60, 30)) as program:
        assert await program.ended() == OK
        drawn = [row for row in program.rows if row]
    _, output, _ = await ask(home, "--url", server.url, "--render", "x", COLUMNS="60")
    whole = [row.rstrip() for row in re.sub(r"\x1b\[[\d;]*m", "", output).splitlines()]
    assert drawn == [row for row in whole if row]
    assert drawn[0] == "Title"
    assert "\x1b[1m" in output
    _, output, _ = await ask(home, "--url", server.url, "--render", "x", NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\d", output)


async def test_a_table_that_has_left_a_small_screen_does_not_spoil_it(home: Home, server: ScriptedServer) -> None:
    rows = "".join(f"| {number} | {'x' * number} |\n" for number in range(1, 21))
    server.script(*reply("before\n\n| n | x |\n|---|---|\n", *re.findall(".{1,7}", rows, re.DOTALL), "\nafter"))
    async with home.running("ask", "--url", server.url, "--render", "x", size=(60, 8)) as program:
        assert await program.ended() == OK
        shown = [row for row in program.rows if row]
        assert max(map(int, re.findall(r"\x1b\[(\d+)A", program.output))) < 8
    assert shown[-1] == "after"
    assert [row.split()[0] for row in shown[:-1]] == [str(number) for number in range(21 - len(shown) + 1, 21)]


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


async def test_a_format_is_asked_for_by_word_or_by_schema(home: Home, server: ScriptedServer) -> None:
    server.script(*reply('{"a": 1}'))
    file = home.path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    for form, sent in (("json", "json"), (str(file), SCHEMA)):
        assert (await ask(home, "--url", server.url, "--format", form, "x"))[:2] == (OK, '{"a": 1}')
        assert server.asked()[-1]["format"] == sent
    file.write_text("{")
    code, _, error = await ask(home, "--url", server.url, "--format", str(file), "x")
    assert code == USAGE
    assert "is not JSON" in error


async def test_an_answer_that_has_not_the_format_is_told_of(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Sure! Here it is."))
    code, output, error = await ask(home, "--url", server.url, "--format", "json", "x")
    assert (code, output) == (FAILED, "Sure! Here it is.")
    assert "not JSON" in error


async def test_a_server_that_refuses_a_format_is_told_of(home: Home, server: ScriptedServer) -> None:
    server.script(answer(400, {"error": "unknown field"}))
    code, _, error = await ask(home, "--url", server.url, "--format", "json", "x")
    assert code == FAILED
    assert "unknown field" in error
    assert "--format" in error


# How it ends


BEGUN: list[Step] = [head(), token("Some"), token("thing")]


@pytest.mark.parametrize(
    ("steps", "code", "printed", "state", "said"),
    [
        ([*BEGUN, cut()], CUT, "Something", State.INTERRUPTED, "tui-chat ask -c"),
        ([*BEGUN, done("length"), end()], CUT, "Something", State.COMPLETE, "`tui-chat ask -c`"),
        ([*BEGUN, line({"error": "the model crashed"}), end()], FAILED, "Something", State.FAILED, "crashed"),
        ([answer(400, {"error": "nonsense"})], FAILED, "", State.FAILED, "nonsense"),
    ],
)
async def test_what_arrived_is_printed_and_kept_whatever_the_end(
    home: Home, server: ScriptedServer, steps: list[Step], code: int, printed: str, state: State, said: str
) -> None:
    server.script(*steps)
    ended, output, error = await ask(home, "--url", server.url, "x")
    assert (ended, output) == (code, printed)
    assert error.startswith("tui-chat: ")
    assert said in error
    assert not re.search(r"Ctrl|\^R|\bF\d", error), error
    (kept,) = await home.replies()
    assert (kept.text, kept.state) == (printed, state)


async def test_a_reply_that_was_cut_goes_on(home: Home, server: ScriptedServer) -> None:
    server.script(*BEGUN, cut())
    server.script(*reply("Something", " more."))
    assert (await ask(home, "--url", server.url, "x"))[0] == CUT
    assert (await ask(home, "-c"))[:2] == (OK, " more.")
    (kept,) = await home.replies()
    assert kept.text == "Something more."
    code, _, error = await ask(home, "-c")
    assert code == USAGE
    assert "is complete" in error


async def test_what_is_more_than_the_model_sees_is_told_of(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    server.script(answer(200, {"models": [{**MODEL, "context_length": 2048}]}), path="/api/ps")
    code, output, error = await ask(home, "--url", server.url, "x", piped=b"word " * 3000)
    assert (code, output) == (OK, "Yes.")
    assert error.count("context window of 2,048 tokens") == 1
    assert "about 3,0" in error
    assert (await ask(home, "--url", server.url, "x", piped=b"word " * 1500))[2] == ""


async def test_what_will_not_fit_is_told_of_before_it_is_sent(home: Home, server: ScriptedServer) -> None:
    server.script(answer(200, {"models": [{**MODEL, "context_length": 2048}]}), path="/api/ps")
    server.script(*BEGUN, stall())
    async with asking(home, "--url", server.url, "y" * 20_000) as process:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            warning = (await process.stderr.readline()).decode()
        assert "context window of 2,048 tokens, and this chat has about 4,000" in warning


async def test_a_file_is_as_large_at_most_as_on_the_screen(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    large = home.path / "large.txt"
    large.write_text("x" * (FILE_LIMIT + 1))
    code, output, error = await ask(home, "--url", server.url, "x", "-f", str(large))
    assert (code, output) == (USAGE, "")
    assert "large.txt is larger than 1 MB.\n  Send the part that matters." in error
    large.write_text("x" * FILE_LIMIT)
    assert (await ask(home, "--url", server.url, "x", "-f", str(large)))[0] == OK


async def test_a_note_on_a_terminal_begins_a_line(home: Home, server: ScriptedServer) -> None:
    server.script(answer(400, {"error": '"tiny:latest" does not support thinking'}))
    server.script(*reply("How can I help?"))
    async with home.running("ask", "--url", server.url, "--think", "high", "hi") as program:
        assert await program.ended() == OK
    assert program.output.startswith("How can I help?\r\ntui-chat: tiny:latest cannot be told how much to think")


async def test_a_server_that_is_not_there_is_told_of_at_once_and_the_prompt_kept(home: Home) -> None:
    code, output, error = await ask(home, "--url", "http://127.0.0.1:1", "-m", "tiny", PLAIN)
    assert (code, output) == (FAILED, "")
    assert "Nothing answers at http://127.0.0.1:1" in error
    assert "--url" in error
    assert "F3" not in error
    (thread,) = await home.threads()
    assert [message.text for message in thread.messages] == [PLAIN]


async def test_a_busy_server_is_asked_again_and_that_is_said(home: Home, server: ScriptedServer) -> None:
    server.script(answer(429, {"error": "too many"}, headers=[("retry-after", "1")]))
    server.script(*reply("Yes."))
    code, output, error = await ask(home, "--url", server.url, "x")
    assert (code, output) == (OK, "Yes.")
    assert "Trying again in" in error
    assert len(server.asked()) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_the_server_and_keeps_what_came(
    home: Home, server: ScriptedServer, number: int
) -> None:
    server.script(*BEGUN, stall())
    async with asking(home, "--url", server.url, "x") as process:
        await first_bytes(process, "Something")
        assert await stopped(process, number) == (128 + number, "", "")
        await asyncio.wait_for(server.disconnected.wait(), PATIENCE)
    (kept,) = await home.replies()
    assert (kept.text, kept.state) == ("Something", State.STOPPED)


async def test_stopping_a_json_stream_still_says_how_it_ended(home: Home, server: ScriptedServer) -> None:
    server.script(*BEGUN, stall())
    async with asking(home, "--url", server.url, "--json", "x") as process:
        await first_bytes(process, '{"type": "accepted"}\n{"type": "text", "text": "Some"}\n')
        code, output, _ = await stopped(process, signal.SIGINT)
    last = json.loads(output.splitlines()[-1])
    assert (code, last["type"], last["state"]) == (130, "end", "stopped")


async def test_it_is_stopped_before_anything_came(home: Home, server: ScriptedServer) -> None:
    asked = asyncio.Event()

    async def note(_: object) -> None:
        asked.set()

    server.script(note, stall())
    async with asking(home, "--url", server.url, "x") as process:
        await asyncio.wait_for(asked.wait(), PATIENCE)
        assert (await stopped(process, signal.SIGINT))[0] == 130
        await asyncio.wait_for(server.disconnected.wait(), PATIENCE)
    (kept,) = await home.replies()
    assert kept.state is State.STOPPED


async def test_a_reader_that_has_seen_enough_stops_it_quietly(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(head(), token("first\n"), wait(gate), token("more\n"), stall())
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "ask", "--url", server.url, "x"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=writing,
        stderr=PIPE,
        env=home.variables(),
    )
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 6) == b"first\n"
    os.close(reading)
    gate.set()
    async with asyncio.timeout(PATIENCE):
        _, error = await process.communicate()
        assert (process.returncode, error) == (128 + signal.SIGPIPE, b"")
        await server.disconnected.wait()
    (kept,) = await home.replies()
    assert kept.text.startswith("first\nmore\n")
    assert kept.state is State.STOPPED


async def test_a_reader_that_does_not_read_holds_up_neither_ctrl_c_nor_the_disk(
    home: Home, server: ScriptedServer
) -> None:
    server.script(head(), token("x" * 1_000_000), stall())
    async with asking(home, "--url", server.url, "x") as process:
        await first_bytes(process, "x" * 1000)
        async with asyncio.timeout(PATIENCE):
            while not any(reply.text for reply in await home.replies()):
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            await server.disconnected.wait()
            while process.returncode is None:  # `wait` waits for the pipe's end too, which nobody reads
                await asyncio.sleep(0.05)
        assert process.returncode == 130


async def test_a_full_disk_behind_standard_output_is_said(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes."))
    with Path("/dev/full").open("wb") as full:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "ask", "--url", server.url, "x"), stdin=asyncio.subprocess.DEVNULL, stdout=full, stderr=PIPE, env=home.variables()
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            _, error = await process.communicate()
    assert process.returncode == FAILED
    assert error.decode().startswith("tui-chat: Cannot write to standard output: No space left on device.\n")
    assert (await home.replies())[0].text == "Yes."


async def test_a_kill_loses_at_most_what_came_last(home: Home, server: ScriptedServer) -> None:
    server.script(*BEGUN, stall())
    async with asking(home, "--url", server.url, "x") as process:
        await first_bytes(process, "Something")
        async with asyncio.timeout(PATIENCE):
            while not any(reply.text for reply in await home.replies()):
                await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
    (kept,) = await home.replies()
    assert kept.text
    assert kept.state is State.INTERRUPTED
    assert "Something".startswith(kept.text)


# What it is


LOADED = """
import sys
from tui_chat.cli import main
code = main(["ask", *sys.argv[1:]])
print(code, sorted(name for name in ("textual", "rich", "pygments", "markdown_it") if name in sys.modules))
"""


@pytest.mark.parametrize("option", [[], ["--json"], ["-c"]])
async def test_it_loads_neither_textual_nor_rich(home: Home, server: ScriptedServer, option: list[str]) -> None:
    server.script(*reply("Yes.\n"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOADED, "--url", server.url, *option, "x"),
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, env=home.variables(),
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert output.decode().splitlines()[-1] == "0 []"


async def test_drawing_loads_no_app(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("Yes.\n"))
    code = LOADED.replace('"textual"', '"textual.app"').replace(
        '"rich", "pygments", "markdown_it"', '"textual.widget"'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "--url", server.url, "--render", "x"),
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, env=home.variables(),
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert output.decode().splitlines()[-1] == "0 []"


async def test_a_question_opens_the_screen_and_is_sent(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("A line that waits."))
    for words in (["What is a", "queue?"], [PLAIN], ["--", PLAIN]):
        async with home.running("--url", server.url, *words) as program:
            await program.until_shows("A line that waits.", PLAIN)
            assert await program.quit() == OK
        assert prompt_of(server) == PLAIN


async def test_a_command_that_is_misspelt_is_no_question(home: Home) -> None:
    code, error = await home.refused("chat")
    assert code == USAGE
    assert "Did you mean 'chats'?" in error
    assert "tui-chat -- chat" in error
