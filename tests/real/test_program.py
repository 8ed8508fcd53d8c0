"""The whole program, in a terminal, against a real Ollama."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tui_chat.messages import Message, State

from tests.program.kit import CTRL_HOME, CTRL_R, ESCAPE, Home, Program
from tests.real.test_ollama import RealOllama, pytestmark, until
from tests.real.valve import valve

__all__ = ["pytestmark"]
STEADY = "[options]\nseed = 1\ntemperature = 0\n"
CHATS = '"/api/chat"'
"""What Ollama logs at the end of a request for a reply."""


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    real = RealOllama(tmp_path_factory.mktemp("ollama") / "log")
    yield real
    real.stop()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def ask(program: Program, model: str) -> None:
    """Ask a model something, as soon as there is a screen."""
    await program.until_shows(f"{model}:latest ·")
    await program.say("What are queues?")


async def only_reply(home: Home) -> Message:
    (reply,) = await home.replies()
    return reply


async def until_kept(home: Home) -> None:
    """Wait until something of a reply in flight is on disk."""
    async with asyncio.timeout(20):
        while not any(reply.state is State.STREAMING and reply.text for reply in await home.replies()):
            await asyncio.sleep(0.1)


async def test_a_reply_streams_and_its_figures_are_shown(home: Home, ollama: RealOllama) -> None:
    async with (
        valve(ollama.url, 1_000) as shut,
        home.running("--url", shut.url, "--model", "tiny-slow") as program,
    ):
        await ask(program, "tiny-slow")
        await program.until_shows("tok/s ·", "Esc stop")
        shut.open()
        await program.until_shows("○ done", "first after")
        await program.until_shows("of 1k")  # the context window as loaded, not as trained
        assert await program.quit() == 0
    reply = await only_reply(home)
    assert reply.state is State.COMPLETE
    assert reply.usage is not None
    assert reply.usage.reply_tokens


async def test_thinking_is_shown_apart(home: Home, ollama: RealOllama) -> None:
    home.configure(f"think = true\n{STEADY}")
    async with home.running("--url", ollama.url, "--model", "tiny-think") as program:
        await ask(program, "tiny-think")
        await program.until_shows("○ done")
        program.type(CTRL_HOME)
        await program.until_shows("▸ thought for")
        assert await program.quit() == 0
    assert (await only_reply(home)).thinking


async def test_stop_stops_the_model(home: Home, ollama: RealOllama) -> None:
    async with home.running("--url", ollama.url, "--model", "tiny-endless") as program:
        await ask(program, "tiny-endless")
        await program.until_shows("tok/s ·")
        before = ollama.log.count(CHATS)
        program.type(ESCAPE)
        await until(lambda: ollama.log.count(CHATS) > before)
        await program.until_shows("■ stopped")
        assert await program.quit() == 0
    assert (await only_reply(home)).state is State.STOPPED


async def test_a_missing_model_is_said_with_the_way_to_get_it(home: Home, ollama: RealOllama) -> None:
    async with home.running("--url", ollama.url, "--model", "nope") as program:
        await program.until_shows("nope ·")
        await program.say("Hello")
        await program.until_shows("✗", "tui-chat pull nope")
        assert await program.quit() == 0


async def test_a_server_that_ends_in_the_middle_leaves_what_came(home: Home, tmp_path: Path) -> None:
    real = RealOllama(tmp_path / "log")
    async with home.running("--url", real.url, "--model", "tiny-endless") as program:
        await ask(program, "tiny-endless")
        await program.until_shows("tok/s ·")
        real.stop()
        await program.until_shows("… interrupted", "✗ ")
        assert await program.quit() == 0
    reply = await only_reply(home)
    assert reply.state is State.INTERRUPTED
    assert reply.text


async def test_a_reply_becomes_whole_after_a_hang_up(home: Home, ollama: RealOllama) -> None:
    async with home.running("--url", ollama.url, "--model", "tiny-slow") as program:
        await ask(program, "tiny-slow")
        await program.until_shows("tok/s ·")
        program.hang_up()
        await program.ended()
    reply = await only_reply(home)
    assert (reply.state, reply.finish) == (State.COMPLETE, "stop")


@pytest.mark.parametrize("limit", [1, 7, 40])
async def test_what_was_cut_by_length_goes_on_to_exactly_the_uncut_text(
    home: Home, ollama: RealOllama, limit: int
) -> None:
    home.configure(STEADY)
    arguments = ("--url", ollama.url, "--model", "tiny-open")
    async with home.running(*arguments) as program:
        await ask(program, "tiny-open")
        await program.until_shows("○ done")
        assert await program.quit() == 0
    whole = await only_reply(home)
    home.configure(f"{STEADY}num_predict = {limit}\n")
    async with home.running(*arguments) as program:
        await ask(program, "tiny-open")
        await program.until_shows("… cut by length")
        assert await program.quit() == 0
    home.configure(STEADY)
    async with home.running(*arguments, "--continue") as program:
        await program.until_shows("tiny-open:latest ·", "… cut by length")
        program.type(CTRL_R)
        await program.until_shows("○ done")
        assert await program.quit() == 0
    resumed = (await home.replies())[0]
    assert resumed.id != whole.id
    assert resumed.text == whole.text


@pytest.mark.parametrize("limit", [400, 2_000, 6_000])
async def test_what_was_killed_goes_on_to_exactly_the_uncut_text(
    home: Home, ollama: RealOllama, limit: int
) -> None:
    home.configure(STEADY)
    async with home.running("--url", ollama.url, "--model", "tiny-open") as program:
        await ask(program, "tiny-open")
        await program.until_shows("○ done")
        assert await program.quit() == 0
    whole = await only_reply(home)
    async with valve(ollama.url, limit) as shut:
        arguments = ("--url", shut.url, "--model", "tiny-open")
        async with home.running(*arguments) as program:
            await ask(program, "tiny-open")
            await until_kept(home)
            program.kill(signal.SIGKILL)
            await program.ended()
        shut.open()
        async with home.running(*arguments, "--continue") as program:
            await program.until_shows("… interrupted")
            cut = (await home.replies())[0]
            program.type(CTRL_R)
            await program.until_shows("○ done")
            assert await program.quit() == 0
    resumed = (await home.replies())[0]
    assert 0 < len(cut.text) < len(whole.text)
    assert resumed.text == whole.text
