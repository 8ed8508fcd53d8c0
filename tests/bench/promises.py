"""The promises of the performance table, each with the measurement behind it."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench import asking, chats, many, measures
from tests.bench.content import KINDS
from tests.bench.hostile import HOSTILE
from tests.bench.measures import Figures
from tests.bench.programs import TREE, Program
from tests.bench.serve import Server
from tests.bench.table import Row

OURS, MINIMAL, PRINT = Program.OURS, Program.MINIMAL, Program.PRINT
_LINE = 25_000
"""Bytes per second of a slow line."""


@dataclass
class Bench:
    """What measurements share."""

    server: Server
    home: Path
    quick: bool
    before: Path | None = None
    """An older checkout, to compare with."""
    raw: list[dict[str, Any]] = field(default_factory=list)
    """Every single run, for the JSON file."""

    def each(
        self, what: str, runs: int, subjects: Sequence[str], measure: Callable[[str], Figures]
    ) -> dict[str, Figures]:
        """Measure the subjects in turn, `runs` times; the medians by subject. Quick is once."""
        seen: dict[str, list[Figures]] = {subject: [] for subject in subjects}
        for _ in range(1 if self.quick else runs):
            for subject in subjects:
                figures = measure(subject)
                self.raw.append({"measure": what, "subject": subject, **figures})
                seen[subject].append(figures)
        return {
            subject: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            for subject, runs in seen.items()
        }


def streaming(bench: Bench) -> list[Row]:
    """Bytes, processor time and delay at 100 tokens a second."""
    count = 600 if bench.quick else 2000
    got = bench.each(
        "streaming", 2, list(Program), lambda p: measures.streaming(Program(p), bench.server, bench.home, count)
    )

    def row(name: str, unit: str, figure: str, target: str, kept: Callable[[float, float], bool]) -> Row:
        ours, minimal, printed = (got[program][figure] for program in Program)
        return Row(name, unit, ours, target, kept(ours, minimal), minimal, printed)

    bytes_, cpu = "bytes per token", "cpu per token"
    return [
        row("bytes per token, mixed, 100 tok/s, scrolling", "B", bytes_, "at most 20", lambda a, _: a <= 20),
        row("… against the minimal app", "B", bytes_, "at most 1/40 of it", lambda a, b: a <= b / 40),
        row("processor time per token, the same", "ms", cpu, "at most half of minimal", lambda a, b: a <= b / 2),
        row("added latency, p95", "ms", "latency p95", "at most 70 ms", lambda a, _: a <= 70),
    ]


def growth(bench: Bench) -> list[Row]:
    """What a token costs at the end of a long reply against its beginning, and the memory it took."""
    count, rows = 5000 if bench.quick else 20_000, list[Row]()
    for kind in KINDS:
        got = bench.each(
            f"growth:{kind}", 1, [OURS],
            lambda _, kind=kind: measures.growth(bench.server, bench.home, kind, count),  # type: ignore[misc]
        )[OURS]  # fmt: skip
        ratio = got["growth"]
        rows.append(
            Row(f"last tenth over first of {count:,} tokens: {kind}", "x", ratio, "at most 1.2", ratio <= 1.2)
        )
        if kind == "mixed":
            memory = got["memory"]
            rows.append(
                Row(f"memory added by {count:,} tokens: {kind}", "MB", memory, "at most 15 MB", memory <= 15)
            )
    ratio = _below_pictures(bench, count)
    rows.append(Row("… prose below ten shown pictures", "x", ratio, "at most 1.2", ratio <= 1.2))
    return rows


def _below_pictures(bench: Bench, count: int) -> float:
    folder = bench.home / "pictures"
    asyncio.run(chats.build_pictures(folder, 10))
    return bench.each(
        "growth:pictures", 1, [OURS],
        lambda _: measures.growth(
            bench.server, bench.home, "prose", count, "--data-dir", str(folder), "--continue",
            prepare=chats.show_pictures,
        ),
    )[OURS]["growth"]  # fmt: skip


def flood(bench: Bench) -> list[Row]:
    """Everything at once."""
    count = 2000 if bench.quick else 10_000
    got = bench.each(
        "flood", 1, list(Program), lambda p: measures.flood(Program(p), bench.server, bench.home, count)
    )
    ours, minimal, printed = (got[program]["seconds"] for program in Program)
    return [Row(f"{count:,} tokens at once: last one seen", "s", ours, "at most 2 s", ours <= 2, minimal, printed)]


def keys(bench: Bench) -> list[Row]:
    """Typing while tokens come."""
    count = 20 if bench.quick else 45
    got = bench.each(
        "keys", 2, [OURS, MINIMAL],
        lambda p: measures.keys_while_streaming(Program(p), bench.server, bench.home, count),
    )  # fmt: skip
    ours, minimal = (got[program]["echo p95"] for program in (OURS, MINIMAL))
    return [Row("key echo at 200 tok/s, p95", "ms", ours, "at most 25 ms", ours <= 25, minimal)]


def hostile(bench: Bench) -> list[Row]:
    """Typing while a reply comes that nobody would write, and when the window changes then."""
    rows = list[Row]()
    for kind, tokens in HOSTILE.items():
        size = sum(len(token.encode()) for token in tokens()) / 1e6
        got = bench.each("hostile", 1, [kind], lambda kind: measures.hostile(bench.server, bench.home, kind))[kind]
        for name, figure in (("as it comes,", "echo while it comes"), ("at a resize,", "echo after a resize")):
            rows.append(
                Row(f"{name} {kind}: longest key echo", "ms", got[figure], "at most 100 ms", got[figure] <= 100)
            )
        memory, most = got["memory"], max(5.0, 30 * size)
        rows.append(Row("… memory added", "MB", memory, f"30 times the text ({most:.0f} MB)", memory <= most))
        rows.append(Row("… processor time", "s", got["cpu"], "(shown)", True))
    return rows


def slow_line(bench: Bench) -> list[Row]:
    """Typing over a slow line."""
    count = 20 if bench.quick else 45
    got = bench.each(
        "slow line", 1, [OURS], lambda p: measures.slow_line(Program(p), bench.server, bench.home, count, _LINE)
    )[OURS]
    echo, wrong = got["echo p95"], got["wrong cells"]
    return [
        Row("key echo at 200 tok/s over 25 kB/s, p95", "ms", echo, "at most 150 ms", echo <= 150),
        Row("… cells wrong at the end", "", wrong, "0", wrong == 0),
    ]


def resting(bench: Bench) -> list[Row]:
    """Nothing happens, or not yet."""
    seconds = 5.0 if bench.quick else 15.0
    got = bench.each(
        "resting", 1, [OURS, MINIMAL], lambda p: measures.resting(Program(p), bench.server, bench.home, seconds)
    )
    idle, waiting = got[OURS]["idle bytes"], got[OURS]["waiting bytes"]
    return [
        Row("idle, bytes per second", "B/s", idle, "0", idle == 0, got[MINIMAL]["idle bytes"]),
        Row("idle, share of a core", "%", got[OURS]["idle cpu"], "at most 0.5", got[OURS]["idle cpu"] <= 0.5,
            got[MINIMAL]["idle cpu"]),
        Row("waiting for the first token, bytes per second", "B/s", waiting, "at most 60", waiting <= 60,
            got[MINIMAL]["waiting bytes"]),
    ]  # fmt: skip


def starting(bench: Bench) -> list[Row]:
    """From the command to the first key."""
    for program in Program:  # once for the files: byte code, a first store
        measures.starting(program, bench.server, bench.home)
    got = bench.each(
        "starting", 9, list(Program), lambda p: measures.starting(Program(p), bench.server, bench.home)
    )
    ours, minimal, printed = (got[program]["ready"] for program in Program)
    return [Row("start to ready", "ms", ours, "at most 1.2 of minimal", ours <= 1.2 * minimal, minimal, printed)]


def long_chats(bench: Bench) -> list[Row]:
    """A chat of 500 messages, and one of 5,000, against an empty one."""
    sizes = {"empty": 0, "short": 6, "500": 500, "5000": 5000}
    folders = {name: bench.home / f"chat-{name}" for name in sizes}
    for name, folder in folders.items():
        if not folder.exists():
            asyncio.run(chats.build_chat(folder, sizes[name]))
    chats.opening(bench.server, bench.home, folders["empty"], scrolls=False)  # once, for the byte code
    got = bench.each(
        "long chats", 3, list(sizes),
        lambda name: chats.opening(bench.server, bench.home, folders[name], scrolls=name != "empty"),
    )  # fmt: skip
    empty, short, many, most = (got[name] for name in sizes)
    ratio, more, most_ratio = (
        many["ready"] / empty["ready"],
        many["memory"] - empty["memory"],
        most["ready"] / empty["ready"],
    )
    frame, scroll = many["echo p50"] / empty["echo p50"], many["scroll cpu"] / short["scroll cpu"]
    return [
        Row("a chat of 500 messages: ready, over an empty start", "x", ratio, "at most 1.3", ratio <= 1.3),
        Row("… memory more than an empty start", "MB", more, "at most 25 MB", more <= 25),
        Row("… key echo over that of an empty chat", "x", frame, "as fast (1.25)", frame <= 1.25),
        Row("… processor time of a wheel step over a short chat's", "x", scroll, "as fast (1.25)", scroll <= 1.25),
        Row("… ms per wheel step, p95", "ms", many["scroll p95"], "one frame (50 ms)", many["scroll p95"] <= 50),
        Row("a chat of 5,000 messages: ready, over an empty start", "x", most_ratio, "at most 1.5", most_ratio <= 1.5),
    ]  # fmt: skip


_LOOKED_FOR: Final = "queue async 0x7f\x15der with\x15日本 to the"
"""Keys: words of many titles, of few and of none; Ctrl+U in between begins anew."""


def many_chats(bench: Bench) -> list[Row]:
    """Ten thousand chats: the list, and search in all that was said."""
    count = 1000 if bench.quick else 10_000
    folder = bench.home / "chats-many"
    if not folder.exists():
        asyncio.run(chats.build_chats(folder, count))
    got = bench.each(
        "many chats", 3, [OURS], lambda _: chats.finding(bench.server, bench.home, folder, _LOOKED_FOR)
    )[OURS]
    listed, first, every = got["list"], got["first p95"], got["all p95"]
    return [
        Row(f"{count:,} chats: Ctrl+O to the list", "ms", listed, "at once (100 ms)", listed <= 100),
        Row(f"search in {count * 10:,} messages: first results, p95 of keys", "ms", first, "at most 50 ms", first <= 50),
        Row("… all results, p95 of keys", "ms", every, "(shown)", True),
    ]  # fmt: skip


def asking_in_a_shell(bench: Bench) -> list[Row]:
    """From the command to the first byte of a reply, beside a print loop on the `ollama` package and the screen."""
    subjects = [asking.ASK, *([asking.LOOP] if asking.has_ollama() else []), OURS]

    def measure(subject: str) -> Figures:
        if subject == OURS:
            return measures.starting(OURS, bench.server, bench.home)
        return asking.first_byte(subject, bench.server, bench.home)

    for subject in subjects:  # once for the files: byte code, a first store
        measure(subject)
    got = bench.each("asking", 9, subjects, measure)
    ours, screen = got[asking.ASK]["first"], got[OURS]["ready"]
    rows = [
        Row("ask: first byte, against the screen's start", "x", ours / screen, "at most 0.6", ours <= 0.6 * screen)
    ]
    if asking.LOOP in got:
        loop = got[asking.LOOP]["first"]
        kept = ours <= 1.3 * loop
        rows.append(
            Row("… against a loop on the ollama package", "ms", ours, "at most 1.3 of it", kept, None, loop)
        )
    return rows


def sending(bench: Bench) -> list[Row]:
    """From Enter until the request is at the server."""
    count, trees = 10 if bench.quick else 30, {"ours": TREE} | ({"before": bench.before} if bench.before else {})
    got = bench.each(
        "sending", 3, list(trees),
        lambda name: many.sending(bench.server, bench.home / f"sending-{name}", trees[name], count),
    )  # fmt: skip
    ours, before = got["ours"]["enter p50"], got["before"]["enter p50"] if bench.before else None
    target = "(shown)" if before is None else "at most half of before"
    return [
        Row("Enter to request, median", "ms", ours, target, before is None or ours <= before / 2, before=before)
    ]


def side_by_side(bench: Bench) -> list[Row]:
    """Eight chats that stream at once, one of them on screen; and fifty."""
    seconds, tokens = (5.0, 300) if bench.quick else (15.0, 1000)
    got = bench.each(
        "side by side", 2, ["1", "8"],
        lambda chats: many.side_by_side(bench.server, bench.home, int(chats), seconds),
    )  # fmt: skip
    alone, eight = got["1"], got["8"]
    echo, sent, cpu = eight["echo p95"], eight["bytes"] / alone["bytes"], eight["cpu"] / alone["cpu"]
    whole = bench.each(
        "fifty", 1, ["50"], lambda _: many.at_once(bench.server, bench.home / "fifty", 50, tokens)
    )["50"]  # fmt: skip
    return [
        Row("8 chats at 50 tok/s each: key echo, p95", "ms", echo, "at most 25 ms", echo <= 25),
        Row(
            "… bytes to the terminal, over one chat alone", "x", sent, "those of the shown one (1.1)", sent <= 1.1
        ),
        Row("… processor time per token, over one alone", "x", cpu, "at most 1.3", cpu <= 1.3),
        Row(
            f"50 chats with {tokens:,} tokens each: whole on disk", "", whole["whole"], "50", whole["whole"] == 50
        ),
        Row("… processor time per token", "ms", whole["cpu"], "(shown)", True),
    ]


PROMISES: dict[str, Callable[[Bench], list[Row]]] = {
    "start": starting,
    "ask": asking_in_a_shell,
    "send": sending,
    "many": side_by_side,
    "rest": resting,
    "stream": streaming,
    "keys": keys,
    "slow": slow_line,
    "hostile": hostile,
    "flood": flood,
    "chat": long_chats,
    "chats": many_chats,
    "growth": growth,
}
"""By the names that `--only` takes."""
