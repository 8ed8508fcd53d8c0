"""Saves one chat: one write at a time, repeated until it succeeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, cast

from tui_chat.errors import StoreError
from tui_chat.messages import Message
from tui_chat.store.database import Closed
from tui_chat.store.store import Store
from tui_chat.store.values import ChangedElsewhere, Chat, ChatFields, QueueChange
from tui_chat.tasks import start_task

_AGAIN_SECONDS: Final = 3.0
"""Seconds before a failed write is tried again."""


class Writer:
    """Saves messages and fields of one chat. Queued changes are saved in their newest state only."""

    def __init__(
        self,
        store: Store,
        chat: Callable[[], Chat],
        branch_off: Callable[[Collection[str]], Iterable[Message]],
        *,
        stored: bool,
    ) -> None:
        """
        Args:
            chat: returns the present state of the chat.
            branch_off: turns messages that another process has changed into versions of their own.
            stored: whether the chat is in the store already.
        """
        self._branch_off = branch_off
        self._store = store
        self._chat = chat
        self._stored = stored
        self._messages: dict[str, Message] = {}
        self._fields = set[str]()
        self._queue: list[QueueChange] = []
        self._settings: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self.trouble: StoreError | None = None
        """Why the last write failed; None if all is on disk."""

    @property
    def unsaved(self) -> Collection[str]:
        """The ids of the messages with unsaved changes."""
        return self._messages.keys()

    def with_unsaved(self, queue: tuple[str, ...]) -> tuple[str, ...]:
        """The waiting prompts on disk, after the unsaved changes."""
        for change in self._queue:
            queue = change.apply(queue)
        return queue

    def write(
        self,
        *messages: Message,
        fields: Collection[str] = (),
        queue: Iterable[QueueChange] = (),
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> asyncio.Task[None]:
        """Save messages (parents first), the named fields of the chat, changes of its queue, and settings.

        One transaction; the task ends after the attempt. An empty chat is not saved.
        """
        self._messages |= {message.id: message for message in messages}
        self._fields.update(fields)
        self._queue.extend(queue)
        self._settings.update(settings)
        if self._next is None:
            self._next = start_task(self._write())
        return self._next

    async def settle(self) -> None:
        """Try once more to save what is not on disk."""
        if self._messages or self._fields or self._queue or self._settings:
            await asyncio.shield(self.write())

    async def _write(self) -> None:
        async with self._lock:
            self._next = None
            if self._again is not None:
                self._again.cancel()
            try:
                while await self._write_once():
                    pass
            except Closed:
                self.trouble = self.trouble or StoreError("The disk did not respond in time.")
            except StoreError as error:
                self.trouble = error
                self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.write)
            else:
                self.trouble = None

    async def _write_once(self) -> bool:
        """Save all changes in one transaction; whether messages got new ids and must be saved again."""
        chat, messages, settings = self._chat(), dict(self._messages), dict(self._settings)
        changed = self._fields or self._queue
        wanted = bool(messages or (changed and (self._stored or chat.draft or chat.queue)))
        queue = tuple(self._queue) if wanted else ()
        if not (wanted or settings):
            return False
        fields = cast(ChatFields, {name: getattr(chat, name) for name in self._fields if wanted})
        drafted = "draft" in fields and chat.leaf is None  # without draft or messages it is not listed
        refused: Collection[str] = ()
        try:
            await self._store.save(
                chat.id,
                *messages.values(),
                new=None if self._stored or not wanted else replace(chat, leaf=None, queue=()),
                fields=fields,
                queue=queue,
                deleted=not chat.draft if drafted else None,
                settings=settings,
            )
        except ChangedElsewhere as conflict:
            refused = conflict.messages
        self._stored = self._stored or wanted
        for id, message in messages.items():
            if id in refused or self._messages[id] is message:
                del self._messages[id]
        now = self._chat()
        del self._queue[: len(queue)]
        self._fields -= {name for name, value in fields.items() if getattr(now, name) == value}
        self._settings = {key: value for key, value in self._settings.items() if settings.get(key) != value}
        if refused:
            self._messages |= {message.id: message for message in self._branch_off(refused)}
        return bool(refused)
