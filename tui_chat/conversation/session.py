"""What a running program holds: a store, a connection, and the chat that is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Unpack

from tui_chat.config import Config, server_at
from tui_chat.conversation.again import Again, Plan, answer_to
from tui_chat.conversation.book import Book, Known, Origin, same_place
from tui_chat.conversation.connection import Connection
from tui_chat.conversation.conversation import Conversation
from tui_chat.conversation.keeping import kept
from tui_chat.conversation.server_file import ServerFile
from tui_chat.conversation.turn import Turn
from tui_chat.errors import ReplyError, StoreError
from tui_chat.events import Event
from tui_chat.messages import Message, Model, State
from tui_chat.servers import Server
from tui_chat.store.store import Store
from tui_chat.store.values import ChatFields
from tui_chat.text.sanitize import clean_line

_LAST_MODEL = "last-model"
_LAST_SERVER = "last-server"
_SERVER = "server "
"""Begins the keys of the addresses that the user has named at a start."""
_STOP = "stop"
_GONE: Final = "which is not among the servers (any more)."
_THEME = "theme"
_PATIENCE: Final = 2.0
"""Seconds to wait at the end for a disk that is full, locked or gone."""


class Session:
    """The one place that joins a chat to a server."""

    def __init__(
        self,
        config: Config,
        store: Store,
        connection: Connection,
        clock: Callable[[], float] = time.monotonic,
        book: Book | None = None,
    ) -> None:
        self._clock = clock
        self._book = book or Book(config, ServerFile())
        self._left: tuple[Store, Server, Conversation] | None = None
        """What the demo was started from."""
        self._unsaved: dict[str, Conversation] = {}
        """Chats that were left while something of them was not on disk: they go on trying."""
        self.config = config
        self.store = store
        self.connection = connection
        self.conversation = Conversation(store, system=config.system)
        self.demo = False
        """Whether it is the built-in scripted server that is talked to."""
        self.notice = ""
        """What has to be said about the chat that was opened last."""

    async def start_demo(self, server: Server) -> None:
        """Talk to the built-in scripted server. Its chats are not kept on disk."""
        if not self.demo:
            self._left = (self.store, self.connection.server, self.conversation)
            self.store, self.demo = await Store.open(None), True
        self.connection.switch(server)
        self.new_chat()

    async def leave_demo(self) -> None:
        """Go back to the server and the chat that the demo was started from."""
        if self._left is not None:
            (store, server, conversation), self._left = self._left, None
            demo, self.store, self.demo = self.store, store, False
            self.connection.switch(server)
            self.conversation = conversation
            await demo.aclose()

    async def use(self, server: Server, models: Sequence[Model] = (), model: str = "") -> None:
        """Go on with another server, and with one of its models if it is known. Leaves the demo."""
        await self.leave_demo()
        self.connection.switch(server, models)
        if model:
            await self.use_model(model)

    async def use_model(self, model: str) -> None:
        """Go on with another model of the server; the chat remembers it, and so does the next start."""
        self.connection.use(model)
        server = self.connection.server.address
        await self.conversation.note(settings=self._choice(), model=model, server=server)

    async def start(self, chat: str | None = None, *, resume: bool = False) -> None:
        """Take up what the last run left: its unfinished replies, its model and, if asked for, a chat.

        Args:
            chat: the beginning of an id.
            resume: open the chat that was spoken in last.

        Raises:
            StoreError: there is no such chat, or the store cannot be read.
        """
        with suppress(StoreError):  # a disk that is full keeps nobody from reading
            await self.store.recover()
        self.connection.last = await self.store.recall(_LAST_MODEL)
        if not self.config.named and (address := await self.store.recall(_LAST_SERVER)):
            await self._return_to(address)
            self.connection.insists, self.notice = False, ""
        wanted = await find_chat(self.store, chat) if chat else await self.store.newest() if resume else None
        if wanted is not None:
            await self.open_chat(wanted, stay=self.config.insists)

    @property
    def unsaved(self) -> bool:
        """Whether something that is said now is not on disk, or will not be."""
        return not self.demo and (self.store.path is None or self.conversation.trouble is not None)

    def new_chat(self) -> None:
        """Begin another chat; the present one stays in the store."""
        self._set_aside()
        self.conversation = Conversation(self.store, system=self.config.system)

    def _set_aside(self) -> None:
        self._unsaved = {chat: left for chat, left in self._unsaved.items() if left.trouble is not None}
        if self.conversation.trouble is not None:
            self._unsaved[self.conversation.chat.id] = self.conversation

    async def open_chat(self, chat_id: str, *, stay: bool = False) -> None:
        """Go on with another chat, with its server if that is known. `stay` keeps the present server.

        Raises:
            StoreError: it is not there, or cannot be read.
        """
        self._set_aside()
        opened = self._unsaved.get(chat_id) or Conversation(self.store, await self.store.load(chat_id))
        self.conversation = opened
        if not (stay or self.demo):
            await self._return_to(self.conversation.chat.server)
        self.connection.prefer(self.conversation.chat.model)

    async def _return_to(self, address: str) -> None:
        """Talk to the server of a chat; where that is not known any more, `notice` says so.

        One that the user once named counts as known, one that an imported chat names does not.
        """
        connection, self.notice = self.connection, ""
        if not address or same_place(address, connection.server.address):
            return
        known = self._book.at(address)
        if known is None and await self.store.recall(f"{_SERVER}{address}"):
            known = Known(server_at(address), Origin.NAMED)
        if known is not None and known.trouble is None:
            connection.switch(known.server)
            return
        why = f"but: {known.trouble}. {known.trouble.hint}" if known and known.trouble else _GONE
        here = f"It goes on with {connection.server.label}."
        self.notice = f"This chat was with {clean_line(address, 80)}, {why} {here}"

    async def theme(self) -> str:
        """The colours that were chosen last; empty if none were."""
        return await self.store.recall(_THEME)

    async def keep_theme(self, theme: str) -> None:
        """Use these colours at every later start too."""
        with suppress(StoreError):  # a convenience: this run has them anyway
            await self.store.remember(_THEME, theme)

    async def catch_up(self) -> None:
        """Learn what another tui-chat has said in this chat meanwhile, so that the next prompt comes after it."""
        with suppress(StoreError):  # a chat that is not on disk is nobody else's
            await self.conversation.catch_up()

    async def ask(self, text: str, instead: Message | None = None) -> tuple[Message, Plan]:
        """Add a prompt, maybe `instead` of another: it, committed with its reply, and the plan to fill that."""
        prompt = self.conversation.prompt(text, instead)
        reply = self._signed(answer_to(prompt))
        await self._begin(prompt, *([reply] if reply.model else []), draft="")
        return prompt, Plan(Again.RETRY, reply)

    async def turn(self, plan: Plan) -> Turn:
        """The turn that carries out a plan; its message is on disk.

        Raises:
            ReplyError: there is no model to ask.
        """
        connection = self.connection
        if not connection.model:
            await connection.look()
        if not connection.model:
            raise connection.obstacle or ReplyError(f"{connection.server.label} was not asked for its models yet")
        reply = plan.reply
        if reply != self.conversation.last or reply.model != connection.model:
            reply = self._signed(reply)
            await self._begin(reply)
        request = self.conversation.request(reply, self.config.options, self.config.think, plan.prefill)
        return Turn(connection.backend, request, reply, self._clock)

    def _signed(self, reply: Message) -> Message:
        """A reply that begins now, by the model that is chosen."""
        connection = self.connection
        return replace(reply, model=connection.model, server=connection.server.label, created=time.time())

    async def _begin(self, *messages: Message, **fields: Unpack[ChatFields]) -> None:
        fields |= {"model": self.connection.model, "server": self.connection.server.address}
        await self.conversation.begin(*messages, settings=self._choice(), **fields)

    def abandon(self, plan: Plan) -> None:
        """A reply that was stopped before it was asked for: nothing streams any more."""
        last = self.conversation.last
        if last is not None and (last.id, last.state) == (plan.reply.id, State.STREAMING):
            self.conversation.keep_soon(replace(last, state=State.STOPPED))

    async def ask_to_stop(self, reply: Message) -> None:
        """Ask the tui-chat that receives a reply to stop it.

        Raises:
            StoreError: the store cannot be written.
        """
        await self.store.remember(_STOP, reply.id)

    async def is_asked_to_stop(self, reply_id: str) -> bool:
        """Whether another tui-chat asks this one to stop a reply."""
        with suppress(StoreError):
            return await self.store.recall(_STOP) == reply_id
        return False

    def _choice(self) -> dict[str, str]:
        """Which server and model are talked to, for the next start."""
        server = self.connection.server
        named = any(known.server == server and known.origin is Origin.NAMED for known in self._book.known())
        choice = {_LAST_MODEL: self.connection.model, _LAST_SERVER: server.address}
        return choice | ({f"{_SERVER}{server.address}": "named"} if named else {})

    def events(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """The events of a turn, its message kept on disk."""
        return kept(turn, self.conversation)

    async def aclose(self) -> None:
        """Write what is queued, let go of server and store; a disk that does not answer is not waited for long."""
        await self.connection.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for chat in (self.conversation, *self._unsaved.values()):
                    await chat.settle()
        await self.store.aclose(_PATIENCE)
        if self._left is not None:
            await self._left[0].aclose(_PATIENCE)


async def find_chat(store: Store, start: str) -> str:
    """The id of the one chat whose id is `start`, or begins so.

    Raises:
        StoreError: there is none, or there are several.
    """
    found = [chat.id for chat in await store.chats() if chat.id.startswith(start)]
    if len(found) == 1 or start in found:
        return start if start in found else found[0]
    if not found:
        raise StoreError(f"There is no chat {clean_line(start, 40)!r}", "`tui-chat chats` lists them.")
    raise StoreError(f"{len(found)} chats begin with {clean_line(start, 40)!r}", "Write more of the id.")
