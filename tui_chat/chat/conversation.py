"""A chat that goes on: a tree of messages, of which one branch is on screen, kept in the store as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Unpack, cast

from tui_chat.chat.writer import Writer
from tui_chat.errors import StoreError
from tui_chat.messages import ChatRequest, Message, Role, State, new_id
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.titles import title_of
from tui_chat.store.values import Chat, ChatFields, Thread


class Conversation:
    """One chat. Where the store fails, it goes on in memory, says so in `trouble`, and tries again."""

    def __init__(self, store: Store, thread: Thread | None = None, *, system: str = "") -> None:
        self._store = store
        self._saving = Writer(store, lambda: self.chat, self._branch_off, stored=thread is not None)
        self._renamed: dict[str, str] = {}
        """Ids under which others have written what was meant to be written here, and the new ids of ours."""
        thread = thread or Thread(Chat(system=system), ())
        self.chat = thread.chat
        self._streamed = set(thread.elsewhere)
        """The messages that another process is writing, as far as is known."""
        self._messages = {message.id: self._settled(message) for message in thread.messages}
        self._revision = thread.revision

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

    @property
    def trouble(self) -> StoreError | None:
        """Why something that was said is not on disk, if it is not."""
        return self._saving.trouble

    def parent_of(self, message: Message) -> Message | None:
        """What a message answers."""
        return self._messages.get(message.parent or "")

    def versions(self, message: Message) -> tuple[Message, ...]:
        """A message and those that stand in its place on other branches, the oldest first."""
        versions = (other for other in self._messages.values() if _place_of(other) == _place_of(message))
        return tuple(other for other in versions if self._counts(other))

    def numbered(self) -> Mapping[str, tuple[int, int]]:
        """Of the messages that have other versions: which one of how many each is, counted from 1, by id."""
        places: dict[tuple[str | None, Role], list[str]] = {}
        for message in filter(self._counts, self._messages.values()):
            places.setdefault(_place_of(message), []).append(message.id)
        return {
            id: (number, len(ids)) for ids in places.values() if len(ids) > 1 for number, id in enumerate(ids, 1)
        }

    def _counts(self, message: Message) -> bool:
        """Whether a message is a version of its own: one of which nothing came is none, unless it is shown."""
        return bool(message.parts) or message.id == self.chat.leaf

    async def begin(self, *messages: Message, settings: Mapping[str, str], **fields: Unpack[ChatFields]) -> None:
        """Put a prompt and the reply to be filled, or that alone, at the end of the branch, and on disk with
        `fields` of the chat and `settings`: all in one transaction.

        When this returns they are on disk, or `trouble` says why not.
        """
        prompt = messages[0]
        if not self.chat.title and prompt.role is Role.USER:
            self.chat = replace(self.chat, title=title_of(prompt.text))
        held = [self._hold(message) for message in messages]
        await asyncio.shield(self._saving.write(*held, fields=self._changed(fields), settings=settings))

    async def ask(self, text: str, instead: Message | None = None) -> Message:
        """Add the user's prompt alone; `instead` of another one it begins a branch beside that."""
        prompt = self.prompt(text, instead)
        await self.begin(prompt, settings={}, draft="")
        return prompt

    def prompt(self, text: str, instead: Message | None = None) -> Message:
        """A prompt to go on with; `instead` of another it begins a branch beside that, with its files."""
        if instead is None:
            return Message(Role.USER, parts_of(text), parent=self.chat.leaf)
        return Message(Role.USER, instead.with_text(text).parts, parent=instead.parent)

    async def keep(self, message: Message) -> None:
        """Put a message, new or changed, at the end of the branch and on disk."""
        await asyncio.shield(self._saving.write(self._hold(message)))

    def keep_soon(self, message: Message) -> None:
        """The same without waiting for the disk: for a reply that grows."""
        self._saving.write(self._hold(message))

    async def note(self, *, settings: Mapping[str, str] | None = None, **fields: Unpack[ChatFields]) -> None:
        """Remember what is not said: the draft in the composer, where the reader is, model and server.

        A chat in which nothing is said or drafted yet is not on disk; `settings` are kept all the same.
        """
        await asyncio.shield(self._saving.write(fields=self._changed(fields), settings=settings or {}))

    def note_soon(self, **fields: Unpack[ChatFields]) -> None:
        """The same without waiting for the disk."""
        self._saving.write(fields=self._changed(fields))

    def _changed(self, fields: ChatFields) -> ChatFields:
        """Take `fields` over; those of them that are other than they were."""
        before, self.chat = self.chat, replace(self.chat, **fields)
        same = [name for name, value in fields.items() if getattr(before, name) == value]
        return cast(ChatFields, {name: value for name, value in fields.items() if name not in same})

    async def settle(self) -> None:
        """Try once more to write what is not on disk; `trouble` says if it cannot be."""
        await self._saving.settle()

    async def catch_up(self) -> bool:
        """Take in what another process has written since this was last asked; whether there was anything.

        Raises:
            StoreError: the store cannot be read, or the chat is gone from it.
        """
        thread = await self._store.load(self.chat.id, self._revision)
        self._revision = thread.revision
        news = {message.id: message for message in thread.messages if message.id not in self._saving.unsaved}
        self._messages |= news
        for ended in self._streamed - thread.elsewhere - news.keys():  # its writer is gone, and has written no end
            self._messages[ended] = news[ended] = replace(self._messages[ended], state=State.INTERRUPTED)
        self._streamed = set(thread.elsewhere)
        if self._descends(thread.chat.leaf, self.chat.leaf):  # what was said elsewhere since goes on from here
            self.chat = replace(self.chat, leaf=thread.chat.leaf)
        self.chat = replace(self.chat, title=thread.chat.title)
        return bool(news)

    def go_back(self, leaf: str | None) -> None:
        """Show the branch that ends with a message again."""
        self.note_soon(leaf=leaf)

    def turn_to(self, message: str) -> bool:
        """Go to the branch that a message is on, to its newest end; whether that is another one."""
        if message not in self._messages or message in {shown.id for shown in self.branch}:
            return False
        newest, below = self._messages[message], {message}
        for known in self._messages.values():  # parents stand before their children
            if known.parent in below:
                below.add(known.id)
                newest = max(newest, known, key=lambda either: either.created)
        self.note_soon(leaf=newest.id)
        return True

    def _descends(self, message: str | None, ancestor: str | None) -> bool:
        """Whether a message is `ancestor` or below it in the tree."""
        return ancestor in {above.id for above in self._branch_to(message)}

    async def request(
        self, reply: Message, options: Mapping[str, object], think: bool | str | None, prefill: str = ""
    ) -> ChatRequest:
        """What to send for `reply`: the whole branch up to it. Replies of which nothing came are left out.

        Raises:
            StoreError: the images and files that go with it cannot be read.
        """
        asked = self._branch_to(reply.parent)
        branch = [message for message in asked if message.says or message.role is Role.USER]
        messages = list(await self._store.with_data(branch))
        if self.chat.system:
            messages.insert(
                0, Message(Role.SYSTEM, parts_of(self.chat.system), id="system", created=self.chat.created)
            )
        return ChatRequest(reply.model, tuple(messages), options, think, prefill)

    def _branch_to(self, leaf: str | None) -> tuple[Message, ...]:
        return Thread(replace(self.chat, leaf=leaf), tuple(self._messages.values())).branch()

    def _hold(self, message: Message) -> Message:
        message = replace(message, id=self._renamed.get(message.id, message.id))
        self._messages[message.id] = message
        self.chat = replace(self.chat, leaf=message.id)
        return message

    def _branch_off(self, ids: Collection[str]) -> list[Message]:
        """Make messages that another process has changed meanwhile versions beside what it wrote: these, anew."""
        made = []
        for id in ids:
            self._renamed[id] = new_id()
            made.append(self._hold(self._messages.pop(id)))
        return made

    def _settled(self, message: Message) -> Message:
        """A message as it was found: one that streams and that nobody writes any more was interrupted."""
        if message.state is State.STREAMING and message.id not in self._streamed:
            return replace(message, state=State.INTERRUPTED)
        return message


def _place_of(message: Message) -> tuple[str | None, Role]:
    """What the versions of a message share."""
    return message.parent, message.role
