"""The real llama.cpp server, and the real Ollama found through its `/v1`. Needs the servers of `TUI_CHAT_SERVERS`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tui_chat.config import Config
from tui_chat.errors import Cut, NoSuchModel, ReplyError, Unauthorized
from tui_chat.events import Accepted, Continued, Delta, Dropped, Event, Finished, Thinking, ThinkingCanEnd
from tui_chat.messages import ChatRequest, Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Secret, Server
from tui_chat.servers.backend import HttpBackend, connect
from tui_chat.servers.client import Call, Client
from tui_chat.servers.connection import Connection
from tui_chat.servers.dialects import levels_of
from tui_chat.servers.probe import detect
from tui_chat.tasks import start_task

from tests.chat.kit import reception

SERVERS = Path(os.environ.get("TUI_CHAT_SERVERS") or Path(__file__).parents[3] / "shared" / "servers")
SLOW = ("-m", str(SERVERS / "model" / "tiny-slow.gguf"))
START_SECONDS = 60

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (SERVERS / "start-llamacpp.sh").exists(), reason="the real servers are not here"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A server of our own, which can be killed."""

    def __init__(self, url: str, process: asyncio.subprocess.Process) -> None:
        self.url = url
        self._process = process

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process.returncode is None:
            self._process.send_signal(how)
        await self._process.wait()


