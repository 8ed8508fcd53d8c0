"""A chat that goes on: a tree of messages, of which one branch is on screen, kept in the store as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import Unpack

from tui_chat.errors import StoreError
from tui_chat.messages import ChatRequest, Message, Role, State
from tui_chat.store.store import Store
from tui_chat.store.titles import title_of
from tui_chat.store.values import Chat, ChatFields, Thread


class Conversation:
    """One chat. Where the store fails, it goes on in memory and says so in `trouble`."""

    def __init__(self, store: Store, thread: Thread | None = None, *, system: str = "") -> None:
        self._store = store
        self._stored = thread is not None
        self._saving: set[asyncio.Task[None]] = set()
        self.chat = thread.chat if thread else Chat(system=system)
        self._messages = {message.id: message for message in thread.messages} if thread else {}
        self._streamed = set(self._streaming()) if thread else set()
        """The messages that were found streaming: another process writes them, or did."""
        self._revision = thread.revision if thread else 0
        self.trouble: StoreError | None = None
        """Why what is said now is not on disk, if it is not."""

    @property
    def branch(self) -> tuple[Message, ...]:
        """The messages on screen, from the first to the last."""
        return Thread(self.chat, tuple(self._messages.values())).branch()

    @property
    def last(self) -> Message | None:
        """The last message on screen."""
        return self._messages.get(self.chat.leaf or "")

    @property
    def elsewhere(self) -> bool:
        """Whether the last message is being answered by another tui-chat, as far as is known."""
        return self.chat.leaf in self._streamed

    def parent_of(self, message: Message) -> Message | None:
        """What a message answers."""
        return self._messages.get(message.parent or "")

    def versions(self, message: Message) -> tuple[Message, ...]:
        """A message and those that stand in its place on other branches, the oldest first."""
        known = self._messages.values()
        return tuple(other for other in known if (other.parent, other.role) == (message.parent, message.role))

    def numbered(self) -> Mapping[str, tuple[int, int]]:
        """Of the messages that have other versions: which one of how many each is, counted from 1, by id."""
        places: dict[tuple[str | None, Role], list[str]] = {}
        for message in self._messages.values():
            places.setdefault((message.parent, message.role), []).append(message.id)
        return {
            id: (number, len(ids)) for ids in places.values() if len(ids) > 1 for number, id in enumerate(ids, 1)
        }

    async def ask(self, text: str, instead: Message | None = None) -> Message:
        """Add the user's prompt; `instead` of another one it begins a branch beside that.

        When this returns it is on disk, or `trouble` says why not.
        """
        prompt = Message(Role.USER, text, parent=instead.parent if instead else self.chat.leaf)
        if not self.chat.title:
            self.chat = replace(self.chat, title=title_of(text))
        await self.keep(prompt)
        if self.chat.draft:
            await self.note(draft="")
        return prompt

    async def keep(self, message: Message) -> None:
        """Put a message, new or changed, at the end of the branch and on disk."""
        self._messages[message.id] = message
        self.chat = replace(self.chat, leaf=message.id)
        await self._try(self._write(message))

    def keep_soon(self, message: Message) -> None:
        """The same without waiting for the disk: for a reply that grows."""
        self._soon(self.keep(message))

    async def note(self, **fields: Unpack[ChatFields]) -> None:
        """Remember what is not said: the draft in the composer, where the reader is, model and server.

        A chat in which nothing is said or drafted yet is not on disk.
        """
        self.chat = replace(self.chat, **fields)
        if self._stored:
            await self._try(self._store.save_chat(self.chat.id, **fields))
            if "draft" in fields and not self._messages:
                await self._try(self._list(shown=bool(self.chat.draft)))
        elif self.chat.draft:
            await self._try(self._create())

    def note_soon(self, **fields: Unpack[ChatFields]) -> None:
        """The same without waiting for the disk."""
        self._soon(self.note(**fields))

    async def catch_up(self) -> bool:
        """Take in what another process has written since this was last asked; whether there was anything.

        Raises:
            StoreError: the store cannot be read, or the chat is gone from it.
        """
        thread = await self._store.load(self.chat.id, self._revision)
        self._revision = thread.revision
        self._messages |= {message.id: message for message in thread.messages}
        self._streamed |= thread.elsewhere
        if self._descends(thread.chat.leaf, self.chat.leaf):  # what was said elsewhere since goes on from here
            self.chat = replace(self.chat, leaf=thread.chat.leaf)
        self._streamed = self._streamed.intersection(self._streaming())
        return bool(thread.messages)

    def turn_to(self, message: str) -> bool:
        """Go to the branch that a message is on, to its newest end; whether that is another one."""
        if message not in self._messages or message in {shown.id for shown in self.branch}:
            return False
        newest, below = self._messages[message], {message}
        for known in self._messages.values():  # parents stand before their children
            if known.parent in below:
                below.add(known.id)
                newest = max(newest, known, key=lambda either: either.created)
        leaf = newest.id
        self.chat = replace(self.chat, leaf=leaf)
        self.note_soon(leaf=leaf)
        return True

    def _descends(self, message: str | None, ancestor: str | None) -> bool:
        """Whether a message is `ancestor` or below it in the tree."""
        return ancestor in {above.id for above in self._branch_to(message)}

    def request(
        self, reply: Message, options: Mapping[str, object], think: bool | str | None, prefill: str = ""
    ) -> ChatRequest:
        """What to send for `reply`: the whole branch up to it. Replies of which nothing came are left out."""
        messages = [
            message for message in self._branch_to(reply.parent) if message.text or message.role is Role.USER
        ]
        if self.chat.system:
            messages.insert(0, Message(Role.SYSTEM, self.chat.system, id="system", created=self.chat.created))
        return ChatRequest(reply.model, tuple(messages), options, think, prefill)

    def _branch_to(self, leaf: str | None) -> tuple[Message, ...]:
        return Thread(replace(self.chat, leaf=leaf), tuple(self._messages.values())).branch()

    def _streaming(self) -> Iterator[str]:
        return (message.id for message in self._messages.values() if message.state is State.STREAMING)

    async def _create(self) -> None:
        self._stored = True  # what is written meanwhile queues up behind this
        try:
            await self._store.create_chat(replace(self.chat, leaf=None))
        except StoreError:
            self._stored = False
            raise

    async def _list(self, *, shown: bool) -> None:
        """A chat whose only draft was given up is not listed; with words in it, it is again."""
        await (self._store.undelete if shown else self._store.delete)(self.chat.id)

    async def _write(self, message: Message) -> None:
        if not self._stored:
            await self._create()
        elif len(self._messages) == 1 and message.role is Role.USER:
            await self._list(shown=True)
        whole = self.branch if self.trouble else (message,)  # what could not be saved before, and its parents
        await self._store.save(self.chat.id, *whole)

    def _soon(self, writing: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(writing)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _try(self, write: Awaitable[None]) -> None:
        try:
            await write
            self.trouble = None
        except StoreError as error:
            self.trouble = error
