"""What is measured of one program: figures by name. Times are milliseconds, memory megabytes."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.bench.programs import Marks, Program, Run, running
from tests.bench.screen import Screen
from tests.bench.serve import Server, Stream
from tests.bench.session import COLUMNS
from tests.terminal.emulator import Emulator

Figures = Mapping[str, float]

_TYPED: Final = "JQXv8Kw2Zp5Ym3Nt7Rb4Hd6Gf9Lc1Sj2Wk8Bx3Vz5Tq7Mn4Pr6"
_CPU_SAMPLE: Final = 0.05


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all stay below."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def streaming(program: Program, server: Server, home: Path, count: int) -> Figures:
    """Mixed Markdown at 100 tokens a second, below a full screen."""
    with running(program, server, home) as run:
        run.fill_screen()
        session = run.session
        sent, cpu = session.total, session.cpu()
        marks = run.answered(Stream("mixed", count, 100), count / 100 + 60)
        delays = marks.delays(server.times())
        return {
            "bytes per token": (session.total - sent) / count,
            "cpu per token": (session.cpu() - cpu) * 1000 / count,
            "latency p50": percentile(delays, 0.5) * 1000,
            "latency p95": percentile(delays, 0.95) * 1000,
        }


def flood(program: Program, server: Server, home: Path, count: int) -> Figures:
    """Everything at once: seconds until the last token is on the screen."""
    with running(program, server, home) as run:
        run.fill_screen()
        cpu = run.session.cpu()
        marks = run.answered(Stream("prose", count, 0), 120)
        return {
            "seconds": marks.visible(count - 1) - server.times()[0],
            "cpu per token": (run.session.cpu() - cpu) * 1000 / count,
        }


def growth(
    server: Server,
    home: Path,
    kind: str,
    count: int,
    *arguments: str,
    prepare: Callable[[Run], None] | None = None,
) -> Figures:
    """One long reply at 1,000 tokens a second: processor time by tenths, and memory."""
    with running(Program.OURS, server, home, *arguments) as run:
        if prepare is not None:
            prepare(run)
        run.fill_screen()
        session = run.session
        memory = session.memory()
        samples: list[tuple[float, float]] = []

        def sample() -> None:
            if not samples or time.monotonic() - samples[-1][0] > _CPU_SAMPLE:
                samples.append((time.monotonic(), session.cpu()))

        session.on_idle = sample
        marks = run.answered(Stream(kind, count, 1000), count / 1000 + 90)
        session.on_idle = None
        tenths = _by_tenths(marks, samples, count)
        return {
            "growth": tenths[-1] / tenths[0],
            **{f"tenth {number}": tenth for number, tenth in enumerate(tenths, 1)},
            "memory": session.memory() - memory,
            "lag": (marks.visible(count - 1) - server.times()[-1]) * 1000,
        }


def _by_tenths(marks: Marks, samples: list[tuple[float, float]], count: int) -> list[float]:
    """Milliseconds of processor time per token in each tenth of a reply."""
    moments = [moment for moment, _ in samples]

    def cpu_at(moment: float) -> float:
        index = min(max(1, bisect_left(moments, moment)), len(samples) - 1)
        (before, used), (after, more) = samples[index - 1], samples[index]
        return used + (more - used) * min(1.0, (moment - before) / (after - before))

    used = [cpu_at(marks.visible(min(count - 1, count * tenth // 10))) for tenth in range(11)]
    return [(after - before) * 10_000 / count for before, after in pairwise(used)]


class _Echo:
    """Notes when each prefix of what is typed was first on the screen."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.moments: list[float] = []

    def __call__(self, moment: float, screen: Screen) -> None:
        row = next((row for row in map(screen.row, screen.dirty) if self._text[:2] in row), "")
        while len(self.moments) < len(self._text) and self._text[: len(self.moments) + 1] in row:
            self.moments.append(moment)


def typing(run: Run, keys: int) -> Figures:
    """Type, at an uneven pace, and see how long each key takes to its echo."""
    session, seed = run.session, random.Random(3)
    session.key(_TYPED[:2])
    assert session.until(lambda: session.sees(_TYPED[:2]), 10), session.screen.text()
    echo = _Echo(_TYPED[: keys + 2])
    echo.moments = [0.0, 0.0]
    session.watchers.append(echo)
    pressed = []
    for character in _TYPED[2 : keys + 2]:
        pressed.append(session.key(character))
        session.run(seed.uniform(0.08, 0.13))
    assert session.until(lambda: len(echo.moments) == keys + 2, 10), session.screen.text()
    session.watchers.remove(echo)
    session.key("\x7f" * (keys + 2))
    delays = [seen - press for seen, press in zip(echo.moments[2:], pressed, strict=True)]
    return {f"echo p{share}": percentile(delays, share / 100) * 1000 for share in (50, 95)}


