"""What the relay costs: `python -m tests.bench.relay_cost [TOKENS] [STREAMS]`.

Compares a reply through the relay with the same reply direct, in one run, by turns: time to the first byte, and
how old each token is when it arrives (its text is the time at which the server sent it). Then holds many streams
open at once through the same relay, half of them with clients that do not read, and looks at its memory.
Server, relay and client are processes of their own.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

from tui_chat.events import Accepted, Delta
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import Backend, HttpBackend
from tui_chat.servers.client import Call, Client

from tests.loopback import Exchange, Loopback
from tests.server import NDJSON, content, ndjson

ROUNDS: Final = 8
PAUSE: Final = 0.005
FLOOD: Final = "flood"
"""The model that sends 20 MB as fast as it can; others send a token every `PAUSE` seconds."""
LIMIT_MS: Final = 1.0


async def serve_model(tokens: int) -> None:
    """The server behind: Ollama's protocol, tokens that tell the time."""

    async def chat(exchange: Exchange) -> None:
        await exchange.start(200, NDJSON)
        if exchange.request.json().get("model") == FLOOD:
            for _ in range(2000):
                await exchange.send(ndjson(content("x" * 10_000)))
        else:
            for _ in range(tokens):
                await exchange.send(ndjson(content(f"{time.monotonic_ns()} ")))
                await asyncio.sleep(PAUSE)
        await exchange.send(ndjson({**content(""), "done": True, "done_reason": "stop"}))
        await exchange.end()

    async with Loopback(chat) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


async def serve_relay(upstream: str, streams: int) -> None:
    """The relay, with room for so many streams."""
    from tui_chat.relay.app import Relay
    from tui_chat.relay.serve import Server as RelayServer
    from tui_chat.relay.serve import listen
    from tui_chat.relay.settings import Settings
    from tui_chat.relay.tokens import TokenFile

    settings = Settings(streams=streams, streams_per_token=streams)
    tokens = TokenFile(Path(tempfile.mkdtemp()) / "tokens")
    relay = Relay(HttpBackend(Server(upstream, kind=Kind.OLLAMA)), settings, tokens)
    with listen("127.0.0.1", 0) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        await RelayServer(relay).serve(sockets=[listener])


@asynccontextmanager
async def process(*words: str) -> AsyncIterator[tuple[str, int]]:
    """This module as a process; gives the URL that it prints, and its id."""
    command = (sys.executable, "-m", "tests.bench.relay_cost", *words)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        yield (await child.stdout.readline()).decode().strip(), child.pid
    finally:
        child.terminate()
        await child.wait()


async def measure(backend: Backend) -> tuple[float, list[float]]:
    """Milliseconds to the first event, and the age of each token in milliseconds."""
    request = ChatRequest("clock", (Message(Role.USER, parts_of("x")),))
    start = time.monotonic_ns()
    first = 0
    ages: list[float] = []
    async with aclosing(backend.reply(request)) as events:
        async for event in events:
            now = time.monotonic_ns()
            if isinstance(event, Accepted):
                first = now - start
            if isinstance(event, Delta):
                ages.append((now - int(event.text)) / 1e6)
    return first / 1e6, ages


def p(values: Sequence[float], percent: int) -> float:
    """A percentile."""
    return statistics.quantiles(values, n=100)[percent - 1]


async def compare(direct: Backend, through: Backend) -> float:
    """Print both ways beside each other; returns what the relay adds per token at p50, in milliseconds."""
    ways: dict[str, tuple[Backend, list[float], list[float]]] = {
        "direct": (direct, [], []),
        "relay": (through, [], []),
    }
    for backend in (direct, through):
        await measure(backend)  # loads what is loaded late
    for _ in range(ROUNDS):
        for backend, firsts, ages in ways.values():
            first, more = await measure(backend)
            firsts.append(first)
            ages += more
    print(f"{'ms':8} {'first p50':>10} {'token p50':>10} {'token p99':>10}")
    for name, (_, firsts, ages) in ways.items():
        print(f"{name:8} {statistics.median(firsts):10.2f} {p(ages, 50):10.2f} {p(ages, 99):10.2f}")
    return p(ways["relay"][2], 50) - p(ways["direct"][2], 50)


async def load(url: str, pid: int, streams: int) -> None:
    """Hold `streams` floods open, half of which nobody reads, and print the relay's memory."""
    before = resident(pid)
    http = Client(Server(url))
    body = {"message": "x", "model": FLOOD}
    full = asyncio.Event()
    read = [0] * streams

    async def follow(number: int) -> None:
        async with http.open(Call("/api/chat", body)) as incoming:
            assert incoming.ok
            if number % 2:
                await full.wait()
                return
            while chunk := await incoming.next():
                read[number] += len(chunk)

    tasks = [asyncio.create_task(follow(number)) for number in range(streams)]
    await asyncio.wait(tasks[::2])
    after = resident(pid)
    full.set()
    await asyncio.gather(*tasks)
    print(
        f"{streams} streams, {sum(read) / 1e6:.0f} MB read; relay {before:.0f} MB before, {after:.0f} MB with them"
    )


def resident(pid: int) -> float:
    """Megabytes of memory of a process (Linux)."""
    words = Path(f"/proc/{pid}/status").read_text().split()
    return int(words[words.index("VmRSS:") + 1]) / 1024


async def main(tokens: int, streams: int) -> int:
    """Measure; returns 1 if the relay adds more than it may."""
    async with (
        process("model", str(tokens)) as (model, _),
        process("relay", model, str(streams)) as (relay, pid),
    ):
        added = await compare(
            HttpBackend(Server(model, kind=Kind.OLLAMA)), HttpBackend(Server(relay, kind=Kind.RELAY))
        )
        print(f"added per token at p50: {added:.2f} ms (at most {LIMIT_MS})")
        await load(relay, pid, streams)
    return int(added > LIMIT_MS)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["model", tokens]:
            asyncio.run(serve_model(int(tokens)))
        case ["relay", upstream, streams]:
            asyncio.run(serve_relay(upstream, int(streams)))
        case words:
            numbers = [*map(int, words), *(200, 200)[len(words) :]]
            sys.exit(asyncio.run(main(*numbers)))
