"""The programs under test: how each is started, spoken to, and known to be ready."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Final

from tests.bench.content import is_marked
from tests.bench.screen import Screen
from tests.bench.serve import Server, Stream
from tests.bench.session import Session

TREE: Final = Path(__file__).parents[2]
"""This checkout."""
_PROBE: Final = "§"
_PROBE_SECONDS: Final = 0.02
_PATIENCE: Final = 30.0
_TAGS: Final = [a + b for a, b in product("abcdefghjkmnp", repeat=2)]


class Program(StrEnum):
    """What is measured, beside each other."""

    OURS = "tui-chat"
    MINIMAL = "minimal app"
    PRINT = "print loop"

    def argv(self, arguments: Iterable[str] = ()) -> list[str]:
        """The command."""
        module = {
            Program.OURS: "tui_chat",
            Program.MINIMAL: "tests.bench.floors.minimal",
            Program.PRINT: "tests.bench.floors.print_loop",
        }[self]
        return [sys.executable, "-m", module, *arguments]


class Marks:
    """Notes when each mark, or a later one, was first on the screen."""

    def __init__(self, tag: str) -> None:
        self._prefix = f"q{tag}"
        self.seen: list[tuple[float, int]] = []
        """When, and the highest mark then; growing."""

    @property
    def last(self) -> int:
        """The highest mark so far."""
        return self.seen[-1][1] if self.seen else -1

    def __call__(self, moment: float, screen: Screen) -> None:
        """Look at the rows that changed."""
        best = self.last
        for y in screen.dirty:
            text = screen.row(y)
            if len(text) == screen.columns and y + 1 < screen.rows:
                text += screen.row(y + 1)  # whoever lets the terminal wrap cuts marks in two
            for piece in text.split(self._prefix)[1:]:
                if len(piece) >= 5 and piece[:5].isdigit():
                    best = max(best, int(piece[:5]))
        if best > self.last:
            self.seen.append((moment, best))

    def visible(self, index: int) -> float:
        """When token `index` was visible."""
        return next(moment for moment, last in self.seen if last >= index)

    def delays(self, written: list[float]) -> list[float]:
        """For each mark that was seen, the seconds from when it was written."""
        position, delays = 0, []
        for index in (index for index in range(len(written)) if is_marked(index, len(written))):
            while position < len(self.seen) and self.seen[position][1] < index:
                position += 1
            if position < len(self.seen):
                delays.append(self.seen[position][0] - written[index])
        return delays


@dataclass
class Run:
    """A program that is ready for a prompt, and its server."""

    program: Program
    server: Server
    session: Session
    ready: float
    """Seconds from its start until it took a key."""
    _tags: Iterator[str] = field(default_factory=lambda: iter(_TAGS))

    def ask(self, stream: Stream) -> Marks:
        """Send a prompt that is answered so."""
        session, tag = self.session, next(self._tags)
        self.server.stream(Stream(stream.kind, stream.count, stream.rate, tag, stream.delay))
        marks = Marks(tag)
        session.watchers.append(marks)
        session.key(f"please answer {tag}")
        assert session.until(lambda: session.sees(f"please answer {tag}"), _PATIENCE), session.screen.text()
        session.run(0.1)
        session.key("\r")
        return marks

    def answered(self, stream: Stream, patience: float = 60.0) -> Marks:
        """Send a prompt and wait until its answer is on the screen, whole, and all is quiet."""
        marks = self.ask(stream)
        assert self.session.until(lambda: marks.last >= stream.count - 1, patience), self.session.screen.text()
        self.session.settle()
        self.session.watchers.remove(marks)
        return marks

    def fill_screen(self) -> None:
        """Let a first answer warm everything up, and make the log scroll."""
        self.answered(Stream("mixed", 700, 0))


@contextmanager
def running(
    program: Program, server: Server, home: Path, *arguments: str, rate: float | None = None, tree: Path = TREE
) -> Iterator[Run]:
    """A program, ready, whose files are all below `home`, and its code below `tree`."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "OLLAMA_HOST": server.url,
        "PYTHONPATH": str(tree),
        "PYTHONSAFEPATH": "1",  # else the folder that the bench runs in comes before `tree`
        **{name: value for name, value in os.environ.items() if name.startswith("TUI_CHAT_")},
    }
    with Session(program.argv(arguments), environ, rate) as session:
        ready = _become_ready(program, session)
        session.settle()
        yield Run(program, server, session, ready)


def _become_ready(program: Program, session: Session) -> float:
    """Press a key again and again until it is on the screen; seconds from the start to there."""
    if program is Program.PRINT:
        assert session.until(lambda: session.sees(">"), _PATIENCE)
        return session.changed - session.started
    assert session.until(lambda: session.screen.alternate and any(session.screen.text()), _PATIENCE)
    pressed = 0
    while not session.sees(_PROBE):
        assert pressed < _PATIENCE / _PROBE_SECONDS, session.screen.text()
        session.key(_PROBE)
        pressed += 1
        session.until(lambda: session.sees(_PROBE), _PROBE_SECONDS)
    ready = session.changed - session.started
    session.run(0.3)
    session.key("\x7f" * pressed)
    assert session.until(lambda: not session.sees(_PROBE), _PATIENCE), session.screen.text()
    return ready