def keys_while_streaming(program: Program, server: Server, home: Path, keys: int) -> Figures:
    """Typing while 200 tokens a second come."""
    with running(program, server, home) as run:
        run.fill_screen()
        marks = run.ask(Stream("mixed", keys * 40, 200))
        run.session.until(lambda: marks.last > 50, 20)
        figures = typing(run, keys)
        assert marks.last < keys * 40 - 1, "the reply ended before the last key"
        return figures


def hostile(server: Server, home: Path, kind: str) -> Figures:
    """Typing while a hostile reply comes, and while it is laid out at another width: the key that waits longest."""
    with running(Program.OURS, server, home) as run:
        session = run.session
        run.answered(Stream("prose", 100, 0))
        memory, cpu = session.memory(), session.cpu()
        count = 20
        marks = run.ask(Stream(kind, count))
        coming = _longest_echo(run, lambda: marks.last >= count - 1)
        session.resized(COLUMNS - 20)
        resized = _longest_echo(run, lambda: True, 60)
        return {
            "echo while it comes": coming * 1000,
            "echo after a resize": resized * 1000,
            "memory": session.memory() - memory,
            "cpu": session.cpu() - cpu,
        }


def _longest_echo(run: Run, ended: Callable[[], bool], keys: int = 20) -> float:
    """Press a key when the last one is on the screen, until something has ended and `keys` times more."""
    session, longest, left = run.session, 0.0, keys
    while left:
        pressed = session.key("§")
        assert session.until(lambda: session.sees("§"), 60), session.screen.text()
        longest = max(longest, session.changed - pressed)
        session.key("\x7f")
        assert session.until(lambda: not session.sees("§"), 60), session.screen.text()
        session.run(0.02)
        left -= ended()
    return longest


def slow_line(program: Program, server: Server, home: Path, keys: int, rate: float) -> Figures:
    """Typing while 200 tokens a second come, over a line of `rate` bytes a second; is the screen right then?"""
    with running(program, server, home, rate=rate) as run:
        run.fill_screen()
        stream = Stream("mixed", keys * 40, 200)
        marks = run.ask(stream)
        session = run.session
        session.until(lambda: marks.last > 50, 20)
        figures = typing(run, keys)
        assert session.until(lambda: marks.last >= stream.count - 1, 60), session.screen.text()
        session.settle(1.0)
        return {**figures, "wrong cells": _wrong_cells(run)}


def _wrong_cells(run: Run) -> int:
    """Cells (text, colours, attributes) that look otherwise after the program has painted everything anew."""
    session = run.session
    emulator = Emulator(session.screen.columns, session.screen.rows)
    fed = len(session.received)
    emulator.feed(session.received.decode("utf-8", "replace"))
    before = emulator.snapshot()
    session.resized()
    session.run(0.5)
    session.settle(1.0)
    repaint = session.received[fed:].decode("utf-8", "replace")
    assert len(repaint) > 1000, "nothing was painted anew"
    fresh = Emulator(session.screen.columns, session.screen.rows)
    fresh.feed(repaint)
    after = fresh.snapshot()
    return sum(a != b for was, now in zip(before, after, strict=True) for a, b in zip(was, now, strict=True))


def resting(program: Program, server: Server, home: Path, seconds: float) -> Figures:
    """Bytes per second, and share of a core, when nothing happens, and while the first token is waited for."""
    with running(program, server, home) as run:
        run.fill_screen()
        session = run.session
        session.run(1.5)
        figures = {}
        for what in ("idle", "waiting"):
            if what == "waiting":
                run.ask(Stream(count=5, delay=seconds + 3))
                session.run(1.5)
            sent, cpu = session.total, session.cpu()
            session.run(seconds)
            figures[f"{what} bytes"] = (session.total - sent) / seconds
            figures[f"{what} cpu"] = (session.cpu() - cpu) * 100 / seconds
        return figures


def starting(program: Program, server: Server, home: Path, *arguments: str) -> Figures:
    """From the command to the first key that is taken, and the memory then."""
    with running(program, server, home, *arguments) as run:
        return {"ready": run.ready * 1000, "memory": run.session.memory(), "cpu": run.session.cpu() * 1000}
