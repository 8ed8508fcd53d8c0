"""The backend against a real Ollama, which these tests start by the scripts in the folder `TUI_CHAT_SERVERS`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tui_chat.errors import Cut, NoSuchModel, ReplyError, ServerFault, Unreachable
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking, ThinkingUnset
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parameters import Parameters
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import HttpBackend

SCRIPTS = Path(os.environ.get("TUI_CHAT_SERVERS") or Path(__file__).parents[3] / "shared" / "servers")
START = SCRIPTS / "start-ollama.sh"
COMPLETE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tui-chat-servers" / "complete"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (START.exists() and COMPLETE.exists()), reason="no real Ollama is set up"),
]
ASKED = (Message(Role.USER, parts_of("What are queues?")),)
STEADY = {"seed": 1, "temperature": 0}


class RealOllama:
    """A running `ollama serve`. SIGTERM ends it with its runners."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen([START, str(port)], stdout=out, stderr=out)
        self._wait(lambda: self._listens(port))

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace")

    def runners(self) -> list[int]:
        """The ids of its child processes, which run the models."""
        listed = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return [int(pid) for path in listed for pid in path.read_text().split()]

    def stop(self) -> None:
        """End it, and wait for that."""
        self._process.terminate()
        self._process.wait(20)

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    real = RealOllama(tmp_path_factory.mktemp("ollama") / "log")
    yield real
    real.stop()


@pytest.fixture
async def backend(ollama: RealOllama) -> AsyncIterator[HttpBackend]:
    client = HttpBackend(Server(ollama.url, kind=Kind.OLLAMA))
    yield client
    await client.aclose()


async def ask(backend: HttpBackend, request: ChatRequest) -> list[Event]:
    async with aclosing(backend.reply(request)) as events:
        return [event async for event in events]


def pieces(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Delta)]


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_reply_streams(backend: HttpBackend) -> None:
    events = await ask(backend, ChatRequest("tiny", ASKED, options=STEADY))
    assert events[0] == Accepted()
    assert len(pieces(events)) > 5
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "stop"
    assert last.usage is not None
    assert last.usage.prompt_tokens == 13
    assert last.usage.reply_tokens
    assert last.usage.tokens_per_second


async def test_a_limit_ends_it_by_length(backend: HttpBackend) -> None:
    last = (await ask(backend, ChatRequest("tiny", ASKED, options={**STEADY, "num_predict": 4})))[-1]
    assert isinstance(last, Finished)
    assert last.reason == "length"


async def test_a_thinking_model_thinks_first_and_only_if_it_may(backend: HttpBackend) -> None:
    request = ChatRequest("tiny-think", ASKED, options=STEADY, think=True)
    kinds = [type(event) for event in await ask(backend, request)]
    assert kinds[1] is Thinking
    assert Delta in kinds
    assert Thinking not in kinds[kinds.index(Delta) :]
    silent = await ask(backend, replace(request, think=False))
    assert not any(isinstance(event, Thinking) for event in silent)


async def test_the_models_are_listed_described_and_loaded(backend: HttpBackend) -> None:
    names = {model.name for model in await backend.models()}
    assert {
        "tiny:latest",
        "tiny-think:latest",
        "tiny-slow:latest",
        "tiny-endless:latest",
        "tiny-open:latest",
    } <= names
    model = await backend.describe("tiny")
    assert (model.family, model.context_window) == ("llama", 2048)
    await ask(backend, ChatRequest("tiny", ASKED, options={"num_predict": 1}))
    assert "tiny:latest" in {model.name for model in await backend.loaded()}


async def test_a_missing_model_is_told(backend: HttpBackend) -> None:
    with pytest.raises(NoSuchModel) as caught:
        await ask(backend, ChatRequest("nope", ASKED))
    assert "tui-chat pull nope" in caught.value.hint
    with pytest.raises(NoSuchModel):
        await backend.describe("nope")


@pytest.mark.parametrize("think", [True, "high"])
async def test_thinking_that_a_model_cannot_do_is_told_and_it_answers(
    backend: HttpBackend, think: bool | str
) -> None:
    events = await ask(backend, ChatRequest("tiny", ASKED, options=STEADY, think=think))
    assert events[:2] == [Accepted(), ThinkingUnset()]
    assert isinstance(events[-1], Finished)


