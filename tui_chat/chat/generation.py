"""A reply that runs. It knows no screen: whoever looks at it takes the message as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Protocol

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.following import followed
from tui_chat.chat.progress import Progress
from tui_chat.chat.retry import ReplyPlan, RetryKind
from tui_chat.chat.turn import Turn
from tui_chat.errors import ChatError
from tui_chat.events import Event
from tui_chat.messages import Message
from tui_chat.store.store import Store
from tui_chat.tasks import start_task

CHECKPOINT_SECONDS: Final = 1.0
"""At most this much of a reply is lost when the process is killed."""
_BREATH_SECONDS: Final = 0.008
"""After so long of taking in what has arrived already, keys get their turn."""


Hear = Callable[[Event], Awaitable[None]]


class Growth:
    """One flag for many lookers: nothing queues up, and who was busy finds one change, however many there were."""

    def __init__(self) -> None:
        self._version = 0
        self._closed = False
        self._news = asyncio.Event()

    def grow(self) -> None:
        """Wake all who wait."""
        self._version += 1
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """There will be no more: who has seen the last change is done."""
        self._closed = True
        self.grow()

    async def changes(self) -> AsyncIterator[None]:
        """Once at the beginning, then whenever something changed since the last time."""
        seen = -1
        while True:
            if seen != self._version:
                seen = self._version
                yield
            elif self._closed:
                return
            else:
                await self._news.wait()


class Reply(Protocol):
    """What a looker knows of a reply, whoever receives it."""

    @property
    def message(self) -> Message | None:
        """The message as it is now; None while its prompt is not committed."""

    @property
    def progress(self) -> Progress | None:
        """Its figures, where it is received here."""

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt, while one is waited for."""

    @property
    def error(self) -> ChatError | None:
        """What ended it, or the last attempt, if it was not the model or a person."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""

    def changes(self) -> AsyncIterator[None]:
        """Wakes whenever it has changed, until it has ended."""

    async def stop(self) -> None:
        """Stop it, and keep what came."""

    async def run(self) -> None:
        """Receive it to its end."""


class Generation:
    """A reply that this process receives: its socket, its retries, its checkpoints and its end.

        Committing ─▶ Connecting ─▶ Waiting ─▶ Reading ─▶ Thinking ─▶ Answering ─▶ Ended
             │         ▲      │                                                      ▲
             │         └──────┘ tries again, while nothing has come                  │
             └────────────────────────────── cancelled, refused, cut: from everywhere┘

    Its phase is `progress.phase` once it connects, its outcome the `state` of the message. Cancelling the task of
    `run` stops it: the socket closes at once, what came is written. A commit is not undone.
    """

    def __init__(
        self,
        conversation: Conversation,
        begin: Callable[[], Awaitable[ReplyPlan | None]],
        connect: Callable[[ReplyPlan], Awaitable[Turn]],
        abandon: Callable[[ReplyPlan], Message],
        *,
        hear: Hear | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        """
        Args:
            begin: commits what is to be answered: the plan for that; None if there is nothing to answer.
            connect: the turn that carries out a plan, whose message is on disk.
            abandon: ends the message of a plan that was stopped before there was a turn, and gives it back.
            hear: is told each event, and reading waits for it: for a pipe that takes no more than it can.
        """
        self._conversation = conversation
        self._begin = begin
        self._connect = connect
        self._abandon = abandon
        self._hear = hear
        self._growth = Growth()
        self._checkpoints = _Checkpoints(self._keep_soon, checkpoint_seconds)
        self._task: asyncio.Task[object] | None = None
        self._failure: ChatError | None = None
        self.plan: ReplyPlan | None = None
        """What is carried out, once that is known."""
        self._before: str | None = None
        """The end of the branch before the reply was begun."""
        self.turn: Turn | None = None
        self.ended = False

    @property
    def message(self) -> Message | None:
        """The message as it is now; None while its prompt is not committed."""
        if self.turn is not None:
            return self.turn.message
        return None if self.plan is None else self.plan.reply

    @property
    def progress(self) -> Progress | None:
        """Its figures, once it connects."""
        return None if self.turn is None else self.turn.progress

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt, while one is waited for."""
        return None if self.turn is None else self.turn.retry_in

    @property
    def error(self) -> ChatError | None:
        """What ended it, or the last attempt."""
        return self._failure if self.turn is None else self.turn.error

    def changes(self) -> AsyncIterator[None]:
        """Wakes whenever it has changed, until it has ended."""
        return self._growth.changes()

    async def stop(self) -> None:
        """Stop it; returns once what came is on disk, or was tried."""
        while self._task is None:  # it was started and has not run yet: its prompt is to be kept
            await asyncio.sleep(0)
        if not self.ended:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run(self) -> None:
        """Receive the reply to its end."""
        self._task = asyncio.current_task()
        self._before = self._conversation.chat.leaf
        begun = start_task(_awaited(self._begin()))
        try:
            self.plan = await asyncio.shield(begun)
            if self.plan is None:
                return
            self._growth.grow()
            self.turn = await self._connect(self.plan)
            await self._receive(self.turn)
        except ChatError as error:
            self._failure = error
            if self.turn is None and self.plan is not None:
                self.plan = replace(self.plan, reply=self._abandon(self.plan))
        except asyncio.CancelledError:
            if self.turn is None and (plan := await asyncio.shield(begun)) is not None:
                self.plan = replace(plan, reply=self._abandon(plan))
            raise
        finally:
            self.ended = True
            self._growth.close()

    async def _receive(self, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        breathed = loop.time()
        try:
            self._growth.grow()
            async with aclosing(turn.events()) as events:
                async for event in events:
                    if turn.started:
                        self._checkpoints.request()
                    self._growth.grow()
                    if self._hear is not None:
                        await self._hear(event)
                    if loop.time() - breathed > _BREATH_SECONDS:
                        await asyncio.sleep(0)
                        breathed = loop.time()
        finally:
            self._checkpoints.stop()
            await asyncio.shield(self._conversation.keep(turn.message))
            regenerated = self.plan is not None and self.plan.kind is RetryKind.REGENERATE
            if regenerated and not turn.started:  # the version before is better than none
                self._conversation.go_back(self._before)

    def _keep_soon(self) -> None:
        if self.turn is not None:
            self._conversation.keep_soon(self.turn.message)


class RemoteReply:
    """A reply that another tui-chat receives: read from the store as its checkpoints come in."""

    progress: Progress | None = None
    retry_in: float | None = None
    error: ChatError | None = None

    def __init__(
        self, conversation: Conversation, store: Store, ask_to_stop: Callable[[Message], Awaitable[None]]
    ) -> None:
        self._conversation = conversation
        self._store = store
        self._ask_to_stop = ask_to_stop
        self._growth = Growth()
        self.ended = False
        self.message = conversation.last

    def changes(self) -> AsyncIterator[None]:
        """Wakes whenever a checkpoint came in, until it has ended."""
        return self._growth.changes()

    async def stop(self) -> None:
        """Ask the other tui-chat to stop it.

        Raises:
            StoreError: the store cannot be written.
        """
        if self.message is not None:
            await self._ask_to_stop(self.message)

    async def run(self) -> None:
        """Follow it to its end."""
        try:
            async with aclosing(followed(self._conversation, self._store)) as news:
                async for message in news:
                    self.message = message
                    self._growth.grow()
        finally:
            self.ended = True
            self._growth.close()


class _Checkpoints:
    """Saves at once after a rest, then so many seconds later what has come meanwhile, even if nothing follows."""

    def __init__(self, save: Callable[[], None], seconds: float) -> None:
        self._save = save
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._news = False

    def request(self) -> None:
        """There is something new to save."""
        if self._timer is None:
            self._save()
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._due)
        else:
            self._news = True

    def stop(self) -> None:
        """Save no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        if self._news:
            self._news = False
            self.request()


async def _awaited(work: Awaitable[ReplyPlan | None]) -> ReplyPlan | None:
    return await work
