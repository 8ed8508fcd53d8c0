"""Replies in progress: who may have how many, who reads which, and how long one outlives its reader."""

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
    """The right to have a reply generated, of which every caller has a few, and all together a few more."""

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
            Problem: all are taken.
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
    """One reply on its way from the backend to a tape, from which one client at a time reads."""

    def __init__(self, owner: str, dialect: Dialect, settings: Settings, *, resumable: bool) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.dialect = dialect
        self.resumable = resumable
        self.begun = asyncio.Event()
        """Set once the server has said yes or no."""
        self.refusal: Problem | None = None
        """The no, if nothing but that was said."""
        keep = settings.resume_bytes
        self.tape = ReplayBuffer(keep, keep) if resumable else ReplayBuffer(settings.ahead_bytes)
        self._duration = settings.duration
        self.reader: asyncio.Task[None] | None = None

    async def record(self, backend: Backend, request: ChatRequest) -> None:
        """Write the whole reply to the tape, at the pace of the reader."""
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
        """Say that the reply will have no end, if it has none."""
        if self.tape.closed:
            return
        if not self.begun.is_set():
            self.refusal = problem
        for data in self.dialect.fail(problem):
            self._write(data)
        self._end()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReplayBuffer]:
        """Be its reader while inside; whoever was it before is cancelled, and gone when this begins."""
        mine = asyncio.current_task()
        before, self.reader = self.reader, mine
        try:
            if before is not None:
                before.cancel()
                await asyncio.wait([before])
            yield self.tape
        finally:
            if self.reader is mine:
                self.reader = None

    async def _record(self, backend: Backend, request: ChatRequest) -> None:
        async with aclosing(backend.reply(request)) as events:
            async for event in events:
                await self.tape.room()
                for data in self.dialect.say(event):
                    self._write(data)
                if isinstance(event, Finished):
                    return
                if self.dialect.live and not isinstance(event, Continued):
                    self.begun.set()
        raise Cut("The reply ended without its end.")

    def _write(self, data: str) -> None:
        self.tape.write(self.dialect.frame(self.tape.last + 1, data))

    def _end(self) -> None:
        self.begun.set()
        self.tape.close()


class Streams:
    """All replies in progress, and those that a client may still come back for."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings
        self._recordings: dict[Stream, asyncio.Task[None]] = {}
        self._kept: dict[str, Stream] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._closing = False

    def start(self, stream: Stream, request: ChatRequest, release: Callable[[], None]) -> None:
        """Have the reply generated; `release` is called when that is over."""
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
        """Hold a stream that can be resumed for its client to come back: from now on that knows its name."""
        if stream.resumable and stream.id not in self._kept:
            self._make_room(stream.owner)
            self._kept[stream.id] = stream

    def find(self, key: str, owner: str) -> Stream:
        """The stream that can be resumed as `key`.

        Raises:
            Problem: it is not there, or another's.
        """
        stream = self._kept.get(key)
        if stream is None or stream.owner != owner:
            raise Problem(404, "cut", "The relay does not have that reply, or no longer.", "Continue it.")
        return stream

    @asynccontextmanager
    async def reading(self, stream: Stream) -> AsyncIterator[ReplayBuffer]:
        """Read a stream. One that cannot be resumed stops when its reader goes, another after its grace."""
        self._cancel_expiry(stream)
        try:
            async with stream.reading() as tape:
                yield tape
        finally:
            if stream.id not in self._kept:
                await self.drop(stream)
            elif stream.reader is None:
                self._cancel_expiry(stream)
                loop = asyncio.get_running_loop()
                self._expiries[stream.id] = loop.call_later(self._settings.grace, self._forget, stream)

    async def drop(self, stream: Stream) -> None:
        """Stop a stream; returns when the connection to the server is closed."""
        recording = self._forget(stream)
        if recording is not None:
            await asyncio.wait([recording])

    async def aclose(self) -> None:
        """End all streams with a word of explanation, and begin no others."""
        self._closing = True
        streams = [*self._recordings, *self._kept.values()]
        for stream in streams:
            stream.fail(Problem(503, "cut", "The relay was stopped.", "Continue the reply in a moment."))
        for stream in streams:
            await self.drop(stream)

    def revoke(self, holders: Collection[str]) -> None:
        """End the streams of those who began them with a token, and are not among the `holders` of one now."""
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
        """Of those that only wait to be come back for, hold as many as may be generated at once.

        The owner's own have to go before those of others, and the oldest first.
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
    """Why a recording is over, for a reply that has no end."""
    error = None if recording.cancelled() else recording.exception()
    if error is None:
        return Problem(503, "cut", "The reply was stopped.", "Continue it.")
    _log.error("A reply ended in %s", type(error).__name__)
    return Problem(502, "server_fault", "The relay failed.", "Ask whoever runs it: its log names the error.")


def _too_many(who: str, count: int) -> Problem:
    replies = "one reply" if count == 1 else f"{count} replies"
    return Problem(
        429, "busy", f"{who} {replies} in progress already.", "Wait for one to end.", retry_after=_RETRY_SECONDS
    )