async def test_parameters_take_effect(ollama: RealOllama, backend: HttpBackend) -> None:
    async def told(own: Parameters) -> str:
        sent = own.options | {"num_predict": 60}
        request = ChatRequest("tiny-slow", ASKED, sent, format=own.schema, keep_alive=own.keep_alive or "")
        return "".join(pieces(await ask(backend, request)))

    hot = Parameters(temperature=2.0, top_k=0, top_p=1.0, seed=7)
    assert await told(hot) == await told(hot)
    assert await told(Parameters(temperature=0.0)) == await told(Parameters(temperature=0.0))
    whole = await told(Parameters(temperature=0.0))
    word = whole.split()[4]
    assert await told(Parameters(temperature=0.0, stop=(word,))) == whole.partition(word)[0]
    await told(Parameters(num_ctx=512, keep_alive="1h"))
    (loaded,) = [model for model in await backend.loaded() if model.name == "tiny-slow:latest"]
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in ollama.runners()]
    flags = [dict(pairwise(command)) for command in commands]
    sizes = [int(each[b"--ctx-size"]) / int(each[b"--parallel"]) for each in flags if b"--ctx-size" in each]
    assert 512 in sizes  # its list of loaded models names no window before 0.12
    assert datetime.fromisoformat(loaded.until) > datetime.now(UTC) + timedelta(minutes=50)


async def test_an_option_of_the_wrong_type_is_told(backend: HttpBackend) -> None:
    with pytest.raises(ServerFault, match="temperature") as caught:
        await ask(backend, ChatRequest("tiny", ASKED, options={"temperature": "hot"}))
    assert "option" in caught.value.hint


async def test_stopping_stops_the_server(ollama: RealOllama, backend: HttpBackend) -> None:
    """`tiny-endless` never ends of itself, and Ollama logs a request when it is over."""
    before = ollama.log.count('"/api/chat"')
    async with aclosing(backend.reply(ChatRequest("tiny-endless", ASKED))) as events:
        async for event in events:
            if isinstance(event, Delta):
                break
    await until(lambda: ollama.log.count('"/api/chat"') > before)


async def test_cancelling_while_the_model_loads_ends_the_request(tmp_path: Path) -> None:
    real = RealOllama(tmp_path / "log")
    backend = HttpBackend(Server(real.url, kind=Kind.OLLAMA))
    task = asyncio.create_task(ask(backend, ChatRequest("tiny-endless", ASKED)))
    await until(lambda: bool(real.runners()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: '"/api/chat"' in real.log)
    await backend.aclose()
    real.stop()


async def test_a_server_that_ends_in_the_middle_is_a_cut(tmp_path: Path) -> None:
    real = RealOllama(tmp_path / "log")
    backend = HttpBackend(Server(real.url, kind=Kind.OLLAMA))
    request = ChatRequest("tiny-endless", ASKED)
    received: list[Event] = []

    async def stopped() -> None:
        async with aclosing(backend.reply(request)) as events:
            async for event in events:
                received.append(event)
                if len(pieces(received)) == 3:
                    await asyncio.to_thread(real.stop)

    with pytest.raises(Cut) as caught:
        await stopped()
    assert caught.value.hint
    assert len(pieces(received)) >= 3
    with pytest.raises(Unreachable):
        await ask(backend, request)
    await backend.aclose()


async def test_a_runner_that_is_killed_in_the_middle_ends_the_reply_with_an_error(tmp_path: Path) -> None:
    real = RealOllama(tmp_path / "log")
    backend = HttpBackend(Server(real.url, kind=Kind.OLLAMA))
    received: list[Event] = []

    async def killed() -> None:
        async with aclosing(backend.reply(ChatRequest("tiny-endless", ASKED))) as events:
            async for event in events:
                received.append(event)
                if len(pieces(received)) == 3:
                    for runner in real.runners():
                        os.kill(runner, signal.SIGKILL)

    with pytest.raises(ReplyError) as caught:
        await killed()
    assert type(caught.value) in (Cut, ServerFault)
    assert len(pieces(received)) >= 3
    await backend.aclose()
    real.stop()


@pytest.mark.parametrize("count", [1, 3, 10, 25, 60])
async def test_a_cut_reply_goes_on_to_exactly_the_uncut_text(count: int, backend: HttpBackend) -> None:
    request = ChatRequest("tiny-open", ASKED, options=STEADY)
    whole = pieces(await ask(backend, request))
    assert len(whole) > count
    partial = "".join(whole[:count])
    events = await ask(backend, replace(request, prefill=partial))
    assert events[:2] == [Continued(exact=True), Accepted()]
    assert partial + "".join(pieces(events)) == "".join(whole)


@pytest.mark.parametrize("model", ["tiny", "tiny-think"])
async def test_a_model_that_closes_the_turn_is_asked_in_words(model: str, backend: HttpBackend) -> None:
    events = await ask(backend, ChatRequest(model, ASKED, options=STEADY, prefill="Queues are"))
    assert events[:2] == [Continued(exact=False), Accepted()]
    assert isinstance(events[-1], Finished)
