"""Replies in progress: how many each caller may have, who reads them, and how long they go on without a reader."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

from tui_chat.errors import Cut, ReplyError
from tui_chat.events import Continued, Finished
from tui_chat.messages import ChatRequest
from tui_chat.relay.dialects import Dialect
from tui_chat.relay.problems import Problem, problem_of
from tui_chat.relay.replay_buffer import ReplayBuffer
from tui_chat.relay.settings import Settings
from tui_chat.servers.backend import Backend
from tui_chat.tasks import start_task

_RETRY_SECONDS = 5.0
_log = logging.getLogger("tui_chat.relay")


class Slots:
    """Limits the replies that are generated at once: `each` per caller, `total` in all."""

    def __init__(self, each: int, total: int) -> None:
        self._each, self._total = each, total
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self._taken.total()

    @contextmanager
    def take(self, owner: str) -> Iterator[None]:
        """Hold one while inside.

        Raises:
            Problem: none is free.
        """
        if self._taken[owner] >= self._each:
            raise _too_many("You have", self._each)
        if self.taken >= self._total:
            raise _too_many("The relay has", self._total)
        self._taken[owner] += 1
        try:
            yield
        finally:
            self._taken[owner] -= 1
            self._taken += Counter()  # drops the zeros


class Stream:
    """One reply: written to a `ReplayBuffer` as the backend sends it, and read by one client at a time."""

    def __init__(self, owner: str, dialect: Dialect, settings: Settings, *, resumable: bool) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.dialect = dialect
        self.resumable = resumable
        self.begun = asyncio.Event()
        """Set when the server has accepted or refused."""
        self.refusal: Problem | None = None
        """Why the server refused, if it sent nothing else."""
        keep = settings.resume_bytes
        self.buffer = ReplayBuffer(keep, keep) if resumable else ReplayBuffer(settings.ahead_bytes)
        self._duration = settings.duration
        self.reader: asyncio.Task[None] | None = None

    async def record(self, backend: Backend, request: ChatRequest) -> None:
        """Write the whole reply to the buffer, as fast as the reader reads."""
        try:
            async with asyncio.timeout(self._duration):
                await self._record(backend, request)
        except ReplyError as error:
            self.fail(problem_of(error))
        except TimeoutError:
            limit = f"{self._duration / 60:g} minutes"
            self.fail(Problem(504, "server_fault", f"The reply took longer than {limit}.", "Continue it."))
        else:
            self._end()

    def fail(self, problem: Problem) -> None:
        """End the reply with an error, unless it has ended."""
        if self.buffer.closed:
            return
        if not self.begun.is_set():
            self.refusal = problem
        for data in self.dialect.fail(problem):
            self._write(data)
        self._end()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReplayBuffer]:
        """Be the reader while inside; the previous one is cancelled first."""
        mine = asyncio.current_task()
        before, self.reader = self.reader, mine
        try:
            if before is not None:
                before.cancel()
                await asyncio.wait([before])
            yield self.buffer
        finally:
            if self.reader is mine:
                self.reader = None

    async def _record(self, backend: Backend, request: ChatRequest) -> None:
        async with aclosing(backend.reply(request)) as events:
            async for event in events:
                await self.buffer.room()
                for data in self.dialect.say(event):
                    self._write(data)
                if isinstance(event, Finished):
                    return
                if self.dialect.live and not isinstance(event, Continued):
                    self.begun.set()
        raise Cut("The reply ended without its last event.")

    def _write(self, data: str) -> None:
        self.buffer.write(self.dialect.frame(self.buffer.last + 1, data))

    def _end(self) -> None:
        self.begun.set()
        self.buffer.close()


class Streams:
    """All replies in progress, and those that a client may still resume."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings
        self._recordings: dict[Stream, asyncio.Task[None]] = {}
        self._kept: dict[str, Stream] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._closing = False

    def start(self, stream: Stream, request: ChatRequest, release: Callable[[], None]) -> None:
        """Start to generate the reply; calls `release` when that has ended."""
        if self._closing:
            release()
            raise Problem(
                503, "busy", "The relay is stopping.", "Try again in a moment.", retry_after=_RETRY_SECONDS
            )
        recording = start_task(stream.record(self._backend, request))
        self._recordings[stream] = recording

        def over(_: asyncio.Task[None]) -> None:
            del self._recordings[stream]
            release()
            stream.fail(_shortfall(recording))

        recording.add_done_callback(over)

    def keep(self, stream: Stream) -> None:
        """Hold a resumable stream: its client knows its id from now on and may come back."""
        if stream.resumable and stream.id not in self._kept:
            self._make_room(stream.owner)
            self._kept[stream.id] = stream

    def find(self, key: str, owner: str) -> Stream:
        """The resumable stream with the id `key`.

        Raises:
            Problem: there is none, or it belongs to another token.
        """
        stream = self._kept.get(key)
        if stream is None or stream.owner != owner:
            raise Problem(404, "cut", "The relay no longer has that reply.", "Continue it.")
        return stream

    @asynccontextmanager
    async def reading(self, stream: Stream) -> AsyncIterator[ReplayBuffer]:
        """Read a stream. When the reader leaves, it stops: at once, or if it is resumable after the grace."""
        self._cancel_expiry(stream)
        try:
            async with stream.reading() as buffer:
                yield buffer
        finally:
            if stream.id not in self._kept:
                await self.drop(stream)
            elif stream.reader is None:
                self._cancel_expiry(stream)
                loop = asyncio.get_running_loop()
                self._expiries[stream.id] = loop.call_later(self._settings.grace, self._forget, stream)

    async def drop(self, stream: Stream) -> None:
        """Stop a stream, and wait until the connection to the server is closed."""
        recording = self._forget(stream)
        if recording is not None:
            await asyncio.wait([recording])

    async def aclose(self) -> None:
        """End all streams with an error that says why, and start no others."""
        self._closing = True
        streams = [*self._recordings, *self._kept.values()]
        for stream in streams:
            stream.fail(Problem(503, "cut", "The relay was stopped.", "Continue the reply in a moment."))
        for stream in streams:
            await self.drop(stream)

    def revoke(self, holders: Collection[str]) -> None:
        """End the streams that belong to a token, unless its name is among `holders`."""
        for stream in {*self._recordings, *self._kept.values()}:
            if stream.owner and stream.owner not in holders:
                stream.fail(Problem(401, "unauthorized", "The token was removed.", "Ask whoever runs the relay."))
                self._forget(stream)

    def _forget(self, stream: Stream) -> asyncio.Task[None] | None:
        self._cancel_expiry(stream)
        self._kept.pop(stream.id, None)
        recording = self._recordings.get(stream)
        if recording is not None:
            recording.cancel()
        return recording

    def _cancel_expiry(self, stream: Stream) -> None:
        with suppress(KeyError):
            self._expiries.pop(stream.id).cancel()

    def _make_room(self, owner: str) -> None:
        """Forget finished streams without a reader, so that no more are held than may be generated at once.

        The owner's go before those of others, the oldest first.
        """
        waiting = [
            stream for stream in self._kept.values() if stream not in self._recordings and stream.reader is None
        ]
        waiting.sort(key=lambda stream: stream.owner != owner)
        own = sum(stream.owner == owner for stream in waiting)
        many = max(own - self._settings.streams_per_token, len(waiting) - self._settings.streams)
        for stream in waiting[: max(0, many + 1)]:
            self._forget(stream)


def _shortfall(recording: asyncio.Task[None]) -> Problem:
    """Why a recording ended, for a reply without an end."""
    error = None if recording.cancelled() else recording.exception()
    if error is None:
        return Problem(503, "cut", "The reply was stopped.", "Continue it.")
    _log.error("A reply failed with %s", type(error).__name__)
    return Problem(502, "server_fault", "The relay failed.", "Ask whoever runs it: its log names the error.")


def _too_many(who: str, count: int) -> Problem:
    replies = "one reply" if count == 1 else f"{count} replies"
    return Problem(
        429,
        "busy",
        f"{who} {replies} in progress already.",
        "Wait until one has ended.",
        retry_after=_RETRY_SECONDS,
    )
