"""Waking those who watch a reply, and replies that another tui-chat receives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.progress import Progress
from tui_chat.errors import ChatError, StoreError

STOP: Final = "stop"
"""The setting that asks another tui-chat to stop a reply: the id of the message."""
_LOOK_SECONDS: Final = 1.0
"""Seconds between reads of the store: as often as a reply is checkpointed."""


class Growth:
    """Wakes many waiters. Nothing queues up: a slow waiter sees many changes as one."""

    def __init__(self) -> None:
        self._closed = False
        self._news = asyncio.Event()

    def grow(self) -> None:
        """Wake all who wait."""
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """End: waiters see one last change."""
        self._closed = True
        self.grow()

    async def changes(self) -> AsyncIterator[None]:
        """Yields once at the beginning, then after changes."""
        closed = False
        while not closed:
            closed, news = self._closed, self._news
            yield
            if not closed:
                await news.wait()


class RemoteReply:
    """The last message of a chat while another tui-chat receives it, read from the store."""

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
        """Yields after each new checkpoint, until it has ended."""
        return self._growth.changes()

    async def stop(self) -> None:
        """Ask the other tui-chat to stop it.

        Raises:
            StoreError: the store cannot be written.
        """
        if self.message is not None:
            await self._conversation.store.remember(STOP, self.message.id)

    async def run(self) -> None:
        """Follow it to its end. Without news, check whether its process is gone."""
        conversation = self._conversation
        try:
            while conversation.elsewhere:
                await asyncio.sleep(self._look_seconds)
                with suppress(StoreError):  # maybe locked: try again at the next look
                    if not await conversation.catch_up():
                        await conversation.store.recover()
                if conversation.last != self.message:
                    self.message = conversation.last
                    self._growth.grow()
        finally:
            self.ended = True
            self._growth.close()
