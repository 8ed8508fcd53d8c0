"""What wakes the lookers of a reply, and a reply that another tui-chat receives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.progress import Progress
from tui_chat.errors import ChatError, StoreError

STOP: Final = "stop"
"""The setting by which another tui-chat is asked to stop a reply: its value is the id of the message."""
_LOOK_SECONDS: Final = 1.0
"""How often the store is looked at: as often as a reply is checkpointed."""


class Growth:
    """One flag for many lookers: nothing queues up, and who was busy finds one change, however many there were."""

    def __init__(self) -> None:
        self._closed = False
        self._news = asyncio.Event()

    def grow(self) -> None:
        """Wake all who wait."""
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """There will be no more: who has seen the last change is done."""
        self._closed = True
        self.grow()

    async def changes(self) -> AsyncIterator[None]:
        """Once at the beginning, then whenever something changed since the last time."""
        closed = False
        while not closed:
            closed, news = self._closed, self._news
            yield
            if not closed:
                await news.wait()


class RemoteReply:
    """The last message of a chat, which another tui-chat receives: read from the store as it is checkpointed."""

    progress: Progress | None = None
    retry_in: float | None = None
    error: ChatError | None = None

    def __init__(self, conversation: Conversation, look_seconds: float = _LOOK_SECONDS) -> None:
        self._conversation = conversation
        self._look_seconds = look_seconds
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
            await self._conversation.store.remember(STOP, self.message.id)

    async def run(self) -> None:
        """Follow it until it streams no more. Where there is no news, its writer may be gone."""
        conversation = self._conversation
        try:
            while conversation.elsewhere:
                await asyncio.sleep(self._look_seconds)
                with suppress(StoreError):  # locked for a moment, or worse: nothing is lost by looking again
                    if not await conversation.catch_up():
                        await conversation.store.recover()
                if conversation.last != self.message:
                    self.message = conversation.last
                    self._growth.grow()
        finally:
            self.ended = True
            self._growth.close()
