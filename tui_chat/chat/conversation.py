"""A chat: a tree of messages with one branch on screen, saved as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

from tui_chat.attachments.paths import unescaped
from tui_chat.attachments.prompt import still_attached
from tui_chat.chat.tree import newest_below, versions_in
from tui_chat.chat.writer import Writer
from tui_chat.errors import StoreError
from tui_chat.messages import ChatRequest, Message, Role, State, new_id
from tui_chat.parts import File, Image, parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, ChatFields, QueueChange, Thread, branch_of, title_of


class Conversation:
    """One chat. If saving fails it goes on in memory, sets `trouble` and tries again."""

    def __init__(self, store: Store, thread: Thread | None = None, new: Chat | None = None) -> None:
        """`new`: what to begin with if there is no thread."""
        self.store = store
        self._writer = Writer(store, lambda: self.chat, self._branch_off, stored=thread is not None)
        self._renamed: dict[str, str] = {}
        """The new ids of our messages that another process has changed, by their old ids."""
        thread = thread or Thread(new or Chat(), ())
        self.chat = thread.chat
        self._streamed = set(thread.elsewhere)
        """The messages that another process is writing, as of the last look."""
        self._messages = {message.id: self._as_found(message) for message in thread.messages}
        """All messages by id, parents before their children."""
        self._revision = thread.revision

    @property
    def branch(self) -> tuple[Message, ...]:
        """The messages on screen, from the first to the last."""
        return branch_of(self._messages, self.chat.leaf)

    @property
    def last(self) -> Message | None:
        """The last message on screen."""
        return self._messages.get(self.chat.leaf or "")

    @property
    def unanswered(self) -> bool:
        """Whether no model has replied yet, nor was one asked."""
        return not any(message.model or message.text for message in self.branch if message.role is Role.ASSISTANT)

    @property
    def elsewhere(self) -> bool:
        """Whether another tui-chat is receiving the last message, as of the last look."""
        return self.chat.leaf in self._streamed

    @property
    def trouble(self) -> StoreError | None:
        """Why some messages are not on disk; None if all are."""
        return self._writer.trouble

    def parent_of(self, message: Message) -> Message | None:
        """The message that a message answers."""
        return self._messages.get(message.parent or "")

    def versions(self, message: Message) -> tuple[Message, ...]:
        """A message and its versions on other branches, the oldest first."""
        return tuple(versions_in(self._messages, self.chat.leaf).get((message.parent, message.role), ()))

    def numbered(self) -> Mapping[str, tuple[int, int]]:
        """The number (from 1) and the count of versions, by id, of messages with several versions."""
        return {
            message.id: (number, len(versions))
            for versions in versions_in(self._messages, self.chat.leaf).values()
            if len(versions) > 1
            for number, message in enumerate(versions, 1)
        }

    async def begin(
        self, *messages: Message, settings: Mapping[str, str], waited: bool = False, **fields: Unpack[ChatFields]
    ) -> None:
        """Add a prompt, an empty reply or both to the branch, and save them with `fields` and `settings`.

        One transaction, in which the prompt leaves the queue if it `waited`; afterwards they are on disk, or
        `trouble` says why not.
        """
        prompt = messages[0]
        if not self.chat.title and prompt.role is Role.USER:
            self.chat = replace(self.chat, title=title_of(prompt.text))
        held = [self._hold(message) for message in messages]
        left = (self._change_queue(QueueChange(self.chat.queue[0], 0)),) if waited else ()
        write = self._writer.write(*held, fields=self._changed(fields), queue=left, settings=settings)
        await asyncio.shield(write)

    def prompt(self, text: str, instead: Message | None = None, files: Sequence[File | Image] = ()) -> Message:
        """A new prompt at the end of the branch, or a version of the prompt `instead`, with its other files."""
        if instead is None:
            return Message(Role.USER, parts_of(text, files=files), parent=self.chat.leaf)
        read = {file.name for file in files}
        kept = still_attached(instead.files, instead.text, text)
        files = (*(file for file in kept if file.name not in read), *files)
        return Message(Role.USER, parts_of(text, files=files), parent=instead.parent)

    def keep(self, message: Message) -> Awaitable[None]:
        """Put a new or changed message at the end of the branch and save it; await this to wait for the disk."""
        return asyncio.shield(self._writer.write(self._hold(message)))

    def note(self, *, settings: Mapping[str, str] | None = None, **fields: Unpack[ChatFields]) -> Awaitable[None]:
        """Save fields of the chat (draft, place, model ...) and settings; await this to wait for the disk.

        A chat without messages and draft is not saved; `settings` are.
        """
        return asyncio.shield(self._writer.write(fields=self._changed(fields), settings=settings or {}))

    def enqueue(self, text: str) -> None:
        """Add a prompt to the end of the queue, and save that."""
        self._writer.write(queue=[self._change_queue(QueueChange(text))])

    def unqueue(self, index: int) -> str:
        """Remove a waiting prompt, save that, and return its text.

        Raises:
            IndexError: there is none.
        """
        text = self.chat.queue[index]
        self._writer.write(queue=[self._change_queue(QueueChange(text, index % len(self.chat.queue)))])
        return text

    def _change_queue(self, change: QueueChange) -> QueueChange:
        self.chat = replace(self.chat, queue=change.apply(self.chat.queue))
        return change

    def _changed(self, fields: ChatFields) -> set[str]:
        """Set `fields`; returns the names of those that changed."""
        before, self.chat = self.chat, replace(self.chat, **fields)
        return {name for name, value in fields.items() if getattr(before, name) != value}

    async def settle(self) -> None:
        """Try once more to save what is not on disk; `trouble` says if that fails."""
        await self._writer.settle()

    async def catch_up(self) -> bool:
        """Load what another process has written since the last call; whether there was anything.

        Raises:
            StoreError: the store cannot be read, or the chat is gone from it.
        """
        thread = await self.store.load(self.chat.id, self._revision)
        self._revision = thread.revision
        news = {message.id: message for message in thread.messages if message.id not in self._writer.unsaved}
        for id in self._streamed - thread.elsewhere - news.keys():  # its process is gone
            if (cut := self._messages.get(id)) is not None:
                news[id] = replace(cut, state=State.INTERRUPTED)
        self._messages.update(news)
        self._streamed = set(thread.elsewhere)
        if self.chat.leaf in {above.id for above in branch_of(self._messages, thread.chat.leaf)}:
            self.chat = replace(self.chat, leaf=thread.chat.leaf)  # the other process continued this branch
        queue = self._writer.with_unsaved(thread.chat.queue)
        self.chat = replace(self.chat, title=thread.chat.title, queue=queue)
        return bool(news)

    def turn_to(self, message: str) -> bool:
        """Show the branch of a message, down to its newest end; whether that is another branch."""
        if message not in self._messages or message in {shown.id for shown in self.branch}:
            return False
        self.note(leaf=newest_below(self._messages, message).id)
        return True

    async def request(self, reply: Message, prefill: str = "") -> ChatRequest:
        """The request for `reply`: the branch above it, without empty replies; parameters are to be added.

        Raises:
            StoreError: its images and files cannot be read.
        """
        asked = branch_of(self._messages, reply.parent)
        branch = [message for message in asked if message.says or message.role is Role.USER]
        messages = [_as_sent(message) for message in await self.store.with_data(branch)]
        if self.chat.system:
            messages.insert(
                0, Message(Role.SYSTEM, parts_of(self.chat.system), id="system", created=self.chat.created)
            )
        return ChatRequest(reply.model, tuple(messages), prefill=prefill)

    def _hold(self, message: Message) -> Message:
        message = replace(message, id=self._renamed.get(message.id, message.id))
        self._messages[message.id] = message
        self.chat = replace(self.chat, leaf=message.id)
        return message

    def _branch_off(self, ids: Collection[str]) -> list[Message]:
        """Make our messages that another process has changed versions of their own, with new ids."""
        made = []
        for id in ids:
            self._renamed[id] = new_id()
            made.append(self._hold(self._messages.pop(id)))
        return made

    def _as_found(self, message: Message) -> Message:
        """A message from disk, interrupted if it streams but no process writes it."""
        if message.state is State.STREAMING and message.id not in self._streamed:
            return replace(message, state=State.INTERRUPTED)
        return message


def _as_sent(message: Message) -> Message:
    if message.role is not Role.USER or "\\@" not in message.text:
        return message
    return message.with_text(unescaped(message.text))
