"""A chat's way to the disk: one write at a time, of the newest state, again and again until it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message
from tui_chat.store.database import Closed
from tui_chat.store.store import Store
from tui_chat.store.values import ChangedElsewhere, Chat, ChatFields
from tui_chat.tasks import start_task

_AGAIN_SECONDS: Final = 3.0
"""How long to wait until what could not be written is tried again."""


class Writer:
    """Writes the messages and fields of one chat. What waits for a write is written in its newest state only."""

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
            chat: tells the chat as it is now.
            branch_off: makes messages that another process has changed meanwhile versions of their own.
            stored: it is in the store already.
        """
        self._branch_off = branch_off
        self._store = store
        self._chat = chat
        self._stored = stored
        self._messages: dict[str, Message] = {}
        self._fields = set[str]()
        self._settings: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self.trouble: StoreError | None = None
        """Why there is something that is not on disk, if there is."""

    @property
    def unsaved(self) -> Collection[str]:
        """The ids of the messages that are not on disk as they are now."""
        return self._messages.keys()

    def write(
        self,
        *messages: Message,
        fields: Collection[str] = (),
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> asyncio.Task[None]:
        """Write messages after their parents, the named fields of the chat, and settings: in one transaction.

        What is returned ends when that was tried. An empty chat is not written.
        """
        self._messages |= {message.id: message for message in messages}
        self._fields.update(fields)
        self._settings.update(settings)
        if self._next is None:
            self._next = start_task(self._write())
        return self._next

    async def settle(self) -> None:
        """Try once more to write what is not on disk."""
        if self._messages or self._fields or self._settings:
            await asyncio.shield(self.write())

    async def _write(self) -> None:
        async with self._lock:
            self._next = None
            if self._again is not None:
                self._again.cancel()
            try:
                while await self._write_once():
                    pass
            except Closed:  # at the end, after what was tried until then
                self.trouble = self.trouble or StoreError("The disk did not take it in time.")
            except StoreError as error:
                self.trouble = error
                self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.write)
            else:
                self.trouble = None

    async def _write_once(self) -> bool:
        """Write what waits in one transaction; whether it left some messages that are to be written anew."""
        chat, messages, settings = self._chat(), dict(self._messages), dict(self._settings)
        wanted = bool(messages or (self._fields and (self._stored or chat.draft or chat.queue)))
        if not (wanted or settings):
            return False
        fields = ChatFields()
        for name in self._fields if wanted else ():
            fields[name] = getattr(chat, name)  # type: ignore[literal-required]
        drafted = "draft" in fields and chat.leaf is None  # a chat whose only draft was given up is not listed
        refused: Collection[str] = ()
        try:
            await self._store.save(
                chat.id,
                *messages.values(),
                new=None if self._stored or not wanted else replace(chat, leaf=None),
                fields=fields,
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
        self._fields -= {name for name, value in fields.items() if getattr(now, name) == value}
        self._settings = {key: value for key, value in self._settings.items() if settings.get(key) != value}
        if refused:
            self._messages |= {message.id: message for message in self._branch_off(refused)}
        return bool(refused)
