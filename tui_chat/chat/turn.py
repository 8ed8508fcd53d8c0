"""One reply in flight: pulls events from the backend, keeps what came, and knows how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from tui_chat.backends.base import Backend
from tui_chat.chat.progress import Phase, Progress
from tui_chat.errors import Busy, Cut, Garbled, ReplyError, Unreachable
from tui_chat.events import Continued, Delta, Event, Finished, Thinking, WasThinking
from tui_chat.messages import ChatRequest, Message, State, Usage
from tui_chat.text.overlap import OverlapTrimmer

_FAR: Final = 30.0
"""The longest pause between attempts, in seconds."""
_PATIENCE: Final = 120.0
"""The longest pause that a server may wish for, in seconds; longer ones are left to the user."""
_ATTEMPTS: Final = 7
"""With pauses of 2, 4, 8, 16 and 30 seconds that is a minute and a half of trying."""


_LONGEST: Final = 16_000_000
"""Characters of a reply; a server that sends more does not mean well."""


class Turn:
    """The reply to one request. Iterate over `events()` once; `message` is what there is of it at any time."""

    def __init__(
        self, backend: Backend, request: ChatRequest, reply: Message, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend = backend
        self._request = request
        self._clock = clock
        self._base = reply
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._size = 0
        self._arrived = False
        self.progress = Progress(clock)
        self.retry_in: float | None = None
        """Seconds until the next attempt, while one is being waited for."""
        self.error: ReplyError | None = None
        """What ended it, if it was not the model or the user."""

    @property
    def id(self) -> str:
        """The id of the message."""
        return self._base.id

    @property
    def message(self) -> Message:
        """The reply as far as it is there."""
        text, thinking = "".join(self._text), "".join(self._thinking)
        self._text, self._thinking = [text], [thinking]
        return self._base.grown(text, thinking)

    @property
    def started(self) -> bool:
        """Whether anything of the reply has arrived."""
        return self._arrived

    async def events(self) -> AsyncGenerator[Event, None]:
        """The events of the reply, texts already joined to what was there before.

        Closing the generator, or cancelling its task, stops the reply: the socket closes at once. An error of
        the server's ends the iteration; `error` and the message's state tell it.
        """
        state, reason = State.INTERRUPTED, ""
        try:
            async with aclosing(self._attempts()) as stream:
                async for event in stream:
                    self.progress.take(event)
                    match event:
                        case Delta(text):
                            self._grow(self._text, text)
                        case Thinking(text):
                            if self._base.text:
                                continue  # about how to go on: it is no part of what goes on
                            self._grow(self._thinking, text)
                        case WasThinking():
                            self._thinking += [] if self._base.text else self._text
                            self._text.clear()
                        case Finished():
                            state, reason = State.COMPLETE, event.reason
                    yield event
        except ReplyError as error:
            self.error = _with_time(error)
            state = _state_after(error, started=self.started)
        except (asyncio.CancelledError, GeneratorExit):
            state = State.STOPPED
            raise
        finally:
            self._end(state, reason)

    def _grow(self, parts: list[str], text: str) -> None:
        self._size += len(text)
        if self._size > _LONGEST:
            raise Garbled(f"The reply is longer than {_LONGEST:,} characters.", "Ctrl+R goes on from here.")
        parts.append(text)

    def _end(self, state: State, reason: str) -> None:
        progress = self.progress
        progress.enter(Phase.ENDED)
        self._base = replace(
            self._base,
            state=state,
            finish=reason,
            usage=self._usage(),
            error=str(self.error) if self.error else "",
            first_token=progress.first_token_seconds,
            seconds=progress.seconds,
        )

    def _usage(self) -> Usage | None:
        """What the server told, and how long it thought: what goes on was thought before."""
        before, told = self._base.usage, self.progress.usage
        thought = self.progress.thought_seconds
        if self._base.text:
            thought = before.thinking_seconds if before else None
        return told if thought is None else replace(told or Usage(), thinking_seconds=thought)

    async def _attempts(self) -> AsyncGenerator[Event, None]:
        """One attempt after another until something arrives, as long as the connection is what fails."""
        pause = 1.0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with aclosing(self._attempt()) as stream:
                    async for event in stream:
                        yield event
                return
            except (Unreachable, Cut, Busy) as error:
                if self.started or not _worth_retrying(error, attempt):
                    raise
                wish = error.retry_after if isinstance(error, Busy) else None
                pause = min(_FAR, pause * 2) if wish is None else max(1.0, wish)
                self.error = error
            await self._wait(pause)

    async def _wait(self, seconds: float) -> None:
        until = self._clock() + seconds
        try:
            while (left := until - self._clock()) > 0:
                self.retry_in = left
                await asyncio.sleep(min(1.0, left))
        finally:  # who stops waiting has stopped it, whatever the server had
            self.retry_in = self.error = None
        self.progress.enter(Phase.CONNECTING)

    async def _attempt(self) -> AsyncGenerator[Event, None]:
        """One request, with what it repeats of the prefill trimmed away, whatever the server promised."""
        prefill, exact = self._request.prefill, True
        trimmer = OverlapTrimmer(prefill, exact=exact)
        finished = False
        async with aclosing(self._backend.reply(self._request)) as stream:
            try:
                async for event in stream:
                    match event:
                        case Continued(exact):
                            trimmer = OverlapTrimmer(prefill, exact=exact)
                        case WasThinking():
                            trimmer = OverlapTrimmer(prefill, exact=exact)
                        case Thinking():
                            self._arrived = True
                        case Delta(text):
                            self._arrived = True
                            if (kept := trimmer.feed(text)) != text:
                                event = Delta(kept)
                            if not (kept or event.exact):
                                continue
                        case Finished():
                            finished = True
                            if rest := trimmer.finish():
                                yield Delta(rest)
                    yield event
            except ReplyError:
                if rest := trimmer.finish():
                    yield Delta(rest)
                raise
        if not finished:
            if rest := trimmer.finish():
                yield Delta(rest)
            raise Cut("The reply ended without an end marker", "Ctrl+R continues it.")


def _state_after(error: ReplyError, *, started: bool) -> State:
    if isinstance(error, Cut | Garbled) and started:
        return State.INTERRUPTED
    return State.FAILED


def _with_time(error: ReplyError) -> ReplyError:
    """`error`; where the server wants to be left alone for long, its hint says until when."""
    if not isinstance(error, Busy) or error.retry_after is None or error.retry_after <= _PATIENCE:
        return error
    until = time.strftime("%H:%M", time.localtime(time.time() + error.retry_after))
    minutes = round(error.retry_after / 60)
    hint = f"It wants to be asked again in {minutes} minutes, at {until}: Ctrl+R does so."
    return Busy(str(error), hint, status=error.status, retry_after=error.retry_after)


def _worth_retrying(error: ReplyError, attempt: int) -> bool:
    """A connection that fails or breaks is worth it, and a busy server that says when to come back, if soon."""
    if isinstance(error, Busy) and (error.retry_after is None or error.retry_after > _PATIENCE):
        return False
    return attempt < _ATTEMPTS
