"""Long work of a server in the background: pulling and loading models."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Final, Literal

from tui_chat.errors import ConfigError, ReplyError
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.dialect import Progress
from tui_chat.tasks import start_task
from tui_chat.text.figures import duration, size

Kind = Literal["pull", "load"]

_WINDOW: Final = 10.0
"""Seconds over which the speed is measured."""
_MOST_LAYERS: Final = 1000
_PART: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME: Final = re.compile(rf"(?:(?:{_PART}(?::\d+)?/)?{_PART}/)?{_PART}(?::{_PART})?")
"""A model's name as Ollama parses it (`types/model/name.go`): `[[HOST/]NAMESPACE/]MODEL[:TAG]`."""
_BEFORE: Final = re.compile(r"(ollama (pull|run) +|https://)+")
"""What one copies together with a name."""


def model_name(typed: str) -> str:
    """The name of a model as somebody typed it, or copied it with a command or an address.

    Raises:
        ConfigError: it cannot be a name.
    """
    name = _BEFORE.sub("", typed.strip(), count=1).rstrip("/")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r:.80} is not a model's name.",
            "Names are like qwen3:4b, user/model or hf.co/user/model:Q4_K_M.",
        )
    return name


class Tally:
    """How far a piece of work is, its speed, and the time left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._arrived = 0
        self._samples: deque[tuple[float, int]] = deque()
        """Seconds, and what had arrived by then."""
        self.status = ""
        self.layers: dict[str, tuple[int, int]] = {}
        """What is done of each layer, and its total (see `Progress`)."""

    def take(self, step: Progress) -> None:
        """Count a step. What an earlier pull downloaded does not count as arrived."""
        self.status, total = step.status, step.total
        if not total or (step.layer not in self.layers and len(self.layers) == _MOST_LAYERS):
            return
        done = min(step.done or 0, total)
        before, _ = self.layers.get(step.layer, (done, total))
        self.layers[step.layer] = (done, total)
        self._arrived += max(0, done - before)
        now = self._clock()
        if not self._samples or now - self._samples[-1][0] >= 1:
            self._samples.append((now, self._arrived))
        while now - self._samples[0][0] > _WINDOW and len(self._samples) > 1:
            self._samples.popleft()

    @property
    def done(self) -> int:
        """What is done of all layers so far."""
        return sum(done for done, _ in self.layers.values())

    @property
    def total(self) -> int:
        """The total of all layers so far: a server tells of each when it begins with it."""
        return sum(total for _, total in self.layers.values())

    @property
    def percent(self) -> int | None:
        """How much of the total is done; None while no total is known."""
        return 100 * self.done // self.total if self.layers else None

    @property
    def speed(self) -> float | None:
        """What arrives in a second; None in the first one, and while nothing arrives."""
        if not self._samples:
            return None
        since, arrived = self._samples[0]
        seconds, more = self._clock() - since, self._arrived - arrived
        return more / seconds if seconds >= 1 and more else None

    def figures(self) -> tuple[str, ...]:
        """Of a pull: `1.2 GB of 2.6 GB`, `46 %`, `31 MB/s`, `45 s left`, as far as known."""
        if not self.layers:
            return ()
        known = (f"{size(self.done)} of {size(self.total)}", f"{self.percent} %")
        if not (speed := self.speed):
            return known
        return (*known, f"{size(round(speed))}/s", f"{duration((self.total - self.done) / speed)} left")


class Job:
    """A piece of work; it runs from its creation until it is done, fails or is cancelled."""

    def __init__(
        self,
        kind: Kind,
        backend: HttpBackend,
        model: str,
        settings: Mapping[str, object],
        ended: Callable[[Job], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settings`: those of a load. `ended` is called at the end, unless it was cancelled."""
        self.kind = kind
        self.backend = backend
        self.model = model
        self.done = False
        """Whether the server has finished it."""
        self.error: ReplyError | None = None
        """Why it failed."""
        self.settings = settings
        self._ended = ended
        self._clock = clock
        self.resume()

    def resume(self) -> None:
        """Start it, or start it again; the server goes on where it was."""
        self.tally, self.error, self._over = Tally(self._clock), None, False
        self._task = start_task(self._run())

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return not (self._over or self._task.done())

    async def cancel(self) -> None:
        """Stop it; the server keeps what it has."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def wait(self) -> None:
        """Wait for its end."""
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            backend, model = self.backend, self.model
            work = backend.pull(model) if self.kind == "pull" else backend.load(model, self.settings)
            async with aclosing(work) as steps:
                async for step in steps:
                    self.tally.take(step)
            self.done = True
        except ReplyError as error:
            self.error = error
        self._over = True
        self._ended(self)


class Jobs:
    """The jobs of this program, the newest last. Those of other programs at the same server are unknown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.all: tuple[Job, ...] = ()
        """Those that are not done: running, failed and cancelled ones."""
        self.ended: Callable[[Job], None] = lambda _: None
        """Called when a job is done or has failed."""

    @property
    def running(self) -> tuple[Job, ...]:
        """Those that are under way."""
        return tuple(job for job in self.all if job.running)

    def find(self, kind: str, backend: HttpBackend, model: str) -> Job | None:
        """The job of this kind for a model, if it is not done."""
        key = (kind, backend, model)
        return next((job for job in self.all if (job.kind, job.backend, job.model) == key), None)

    def pull(self, backend: HttpBackend, model: str) -> None:
        """Pull a model in the background, or resume that."""
        self._begin("pull", backend, model, {})

    def load(self, backend: HttpBackend, model: str, settings: Mapping[str, object]) -> None:
        """Load a model in the background (see `Dialect.load`)."""
        self._begin("load", backend, model, settings)

    def _begin(self, kind: Kind, backend: HttpBackend, model: str, settings: Mapping[str, object]) -> None:
        if (job := self.find(kind, backend, model)) is None:
            self.all = (*self.all, Job(kind, backend, model, settings, self._end, self._clock))
        elif not job.running:
            job.settings = settings
            job.resume()

    def forget(self, job: Job) -> None:
        """Remove a job from the list."""
        self.all = tuple(other for other in self.all if other is not job)

    def _end(self, job: Job) -> None:
        if job.done or job.kind == "load":
            self.forget(job)
        self.ended(job)

    async def aclose(self) -> None:
        """Cancel all; the servers keep what they have."""
        for job in self.running:
            await job.cancel()