@asynccontextmanager
async def running(script: str, *flags: str, key: str = "") -> AsyncIterator[Running]:
    """A real server on a free port, ready to answer. The empty first flag of the scripts is their folder."""
    port = free_port()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tui-chat-servers"
    process = await asyncio.create_subprocess_exec(
        str(SERVERS / script), str(port), str(folder), *flags,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    server = Running(f"http://127.0.0.1:{port}", process)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await answers(server.url, key):
                assert process.returncode is None, f"{script} ended by itself"
                await asyncio.sleep(0.1)
        yield server
    finally:
        await server.end()


async def answers(url: str, key: str) -> bool:
    try:
        return (await Client(Server(url, key=Secret(key))).fetch(Call("/v1/models"))).ok
    except ReplyError:
        return False


def asked(text: str = "What are queues?", *, prefill: str = "", **options: object) -> ChatRequest:
    return ChatRequest(
        "tiny", (Message(Role.USER, parts_of(text)),), {"temperature": 0, "seed": 1, **options}, prefill=prefill
    )


async def read(server: Server, request: ChatRequest) -> list[Event]:
    return [event async for event in connect(server).reply(request)]


async def take(events: AsyncIterator[Event], into: list[Event]) -> None:
    async for event in events:
        into.append(event)


async def resumed(server: Server, cut: str) -> str:
    """What a reply that was cut there is in the end."""
    reply = Message(Role.ASSISTANT, parts_of(cut), state=State.STREAMING)
    config = Config(options={"temperature": 0, "seed": 1})
    async with reception(connect(server), reply, prompt="What are queues?", config=config) as received:
        await received.run()
        return received.message.text


def text_in(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


@pytest.mark.parametrize(
    ("script", "window"), [("start-llamacpp.sh", 1024), ("start-llamacpp-new.sh", 2048)], ids=["2025", "2026"]
)
async def test_llama_cpp_is_found_and_streams(script: str, window: int) -> None:
    async with running(script) as server:
        found = await detect(Server(server.url + "/v1"))
        assert (found.url, found.kind, found.flavour) == (server.url, Kind.OPENAI, Flavour.LLAMACPP)
        backend = connect(found)
        (model,), (loaded,) = await backend.models(), await backend.loaded()
        assert (model.name, model.context_window, loaded.window) == ("tiny", 2048, window)
        events = await read(found, asked(num_predict=40))
        assert (events[0], text_in(events)[:8]) == (Accepted(), "# Queues")
        assert isinstance(events[-1], Finished)
        assert events[-1].usage is not None
        assert (events[-1].reason, events[-1].usage.reply_tokens) == ("length", 40)
        assert events[-1].usage.tokens_per_second

        assert isinstance(backend, HttpBackend)
        assert await backend.count(asked()) == events[-1].usage.prompt_tokens

        thinks = ChatRequest(
            "tiny", (Message(Role.SYSTEM, parts_of("think")), Message(Role.USER, parts_of("Explain kites.")))
        )
        events = await read(found, thinks)
        assert any(isinstance(event, Thinking) for event in events)
        assert "think>" not in text_in(events)

        whole = text_in(await read(found, asked()))
        pieces = [event.text for event in await read(found, asked()) if isinstance(event, Delta)]
        for count in (3, 10, 25):
            cut = "".join(pieces[:count])
            events = await read(found, asked(prefill=cut))
            assert events[:2] == [Continued(exact=True), Accepted()]
            assert cut + text_in(events) == whole
            assert await resumed(found, cut) == whole


async def test_the_router_of_llama_cpp_tells_windows_loads_nothing_unasked_and_goes_on_exactly() -> None:
    async with running("start-llamacpp-new.sh", "--router") as server:
        found = await detect(Server(server.url))
        assert (found.kind, found.flavour) == (Kind.OPENAI, Flavour.LLAMACPP)
        connection = Connection(connect, found, wanted="tiny")
        await connection.look()
        assert {model.name for model in connection.models} == {"tiny", "tiny-endless", "tiny-slow"}
        assert (connection.error, connection.window) == (None, 1024)
        assert list(await connection.backend.loaded()) == []
        whole = text_in(await read(found, asked()))
        (loaded,) = await connection.backend.loaded()
        assert (loaded.name, loaded.window) == ("tiny", 1024)
        assert await resumed(found, whole[:40]) == whole
        with pytest.raises(NoSuchModel):
            await read(found, replace(asked(), model="huge"))
        await connection.aclose()


async def test_llama_cpp_with_a_key_wants_it() -> None:
    async with running("start-llamacpp.sh", "--api-key", "sesame", key="sesame") as server:
        named = Server(server.url, key=Secret("sesame"))
        assert (await detect(named)).flavour is Flavour.LLAMACPP
        assert text_in(await read(named, asked(num_predict=5)))
        for wrong in (
            Server(server.url),
            Server(server.url, key=Secret("wrong")),
            Server(server.url, key=Secret("sesame"), named=False),
        ):
            with pytest.raises(Unauthorized):
                await read(wrong, asked())


@pytest.mark.parametrize("script", ["start-llamacpp.sh", "start-llamacpp-new.sh"], ids=["2025", "2026"])
async def test_llama_cpp_killed_in_the_middle_leaves_what_came(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.servers.dialects.llamacpp.RESUME_SECONDS", 1.0)
    async with running(script, *SLOW) as server:
        events = connect(Server(server.url)).reply(asked("Tell me everything."))
        assert await anext(events) == Accepted()
        first = await anext(events)
        while not isinstance(first, Delta):
            first = await anext(events)
        await server.end(signal.SIGKILL)
        rest: list[Event] = []
        with pytest.raises(Cut):
            await take(events, rest)
        assert text_in([first, *rest])


@pytest.mark.parametrize("flags", [SLOW, ("--router",)], ids=["server", "router"])
async def test_a_reply_cut_again_and_again_goes_on_exactly(flags: tuple[str, ...]) -> None:
    question = replace(asked("Tell me everything.", num_predict=150, seed=1), model="tiny-slow")
    async with running("start-llamacpp-new.sh", *flags) as server, cutting(server.url, 6000) as url:
        whole = text_in(await read(Server(server.url), question))
        events = await read(Server(url), question)
        assert events.count(Dropped()) >= 3
        assert text_in(events) == whole


@asynccontextmanager
async def cutting(server: str, most: int) -> AsyncIterator[str]:
    """A proxy before a server that ends each connection after `most` bytes of answers; yields its URL."""

    async def ask(reader: asyncio.StreamReader, requests: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(1 << 12):
                requests.write(piece)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", urlsplit(server).port)
        asking = start_task(ask(reader, requests))
        left = most
        with suppress(ConnectionError):
            while left and (piece := await answers.read(min(left, 1 << 12))):
                writer.write(piece)
                left -= len(piece)
        asking.cancel()
        requests.close()
        writer.close()

    listening = await asyncio.start_server(carry, "127.0.0.1", 0)
    with closing(listening):
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


THINKS = """{% for m in messages %}<|{{ m['role'] }}|>\
{% if m['reasoning_content'] %}<think>{{ m['reasoning_content'] }}</think>{% endif %}{{ m['content'] }}<|end|>{% endfor %}\
{% if add_generation_prompt %}<|assistant|>{% if enable_thinking is defined and not enable_thinking %}<think>

</think>

{% else %}<think>
{% endif %}{% endif %}"""


@pytest.mark.parametrize("script", ["start-llamacpp.sh", "start-llamacpp-new.sh"], ids=["2025", "2026"])
async def test_thinking_is_switched_and_ended_where_the_build_can(script: str, tmp_path: Path) -> None:
    (tmp_path / "thinks.jinja").write_text(THINKS)
    flags = (*SLOW, "--reasoning-format", "deepseek")
    async with running(script, *flags, "--chat-template-file", str(tmp_path / "thinks.jinja")) as server:
        box = await detect(Server(server.url))
        backend = connect(box)
        (model,) = await backend.models()
        assert levels_of(backend.server, model) == ("off", "on")
        quiet = await read(box, replace(asked("Hm?", num_predict=40), think=False))
        assert not any(isinstance(event, Thinking | ThinkingCanEnd) for event in quiet)
        thinks, whole = replace(asked("Hm?", num_predict=200), think=True), list[Event]()
        undisturbed = sum(isinstance(event, Thinking) for event in await read(box, thinks))
        end: Callable[[], Awaitable[None]] | None = None
        async with aclosing(backend.reply(thinks)) as events:
            async for event in events:
                whole.append(event)
                if isinstance(event, ThinkingCanEnd):
                    end = event.end
                if end is not None and sum(isinstance(each, Thinking) for each in whole) == 3:
                    await end()
                    end = None
        assert any(isinstance(event, ThinkingCanEnd) for event in whole) == (script == "start-llamacpp-new.sh")
        if script == "start-llamacpp-new.sh":
            assert sum(isinstance(event, Thinking) for event in whole) < undisturbed
            assert text_in(whole)


@pytest.mark.parametrize("script", ["start-llamacpp.sh", "start-llamacpp-new.sh"], ids=["2025", "2026"])
async def test_stop_frees_the_slot_of_llama_cpp(script: str) -> None:
    async with running(script, *SLOW, "--slots") as server:
        http = Client(Server(server.url))

        async def busy() -> bool:
            slots = json.loads((await http.fetch(Call("/slots"))).body)
            assert isinstance(slots, list)
            return any(slot["is_processing"] for slot in slots)

        events = connect(Server(server.url)).reply(asked("Tell me everything."))
        for _ in range(3):
            await anext(events)
        assert await busy()
        await events.aclose()
        async with asyncio.timeout(5):
            while await busy():
                await asyncio.sleep(0.02)


async def test_ollama_is_spoken_to_natively_also_when_it_is_found_at_v1() -> None:
    async with running("start-ollama.sh") as server:
        found = await detect(Server(server.url + "/v1/chat/completions"))
        assert (found.url, found.kind, found.flavour) == (server.url, Kind.OLLAMA, Flavour.OLLAMA)
        events = await read(found, asked(num_predict=8))
        assert isinstance(events[-1], Finished)
        assert events[-1].usage is not None
        assert events[-1].usage.load_seconds is not None, "only the native API tells"

        pinned = Server(server.url + "/v1", kind=Kind.OPENAI)
        assert "tiny:latest" in [model.name for model in await connect(pinned).models()]
        again = await read(pinned, asked(num_predict=8))
        assert text_in(again) == text_in(events)
        assert isinstance(again[-1], Finished)
        assert (again[-1].reason, again[-1].usage is not None) == ("length", True)
        assert (await read(pinned, asked(prefill="# Que", num_predict=3)))[0] == Continued(exact=False)
