"""A chat's way to the disk: one write at a time, of the newest state, again and again until it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final, Unpack

from tui_chat.errors import StoreError
from tui_chat.messages import Message
from tui_chat.store.lane import Closed
from tui_chat.store.seen import ChangedElsewhere
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, ChatFields
from tui_chat.tasks import start_task

_AGAIN_SECONDS: Final = 3.0
"""How long to wait until what could not be written is tried again."""


class Saving:
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
        self._fields = ChatFields()
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self.trouble: StoreError | None = None
        """Why there is something that is not on disk, if there is."""

    @property
    def unsaved(self) -> Collection[str]:
        """The ids of the messages that are not on disk as they are now."""
        return self._messages.keys()

    def message(self, message: Message) -> asyncio.Task[None]:
        """Write a message, new or changed, after its parents; what is returned ends when that was tried."""
        self._messages[message.id] = message
        return self._write_soon()

    def fields(self, **fields: Unpack[ChatFields]) -> asyncio.Task[None]:
        """Write fields of the chat; what is returned ends when that was tried. An empty chat is not written."""
        self._fields.update(fields)
        return self._write_soon()

    async def settle(self) -> None:
        """Try once more to write what is not on disk."""
        if self._messages or self._fields:
            await asyncio.shield(self._write_soon())

    def give_up(self) -> None:
        """Try nothing again by itself."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _write_soon(self) -> asyncio.Task[None]:
        """The write that takes what waits now; there is one at most, behind the one that is on its way."""
        if self._next is None:
            self._next = start_task(self._write())
        return self._next

    async def _write(self) -> None:
        async with self._lock:
            self._next = None
            self.give_up()
            try:
                await self._write_messages()
                await self._write_fields()
            except Closed:  # at the end, after what was tried until then
                self.trouble = self.trouble or StoreError("The disk did not take it in time.")
            except StoreError as error:
                self.trouble = error
                self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._write_soon)
            else:
                self.trouble = None

    async def _write_messages(self) -> None:
        messages = dict(self._messages)
        if not messages:
            return
        await self._create()
        refused: Collection[str] = ()
        try:
            await self._store.save(self._chat().id, *messages.values())
        except ChangedElsewhere as conflict:
            refused = conflict.messages
        for id, message in messages.items():
            if id in refused or self._messages[id] is message:
                del self._messages[id]
        if refused:
            self._messages |= {message.id: message for message in self._branch_off(refused)}
            await self._write_messages()

    async def _write_fields(self) -> None:
        chat = self._chat()
        if not self._fields or not (self._stored or chat.draft):
            return
        fields, self._fields = self._fields, ChatFields()
        if "leaf" in fields:  # it may have moved on with a message since
            fields["leaf"] = chat.leaf
        try:
            await self._create()
            await self._store.save_chat(chat.id, **fields)
            if "draft" in fields and chat.leaf is None:  # a chat whose only draft was given up is not listed
                await (self._store.undelete if chat.draft else self._store.delete)(chat.id)
        except StoreError:
            self._fields = ChatFields(**{**fields, **self._fields})
            raise

    async def _create(self) -> None:
        if not self._stored:
            await self._store.create_chat(replace(self._chat(), leaf=None))
            self._stored = True
