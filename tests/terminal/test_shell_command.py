"""Shell commands of the user: run in a group of their own, heard within caps, and ended whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tui_chat.errors import ConfigError
from tui_chat.tasks import start_task
from tui_chat.terminal.shell_command import HEAD, TAIL, CommandEnd, CommandOutput, ShellCommand, quoted_block

ENVIRON = {"PATH": os.environ["PATH"], "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}
PATIENCE = 60


def heard(*pieces: bytes) -> str:
    output = CommandOutput()
    for piece in pieces:
        output.feed(piece)
    return output.text


async def ran(command: str, grown: Callable[[], None] = lambda: None) -> tuple[str, CommandEnd]:
    run = ShellCommand(command, ENVIRON)
    async with asyncio.timeout(PATIENCE):
        end = await run.run(grown)
    return run.output.text, end


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(command: str) -> AsyncIterator[tuple[ShellCommand, asyncio.Task[CommandEnd]]]:
    """A command that has printed its first line."""
    run = ShellCommand(command, ENVIRON)
    task = start_task(run.run())
    try:
        await until(lambda: "\n" in run.output.text)
        yield run, task
    finally:
        task.cancel()
        await asyncio.wait([task])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=8))
def test_output_does_not_depend_on_how_it_is_split(pieces: list[bytes]) -> None:
    assert heard(*pieces) == heard(b"".join(pieces))


@settings(deadline=None)
@given(st.text(max_size=100).map(str.encode) | st.binary(max_size=100))
def test_output_cannot_act_on_the_terminal(data: bytes) -> None:
    assert not set(heard(data)) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (9, 10)}


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" \t\n"), max_size=100))
def test_plain_output_stays_as_it_is(text: str) -> None:
    assert heard(text.encode()) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\x1b\\x\x1b]8;;\x07\n", "error: x\n"),
        (b" 10%\r 50%\r100%\r\ndone\r\n", "100%\ndone\n"),
        (b"N\x08NA\x08A _\x08x", "NA x"),
        (b"\x1b]0;title\x07\x1b(B\x1b=x", "x"),
        (b"a\x00b\x07\xff", "a␀b␇\ufffd"),
    ],
)
def test_what_is_for_terminals_is_left_out(data: bytes, text: str) -> None:
    assert heard(data) == text


@settings(deadline=None)
@given(st.integers(1, 8000), st.integers(1, 120))
def test_long_output_keeps_its_start_and_its_end(lines: int, width: int) -> None:
    rows = [f"{number:0{width}}" for number in range(lines)]
    data = "".join(f"{row}\n" for row in rows).encode()
    text = heard(*(data[start : start + 65_536] for start in range(0, len(data), 65_536)))
    shown = text.split("\n")[:-1]
    if len(data) <= HEAD + TAIL:
        assert shown == rows
        return
    gap = next(place for place, row in enumerate(shown) if row.startswith("[…"))
    assert f"{len(data):,} bytes" in shown[gap]
    assert shown[:gap] == rows[:gap]
    assert shown[gap + 1 :] == rows[gap - len(shown) + 1 :]
    assert 0 < gap < len(shown) - 1
    assert HEAD + TAIL - 3 * width <= len(text.encode()) <= HEAD + TAIL + 200


def test_a_single_endless_line_is_cut() -> None:
    text = heard(b"a" * 100_000 + b"z" * 100_000)
    assert text.startswith("a" * HEAD + "\n[…")
    assert text.endswith("]\n" + "z" * TAIL)


def test_the_last_lines_are_those_that_came_last() -> None:
    output = CommandOutput()
    assert output.last_lines(3) == [""]
    for number in range(10_000):
        output.feed(f"line {number}\n".encode())
        if number < 2:
            assert output.last_lines(3) == [f"line {each}" for each in range(number + 1)]
    assert output.last_lines(2) == ["line 9998", "line 9999"]


@settings(deadline=None)
@given(st.text(max_size=80), st.text("`~\na ", max_size=80), st.integers(-64, 255))
def test_a_block_holds_command_and_output_whatever_they_are(command: str, output: str, code: int) -> None:
    output = heard(output.encode())
    block = quoted_block(command, output, CommandEnd(code, 1.234))
    fence, *_ = MarkdownIt().parse(block)
    assert fence.type == "fence"
    assert fence.info == "console"
    assert fence.content.rstrip("\n").endswith(output.rstrip() or fence.content.rstrip("\n"))
    assert block.splitlines()[-1].endswith("after 1.2 s)")


async def test_output_of_both_kinds_and_the_exit_code() -> None:
    text, end = await ran("echo out; echo err >&2; pwd; exit 3")
    assert text == f"out\nerr\n{os.getcwd()}\n"
    assert (end.code, end.stopped) == (3, False)
    assert str(end).startswith("exit code 3 after ")


async def test_there_is_no_input_and_no_terminal() -> None:
    text, _ = await ran("cat; tty; (echo secret >/dev/tty) 2>/dev/null || echo none; echo $TERM")
    assert text == "not a tty\nnone\ndumb\n"


async def test_a_signal_is_named() -> None:
    _, end = await ran("kill -SEGV $$")
    assert str(end).startswith("ended by signal: Segmentation fault after")


@pytest.mark.parametrize(("command", "shell"), [("ls", "/no/such/shell"), ("a\0b", "/bin/sh")])
async def test_what_cannot_be_started_is_a_clear_error(command: str, shell: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ConfigError, match="cannot run"):
        await ShellCommand(command, {"SHELL": shell}).run()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_command_that_sleeps_is_stopped_with_its_group() -> None:
    async with running("sleep 1000 & echo $! $$; wait") as (run, task):
        pids = [int(word) for word in run.output.text.split()]
        assert os.getpgid(pids[0]) == os.getpgid(pids[1]) != os.getpgid(0)
        run.stop()
        end = await task
        assert end.stopped
        assert str(end).startswith("stopped after")
        assert not any(map(is_alive, pids))
        await until(lambda: not Path(f"/proc/{pids[1]}").exists())  # no zombie


async def test_one_that_ignores_sigterm_is_killed_and_its_last_words_are_heard() -> None:
    async with running("trap 'echo last words' TERM; echo $$; while true; do sleep 0.1; done") as (run, task):
        run.stop()
        end = await task
        assert end.code == -9
        assert "last words" in run.output.text
        assert not is_alive(int(run.output.text.split()[0]))


async def test_cancelling_ends_the_group_too() -> None:
    async with running("sleep 1000 & echo $! $$; wait") as (run, task):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(is_alive(int(word)) for word in run.output.text.split())


async def test_who_is_cancelled_twice_kills_at_once() -> None:
    async with running("trap '' TERM; echo $$; while true; do sleep 0.1; done") as (run, task):
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not is_alive(int(run.output.text)))


async def test_a_flood_takes_bounded_memory_and_leaves_the_loop_free() -> None:
    turns = 0
    async with running("yes") as (run, task):
        async with asyncio.timeout(PATIENCE):
            while run.output.size < 2_000_000:
                await asyncio.sleep(0)
                turns += 1
        assert len(run.output._head) + len(run.output._tail) <= HEAD + 2 * TAIL + 65_536
        assert turns > 1
        run.stop()
        end = await task
        assert "the middle is left out" in run.output.text
        assert str(end).endswith(f"; of {run.output.size:,} bytes the middle is left out")


async def test_a_command_that_dribbles_is_looked_at_no_more_often_than_it_could_be_seen() -> None:
    looks = 0

    def count() -> None:
        nonlocal looks
        looks += 1

    text, end = await ran("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done", count)
    assert text.endswith("20000\n")
    assert looks <= end.seconds / 0.05 + 2


async def test_who_is_left_in_the_background_and_holds_the_pipe_is_not_waited_for() -> None:
    text, end = await ran("(sleep 1000 & echo $!); echo done")
    pid = int(text.split()[0])
    try:
        assert text == f"{pid}\ndone\n"
        assert end.code == 0
        assert is_alive(pid)
    finally:
        os.kill(pid, 9)


async def test_a_flood_in_the_background_does_not_go_on_for_ever() -> None:
    _, end = await ran("yes & echo $! >&2; sleep 0.1")
    assert end.code == 0


async def test_a_command_that_closes_its_output_is_waited_for() -> None:
    text, end = await ran("echo a; exec >&- 2>&-; sleep 0.2; exit 4")
    assert (text, end.code) == ("a\n", 4)
