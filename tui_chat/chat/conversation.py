"""A chat that goes on: a tree of messages, of which one branch is on screen, kept in the store as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import replace
from typing import Unpack

from tui_chat.chat.tree import Tree
from tui_chat.chat.writer import Writer
from tui_chat.errors import StoreError
from tui_chat.messages import ChatRequest, Message, Role, State, new_id
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, ChatFields, Thread, title_of


class Conversation:
    """One chat. Where the store fails, it goes on in memory, says so in `trouble`, and tries again."""

    def __init__(self, store: Store, thread: Thread | None = None, *, system: str = "") -> None:
        self.store = store
        self._writer = Writer(store, lambda: self.chat, self._branch_off, stored=thread is not None)
        self._renamed: dict[str, str] = {}
        """The new ids of our messages whose own ids another process has written to."""
        thread = thread or Thread(Chat(system=system), ())
        self.chat = thread.chat
        self._streamed = set(thread.elsewhere)
        """The messages that another process is writing, as far as is known."""
        self._tree = Tree(map(self._as_found, thread.messages))
        self._revision = thread.revision

    @property
    def branch(self) -> tuple[Message, ...]:
        """The messages on screen, from the first to the last."""
        return self._tree.branch(self.chat.leaf)

    @property
    def last(self) -> Message | None:
        """The last message on screen."""
        return self._tree.get(self.chat.leaf)

    @property
    def elsewhere(self) -> bool:
        """Whether the last message is being answered by another tui-chat, as far as is known."""
        return self.chat.leaf in self._streamed

    @property
    def trouble(self) -> StoreError | None:
        """Why something that was said is not on disk, if it is not."""
        return self._writer.trouble

    def parent_of(self, message: Message) -> Message | None:
        """What a message answers."""
        return self._tree.get(message.parent)

    def versions(self, message: Message) -> tuple[Message, ...]:
        """A message and those that stand in its place on other branches, the oldest first."""
        return tuple(self._tree.versions(self.chat.leaf).get((message.parent, message.role), ()))

    def numbered(self) -> Mapping[str, tuple[int, int]]:
        """Of the messages that have other versions: which one of how many each is, counted from 1, by id."""
        return {
            message.id: (number, len(versions))
            for versions in self._tree.versions(self.chat.leaf).values()
            if len(versions) > 1
            for number, message in enumerate(versions, 1)
        }

    async def begin(self, *messages: Message, settings: Mapping[str, str], **fields: Unpack[ChatFields]) -> None:
        """Add a prompt and the reply to be filled, or one of them, at the end of the branch: in one transaction
        with `fields` of the chat and `settings`.

        When this returns they are on disk, or `trouble` says why not.
        """
        prompt = messages[0]
        if not self.chat.title and prompt.role is Role.USER:
            self.chat = replace(self.chat, title=title_of(prompt.text))
        held = [self._hold(message) for message in messages]
        await asyncio.shield(self._writer.write(*held, fields=self._changed(fields), settings=settings))

    async def ask(self, text: str) -> Message:
        """Add a prompt alone, without a reply: it."""
        prompt = self.prompt(text)
        await self.begin(prompt, settings={}, draft="")
        return prompt

    def prompt(self, text: str, instead: Message | None = None) -> Message:
        """A prompt to go on with; `instead` of another it begins a branch beside that, with its files."""
        if instead is None:
            return Message(Role.USER, parts_of(text), parent=self.chat.leaf)
        return Message(Role.USER, instead.with_text(text).parts, parent=instead.parent)

    def keep(self, message: Message) -> Awaitable[None]:
        """Put a message, new or changed, at the end of the branch and on disk; awaiting it waits for the disk."""
        return asyncio.shield(self._writer.write(self._hold(message)))

    def note(self, *, settings: Mapping[str, str] | None = None, **fields: Unpack[ChatFields]) -> Awaitable[None]:
        """Save fields of the chat (draft, place, model, server ...) and settings; awaiting it waits for the disk.

        A chat without messages and draft is not saved; `settings` are.
        """
        return asyncio.shield(self._writer.write(fields=self._changed(fields), settings=settings or {}))

    def _changed(self, fields: ChatFields) -> set[str]:
        """Take `fields` over; the names of those that are other than they were."""
        before, self.chat = self.chat, replace(self.chat, **fields)
        return {name for name, value in fields.items() if getattr(before, name) != value}

    async def settle(self) -> None:
        """Try once more to write what is not on disk; `trouble` says if it cannot be."""
        await self._writer.settle()

    async def catch_up(self) -> bool:
        """Take in what another process has written since this was last asked; whether there was anything.

        Raises:
            StoreError: the store cannot be read, or the chat is gone from it.
        """
        thread = await self.store.load(self.chat.id, self._revision)
        self._revision = thread.revision
        news = {message.id: message for message in thread.messages if message.id not in self._writer.unsaved}
        for id in self._streamed - thread.elsewhere - news.keys():  # its writer is gone, and has written no end
            if (cut := self._tree.get(id)) is not None:
                news[id] = replace(cut, state=State.INTERRUPTED)
        self._tree.put(*news.values())
        self._streamed = set(thread.elsewhere)
        if self.chat.leaf in {above.id for above in self._tree.branch(thread.chat.leaf)}:
            self.chat = replace(self.chat, leaf=thread.chat.leaf)  # what was said elsewhere goes on from here
        self.chat = replace(self.chat, title=thread.chat.title)
        return bool(news)

    def turn_to(self, message: str) -> bool:
        """Show the branch that a message is on, up to its newest end; whether that is another branch."""
        if self._tree.get(message) is None or message in {shown.id for shown in self.branch}:
            return False
        self.note(leaf=self._tree.newest_below(message).id)
        return True

    async def request(
        self, reply: Message, options: Mapping[str, object], think: bool | str | None, prefill: str = ""
    ) -> ChatRequest:
        """What to send for `reply`: the branch above it, without replies of which nothing came.

        Raises:
            StoreError: the images and files that go with it cannot be read.
        """
        asked = self._tree.branch(reply.parent)
        branch = [message for message in asked if message.says or message.role is Role.USER]
        messages = list(await self.store.with_data(branch))
        if self.chat.system:
            messages.insert(
                0, Message(Role.SYSTEM, parts_of(self.chat.system), id="system", created=self.chat.created)
            )
        return ChatRequest(reply.model, tuple(messages), options, think, prefill)

    def _hold(self, message: Message) -> Message:
        message = replace(message, id=self._renamed.get(message.id, message.id))
        self._tree.put(message)
        self.chat = replace(self.chat, leaf=message.id)
        return message

    def _branch_off(self, ids: Collection[str]) -> list[Message]:
        """Give new ids to messages that another process has changed meanwhile: they become versions beside its."""
        made = []
        for id in ids:
            self._renamed[id] = new_id()
            made.append(self._hold(self._tree.remove(id)))
        return made

    def _as_found(self, message: Message) -> Message:
        """A message from disk; one that streams without a process that writes it was interrupted."""
        if message.state is State.STREAMING and message.id not in self._streamed:
            return replace(message, state=State.INTERRUPTED)
        return message
