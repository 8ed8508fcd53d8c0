"""Replies in progress: how many each caller may have, who reads them, and how long they go on without a reader."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing, contextmanager, suppress

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


class Stream:
    """One reply: written to a `ReplayBuffer` as the backend sends it, and read by one client at a time."""

    def __init__(
        self, owner: str, dialect: Dialect, request: ChatRequest, settings: Settings, *, resumable: bool
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner = owner
        self.dialect = dialect
        self.resumable = resumable
        keep = settings.resume_bytes
        self.buffer = ReplayBuffer(keep, keep) if resumable else ReplayBuffer(settings.ahead_bytes)
        self.reader: object = None
        """Whoever reads it now, if anybody does."""
        self.kept = False
        """Whether its client knows its id and may come back."""
        self.expiry: asyncio.TimerHandle | None = None
        self._request = request
        self._duration = settings.duration
        self._begun = asyncio.Event()
        """Set when the server has accepted or refused."""
        self._refusal: Problem | None = None
        """Why the server refused, if it sent nothing else."""

    async def record(self, backend: Backend) -> None:
        """Write the whole reply to the buffer, as fast as the reader reads."""
        try:
            async with asyncio.timeout(self._duration):
                await self._record(backend)
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
        if not self._begun.is_set():
            self._refusal = problem
        for data in self.dialect.fail(problem):
            self._write(data)
        self._end()

    async def accepted(self, seconds: float) -> None:
        """Wait until the server accepts or refuses; for a live answer `seconds` at most.

        Raises:
            Problem: it refused.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds if self.dialect.live else None):
                await self._begun.wait()
        if self._refusal:
            raise self._refusal

    def stay(self) -> None:
        """Do not expire."""
        if self.expiry is not None:
            self.expiry.cancel()

    async def _record(self, backend: Backend) -> None:
        async with aclosing(backend.reply(self._request)) as events:
            async for event in events:
                await self.buffer.room()
                for data in self.dialect.say(event):
                    self._write(data)
                if isinstance(event, Finished):
                    return
                if self.dialect.live and not isinstance(event, Continued):
                    self._begun.set()
        raise Cut("The reply ended without its last event.")

    def _write(self, data: str) -> None:
        self.buffer.write(self.dialect.frame(self.buffer.last + 1, data))

    def _end(self) -> None:
        self._begun.set()
        self.buffer.close()


class Streams:
    """All replies in progress, and those that a client may still resume."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self.settings = settings
        self._recordings: dict[Stream, asyncio.Task[None]] = {}
        """By stream, until it is forgotten: the task that generates its reply."""
        self.places: list[str] = []
        """The callers that have a reply in progress, once for each."""
        self._closing = False

    @contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """Let a caller have one more reply in progress while inside.

        Raises:
            Problem: the caller or the relay has as many as it may.
        """
        if self.places.count(owner) >= self.settings.streams_per_token:
            raise _too_many("You have", self.settings.streams_per_token)
        if len(self.places) >= self.settings.streams:
            raise _too_many("The relay has", self.settings.streams)
        self.places.append(owner)
        try:
            yield
        finally:
            self.places.remove(owner)

    def start(self, stream: Stream, release: Callable[[], None]) -> None:
        """Start to generate the reply; calls `release` when that has ended."""
        if self._closing:
            release()
            raise _busy(503, "The relay is stopping.", "Try again in a moment.")

        def over(recording: asyncio.Task[None]) -> None:
            release()
            stream.fail(_shortfall(recording))

        self._recordings[stream] = start_task(stream.record(self._backend))
        self._recordings[stream].add_done_callback(over)

    def keep(self, stream: Stream) -> None:
        """Hold a resumable stream: its client knows its id from now on and may come back."""
        if stream.resumable:
            self._make_room(stream.owner)
            stream.kept = True

    def find(self, key: str, owner: str) -> Stream:
        """The resumable stream with the id `key`.

        Raises:
            Problem: there is none, or it belongs to another token.
        """
        for stream in self._recordings:
            if stream.kept and stream.id == key and stream.owner == owner:
                return stream
        raise Problem(404, "cut", "The relay no longer has that reply.", "Continue it.")

    @contextmanager
    def reading(self, stream: Stream, reader: object) -> Iterator[None]:
        """Make `reader` the reader of a stream while inside, in place of another.

        When it leaves, the stream stops: at once, or if it is kept after the grace.
        """
        stream.stay()
        stream.reader = reader
        try:
            yield
        finally:
            if stream.reader is reader:
                stream.reader = None
                grace = self.settings.grace if stream.kept else 0.0
                stream.expiry = asyncio.get_running_loop().call_later(grace, self._forget, stream)

    async def drop(self, stream: Stream) -> None:
        """Stop a stream, and wait until the connection to the server is closed."""
        if recording := self._forget(stream):
            await asyncio.wait([recording])

    async def aclose(self) -> None:
        """End all streams with an error that says why, and start no others."""
        self._closing = True
        streams = list(self._recordings)
        for stream in streams:
            stream.fail(Problem(503, "cut", "The relay was stopped.", "Continue the reply in a moment."))
        for stream in streams:
            await self.drop(stream)

    def revoke(self, holders: Collection[str]) -> None:
        """End the streams that belong to a token, unless its name is among `holders`."""
        for stream in list(self._recordings):
            if stream.owner and stream.owner not in holders:
                stream.fail(Problem(401, "unauthorized", "The token was removed.", "Ask whoever runs the relay."))
                self._forget(stream)

    def _forget(self, stream: Stream) -> asyncio.Task[None] | None:
        stream.stay()
        stream.kept = False
        recording = self._recordings.pop(stream, None)
        if recording is not None:
            recording.cancel()
        return recording

    def _make_room(self, owner: str) -> None:
        """Forget finished streams without a reader, so that no more are held than may be generated at once.

        The owner's go before those of others, the oldest first.
        """
        waiting = [stream for stream, task in self._recordings.items() if task.done() and stream.reader is None]
        waiting.sort(key=lambda stream: stream.owner != owner)
        own = sum(stream.owner == owner for stream in waiting)
        many = max(own - self.settings.streams_per_token, len(waiting) - self.settings.streams)
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
    return _busy(429, f"{who} {replies} in progress already.", "Wait until one has ended.")


def _busy(status: int, message: str, hint: str) -> Problem:
    return Problem(status, "busy", message, hint, retry_after=_RETRY_SECONDS)
