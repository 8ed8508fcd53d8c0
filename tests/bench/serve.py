"""The tests' server as a process of its own, told by lines of JSON on stdin what to stream next.

    {"stream": {"kind": "mixed", "count": 100, "rate": 50, "tag": "aa", "delay": 0}}   answers {}
    {"times": true}                                   answers when each token of the last stream was written
    {"asked": true}                                   answers when the last request was there

Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share. A rate of 0 is as fast as it goes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Self

from tests.bench.content import tokens
from tests.loopback import Exchange
from tests.server import ScriptedServer, content, done, end, head, ndjson


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply to stream."""

    kind: str = "mixed"
    count: int = 20
    rate: float = 0.0
    """Tokens per second."""
    tag: str = "aa"
    delay: float = 0.0
    """Seconds before the first token."""


class Server:
    """The process, as the bench holds it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
        )
        self.url = str(self._answer())

    def stream(self, stream: Stream) -> None:
        """Answer the next requests so."""
        self._ask({"stream": asdict(stream)})

    def times(self) -> list[float]:
        """When each token of the last stream was written."""
        return [float(moment) for moment in self._ask({"times": True})]

    def asked(self) -> float:
        """When the last request was there, or 0."""
        return float(self._ask({"asked": True}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class _Streamer:
    """Streams what it was told last."""

    def __init__(self) -> None:
        self.next = Stream()
        self.times: list[float] = []
        self.asked = 0.0

    async def reply(self, exchange: Exchange) -> None:
        """One answer to `/api/chat`."""
        stream, times = self.next, list[float]()
        self.asked, self.times = time.monotonic(), times
        await head()(exchange)
        await asyncio.sleep(stream.delay)
        started = time.monotonic()
        for index, text in enumerate(tokens(stream.kind, stream.count, stream.tag)):
            if stream.rate and (early := started + index / stream.rate - time.monotonic()) > 0:
                await asyncio.sleep(early)
            times.append(time.monotonic())
            await exchange.send(ndjson(content(text)))
        await done("stop", prompt_eval_count=10, eval_count=stream.count, eval_duration=1_000_000_000)(exchange)
        await end()(exchange)


async def _serve() -> None:
    streamer, lines = _Streamer(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with ScriptedServer() as server:
        server.script(streamer.reply)
        print(json.dumps(server.url), flush=True)
        while line := await lines.readline():
            order = json.loads(line)
            if "stream" in order:
                streamer.next = Stream(**order["stream"])
                print("{}", flush=True)
            else:
                print(json.dumps(streamer.asked if "asked" in order else streamer.times), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
