"""A reply that this process receives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any, Final, TypeVar

from tui_chat.chat.choices import Choices
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.partial import PartialReply
from tui_chat.chat.progress import Phase, Progress
from tui_chat.chat.reply import Growth
from tui_chat.chat.retry import ReplyPlan, RetryKind, pause_after, with_time
from tui_chat.chat.summary import parameters_for
from tui_chat.errors import ChatError, Cut, Garbled, Remedy, ReplyError
from tui_chat.events import Event, Finished
from tui_chat.messages import ChatRequest, Message, State
from tui_chat.servers.backend import Backend
from tui_chat.servers.connection import Connection
from tui_chat.store.values import ChatFields
from tui_chat.tasks import start_task

CHECKPOINT_SECONDS: Final = 1.0
"""At most this much of a reply is lost when the process is killed."""
REQUEST_SECONDS: Final = 0.015
"""A request leaves in less, if painting does not hold it up."""
_BREATH_SECONDS: Final = 0.008
"""Longest time to process received data before keys get their turn."""

_Result = TypeVar("_Result")
Hear = Callable[[Event], Awaitable[None]]
Prepare = Callable[[], Awaitable[None]]


class Generation:
    """A reply that this process receives, from the commit of its prompt to its end on disk.

                                 ┌──────── Pausing ◀───────┐  while nothing has come
                                 ▼                         │
        Queued ─▶ Committing ─▶ Connecting ─▶ Waiting ─▶ Reading ─▶ Thinking ◀─▶ Answering ─▶ Ended
                      │           └───────── each may be skipped ──────────────────┘            ▲
                      └─ nothing to answer, nobody to ask; stopped, refused or cut: from anywhere┘

    `state` is the present state, `message.state` the end: complete, stopped, interrupted or failed. It runs as one
    task. Cancelling that closes the socket at once and saves what came; a commit that has begun is finished first,
    so that no prompt is lost.
    """

    def __init__(
        self,
        conversation: Conversation,
        connection: Connection,
        choices: Choices,
        begin: Callable[[], Awaitable[ReplyPlan | None]],
        *,
        hear: Hear | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            begin: returns the plan when the commit begins; None if there is nothing to answer.
            hear: receives each event, and reading waits for it: for a slow pipe.
            clock: seconds.
        """
        self._conversation = conversation
        self._connection = connection
        self._choices = choices
        self._begin = begin
        self.prepare: Prepare | None = None
        """Is awaited before the commit, and given up if this is cancelled."""
        self._hear = hear
        self._clock = clock
        self._growth = Growth()
        self._checkpointed: Message | None = None
        self._next_checkpoint: asyncio.TimerHandle | None = None
        self._progress = Progress(clock)
        self._task: asyncio.Task[object] | None = None
        self._partial: PartialReply | None = None
        self._before: str | None = None
        """The last message of the branch before this reply."""
        self.retry_in: float | None = None
        """Seconds until the next attempt, while it waits for one."""
        self.error: ChatError | None = None
        """The error that ended it or its last attempt, if any."""

    @property
    def state(self) -> Phase:
        """Its present state."""
        return self._progress.phase

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.state is Phase.ENDED

    @property
    def message(self) -> Message | None:
        """The message as it is now; None while its prompt is not committed."""
        return None if self._partial is None else self._partial.message

    @property
    def progress(self) -> Progress | None:
        """Its figures, once the server was asked."""
        return self._progress if self._progress.asked else None

    @property
    def notice(self) -> str:
        """What the person should know of how the server was asked; usually empty."""
        if self.message is None or not self._progress.thinking_unset:
            return ""
        return f"{self.message.model} cannot be told how much to think: it was asked without that."

    @property
    def end_thinking(self) -> Callable[[], Awaitable[None]] | None:
        """Makes it answer at once; None unless it thinks on a server that can do that."""
        return self._progress.end_thinking if self.state is Phase.THINKING else None

    def changes(self) -> AsyncIterator[None]:
        """Yields whenever it has changed, until it has ended."""
        return self._growth.changes()

    async def wait(self) -> None:
        """Return once it has ended."""
        async for _ in self.changes():
            pass

    async def stop(self) -> None:
        """Stop it, and wait until what came is on disk or saving has failed."""
        while self._task is None:  # it was started and has not run yet: its prompt is to be kept
            await asyncio.sleep(0)
        if not self.ended:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run(self) -> None:
        """Receive the reply to its end."""
        self._task = asyncio.current_task()
        self._progress.enter(Phase.COMMITTING)
        state = State.INTERRUPTED
        try:
            if self.prepare is not None:
                await self.prepare()
            partial = await _whatever_comes(self._commit())
            if partial is not None:
                await self._receive(partial)
                state = State.COMPLETE
        except ChatError as error:
            self.error = with_time(error)
            if not (self._progress.pieces and isinstance(error, Cut | Garbled)):
                state = State.FAILED
        except asyncio.CancelledError:
            state = State.STOPPED
            raise
        finally:
            try:
                await self._keep(state)
            finally:
                self._progress.enter(Phase.ENDED)
                self._growth.close()

    async def _commit(self) -> PartialReply | None:
        """Save the prompt and begin the reply; None if there is nothing to answer."""
        plan = await self._begin()
        if plan is None:
            return None
        leaf = self._conversation.chat.leaf
        self._before = leaf if plan.kind is RetryKind.REGENERATE else plan.reply.parent
        prompts = [] if plan.prompt is None else [plan.prompt]
        self._partial = await self._begin_reply(plan, *prompts)
        self._grow_soon()
        return self._partial

    def _grow_soon(self) -> None:
        """Wake the waiters once the request has left: it would wait for their painting."""
        asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._growth.grow)

    async def _begin_reply(self, plan: ReplyPlan, *prompts: Message) -> PartialReply:
        """Save prompts and the empty reply with title, draft, model and server in one transaction."""
        connection = self._connection
        model, server = connection.model, connection.server
        reply = replace(plan.reply, model=model, server=server.label, created=time.time())
        chat = self._conversation
        own = self._choices.parameters(chat.chat.parameters, connection, new=chat.unanswered)
        fields = plan.fields | {"model": model, "server": server.address, "parameters": own}
        settings = self._choices.of(connection)
        await chat.begin(*prompts, reply, settings=settings, waited=plan.waited, **fields)
        return PartialReply(plan, reply)

    async def _receive(self, partial: PartialReply) -> None:
        """Ask the server, and try again while the connection fails before anything has arrived.

        Raises:
            ReplyError: there is no model, or the reply is not complete.
            StoreError: images or files of the prompts cannot be read.
        """
        connection = self._connection
        if not partial.message.model:
            await connection.look()
            if not connection.model:
                unknown = ReplyError(f"The models of {connection.server.label} are not known yet")
                raise connection.obstacle or unknown
            plan = replace(partial.plan, fields=ChatFields(), waited=False)
            partial = self._partial = await self._begin_reply(plan)
        backend, plan = connection.backend, partial.plan
        request = await self._conversation.request(partial.message, plan.prefill)
        own = parameters_for(self._conversation, partial.message)
        request = self._choices.apply(own, replace(request, format=plan.format), connection)
        for attempt in count(1):
            self._progress.enter(Phase.CONNECTING)
            self._grow_soon()
            try:
                await self._attempt(backend, request, partial)
                return
            except ReplyError as error:
                pause = None if self._progress.pieces else pause_after(error, attempt)
                if pause is None:
                    raise
                self.error = error
            await self._pause(pause)

    async def _attempt(self, backend: Backend, request: ChatRequest, partial: PartialReply) -> None:
        """Make one request and receive the reply.

        Raises:
            ReplyError: the reply is not complete.
        """
        partial.restart()
        finished, now = False, asyncio.get_running_loop().time
        breathed = now()
        try:
            async with aclosing(backend.reply(request)) as events:
                async for event in events:
                    finished = finished or isinstance(event, Finished)
                    self._progress.take(event)
                    await self._tell(partial.take(event))
                    if now() - breathed > _BREATH_SECONDS:
                        await asyncio.sleep(0)
                        breathed = now()
            if not finished:
                raise Cut("The reply ended without an end marker", "", Remedy.CONTINUE)
        except ReplyError:
            await self._tell(partial.flush())
            raise

    async def _tell(self, events: Iterable[Event]) -> None:
        """Checkpoint, wake the waiters, and pass events to `hear`."""
        if self._progress.pieces and self._next_checkpoint is None:
            self._checkpoint()
        self._growth.grow()
        if self._hear is not None:
            for event in events:
                await self._hear(event)

    async def _pause(self, seconds: float) -> None:
        self._progress.enter(Phase.PAUSING)
        until, self.retry_in = self._clock() + seconds, seconds
        self._growth.grow()
        try:
            while self.retry_in > 0:
                await asyncio.sleep(min(1.0, self.retry_in))
                self.retry_in = until - self._clock()
        finally:  # stopped while waiting: the server's error no longer counts
            self.retry_in = self.error = None

    def _checkpoint(self) -> None:
        """Save what has come: now, and again after each interval in which more came."""
        message, self._next_checkpoint = self.message, None
        if message is not None and message != self._checkpointed:
            self._conversation.keep(message)
            self._checkpointed = message
            loop = asyncio.get_running_loop()
            self._next_checkpoint = loop.call_later(CHECKPOINT_SECONDS, self._checkpoint)

    async def _keep(self, state: State) -> None:
        """Save the end. Empty regenerations and replies that were never asked for leave the branch as it was."""
        if self._next_checkpoint is not None:
            self._next_checkpoint.cancel()
        if self._partial is None:
            return
        self._partial.end(state, str(self.error or ""), self._progress)
        message = self._partial.message
        await self._conversation.keep(message)
        regenerated = self._partial.plan.kind is RetryKind.REGENERATE
        if not message.parts and (regenerated or not self._progress.asked):
            self._conversation.note(leaf=self._before)


async def _whatever_comes(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of `work`, which is finished even if this is cancelled."""
    task = start_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.shield(task)
        raise
