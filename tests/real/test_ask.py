"""`tui-chat ask` against a real Ollama."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tui_chat.messages import State

from tests.program.kit import Home
from tests.program.test_ask import ask, asking, stopped
from tests.real.test_ollama import RealOllama, pytestmark, until

__all__ = ["pytestmark"]
CHATS = '"/api/chat"'
"""What Ollama logs at the end of a request for a reply."""


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    real = RealOllama(tmp_path_factory.mktemp("ollama") / "log")
    yield real
    real.stop()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.configure("[options]\nseed = 1\ntemperature = 0\n")
    return home


async def test_an_answer_is_printed_kept_and_gone_on_with(home: Home, ollama: RealOllama) -> None:
    code, output, error = await ask(home, "--url", ollama.url, "-m", "tiny", "What are queues?")
    assert (code, error) == (0, "")
    (kept,) = await home.replies()
    assert (kept.text, kept.state) == (output, State.COMPLETE)
    assert (await ask(home, "-c", "And stacks?"))[0] == 0
    assert len(await home.replies()) == 2


async def test_the_server_holds_an_answer_to_a_schema(home: Home, ollama: RealOllama) -> None:
    schema = home.path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}')
    code, output, _ = await ask(home, "--url", ollama.url, "-m", "tiny", "--format", str(schema), "Is it?")
    assert code == 0
    assert isinstance(json.loads(output)["a"], bool)


async def test_ctrl_c_stops_the_model_and_the_reply_goes_on_later(home: Home, ollama: RealOllama) -> None:
    async with asking(home, "--url", ollama.url, "-m", "tiny-endless", "Go.") as process:
        await asyncio.wait_for(first_bytes_come(process), 60)
        code, _, error = await stopped(process, signal.SIGINT)
    assert (code, error) == (130, "")
    await until(lambda: CHATS in ollama.log)
    (kept,) = await home.replies()
    assert kept.state is State.STOPPED
    async with asking(home, "-c", "-m", "tiny-endless") as process:
        await asyncio.wait_for(first_bytes_come(process), 60)
        await stopped(process, signal.SIGINT)
    (longer,) = await home.replies()
    assert longer.text.startswith(kept.text)
    assert len(longer.text) > len(kept.text)


async def first_bytes_come(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    assert await process.stdout.read(1)
