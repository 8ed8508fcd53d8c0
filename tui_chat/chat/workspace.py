"""What a running program holds: a store, and the chats that are open, each with its server and its reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any, Final, Unpack

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.generation import Generation, Hear, RemoteReply, Reply
from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.retry import ReplyPlan, RetryKind, answer_to, plan_again
from tui_chat.chat.turn import Turn
from tui_chat.config import Config, server_at
from tui_chat.errors import ReplyError, StoreError
from tui_chat.messages import Message, Model, State
from tui_chat.server import Server
from tui_chat.servers.connection import Connection
from tui_chat.servers.registry import Origin, ServerEntry, ServerRegistry, same_place
from tui_chat.servers.server_file import ServerFile
from tui_chat.store.store import Store
from tui_chat.store.values import ChatFields
from tui_chat.tasks import start_task
from tui_chat.text.sanitize import clean_line

_LAST_MODEL = "last-model"
_LAST_SERVER = "last-server"
_SERVER = "server "
"""Begins the keys of the addresses that the user has named at a start."""
_STOP = "stop"
_GONE: Final = "which is not among the servers (any more)."
_THEME = "theme"
_REST_SECONDS: Final = 3.0
"""How long the end waits until what came of the replies is on disk."""
_PATIENCE: Final = 2.0
"""Seconds to wait at the end for a disk that is full, locked or gone."""


Start = Callable[[Coroutine[Any, Any, None], str], object]
"""Starts work in a task of its own, in a group of that name."""


class Workspace:
    """The chats that are open, each with its server and its reply, and the one that is on screen."""

    def __init__(
        self,
        config: Config,
        store: Store,
        connection: Connection,
        clock: Callable[[], float] = time.monotonic,
        book: ServerRegistry | None = None,
        start: Start | None = None,
        *,
        goes_on: bool = True,
    ) -> None:
        """`goes_on`: waiting prompts are sent by themselves after a whole reply."""
        self._clock = clock
        self._goes_on = goes_on
        self._book = book or ServerRegistry(config, ServerFile())
        self._tasks: set[asyncio.Task[None]] = set()
        self._start = start or self._start_task
        self._left: tuple[Store, OpenChat] | None = None
        """What the demo was started from."""
        self._aside: dict[str, OpenChat] = {}
        """Chats that are not on screen: answered, not seen since, or not all on disk yet."""
        self.config = config
        self.store = store
        self.current = OpenChat(Conversation(store, system=config.system), connection)
        """The chat on screen."""
        self.demo = False
        """Whether it is the built-in scripted server that is talked to."""
        self.notice = ""
        """What has to be said about the chat that was opened last."""

    def _start_task(self, work: Coroutine[Any, Any, None], _group: str) -> None:
        task = start_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def conversation(self) -> Conversation:
        """That of the chat on screen."""
        return self.current.conversation

    @property
    def connection(self) -> Connection:
        """The server and the model of the chat on screen."""
        return self.current.connection

    @property
    def replying(self) -> tuple[OpenChat, ...]:
        """The chats that this process is answering."""
        return tuple(chat for chat in (self.current, *self._aside.values()) if chat.replying)

    @property
    def running_elsewhere(self) -> int:
        """How many chats this process is answering besides the one on screen."""
        return len(self.replying) - self.current.replying

    def known(self, chat_id: str) -> OpenChat | None:
        """A chat that is open."""
        return self.current if chat_id == self.conversation.chat.id else self._aside.get(chat_id)

    # Replies

    def send(
        self,
        text: str,
        instead: Message | None = None,
        *,
        form: str | Mapping[str, object] = "",
        hear: Hear | None = None,
    ) -> Generation:
        """Send a prompt in the chat on screen, maybe `instead` of another, and have it answered.

        Args:
            form: of the answer, as `ReplyPlan.format`.
            hear: as for `Generation`.
        """
        return self._send(self.current, text, instead, form=form, hear=hear)

    def _send(
        self,
        chat: OpenChat,
        text: str,
        instead: Message | None = None,
        *,
        form: str | Mapping[str, object] = "",
        hear: Hear | None = None,
        **fields: Unpack[ChatFields],
    ) -> Generation:
        async def begin() -> ReplyPlan | None:
            if not await self._is_next(chat):
                return None
            return replace(await self._ask(chat, text, instead, **fields), format=form)

        return self._generate(chat, begin, hear)

    def enqueue(self, text: str) -> None:
        """Let a prompt wait for the reply in the chat on screen, behind those that wait already."""
        waited = self.current.queue
        self.conversation.note_soon(queue=(*waited, text))
        if not waited:
            self._go_on(self.current)  # where the reply has ended just now, nothing would send it

    def unqueue(self) -> str:
        """Take the last waiting prompt back: its text; empty if none waits."""
        *others, last = self.current.queue or ("",)
        if last:
            self.conversation.note_soon(queue=tuple(others))
        return last

    async def send_next(self) -> None:
        """Send the next waiting prompt of the chat on screen now; the reply that runs is stopped and kept."""
        chat = self.current
        if chat.reply is not None and chat.replying:
            await chat.reply.stop()
        self._go_on(chat)

    def _go_on(self, chat: OpenChat) -> None:
        """Send the next waiting prompt; it leaves the queue in the transaction that makes it a message."""
        if chat.queue and not chat.busy:
            text, *others = chat.queue
            self._send(chat, text, queue=tuple(others))

    def again(self, message: Message | None = None, *, hear: Hear | None = None) -> Generation:
        """Continue, retry or regenerate a reply, whichever it needs; without one, the last."""
        chat = self.current

        async def begin() -> ReplyPlan | None:
            return plan_again(chat.conversation, message) if await self._is_next(chat) else None

        return self._generate(chat, begin, hear)

    def _generate(
        self, chat: OpenChat, begin: Callable[[], Awaitable[ReplyPlan | None]], hear: Hear | None
    ) -> Generation:
        def connect(plan: ReplyPlan) -> Awaitable[Turn]:
            return self._turn(chat, plan)

        def abandon(plan: ReplyPlan) -> Message:
            return chat.abandon(plan.reply)

        generation = Generation(chat.conversation, begin, connect, abandon, hear=hear)
        self._receive(chat, generation)
        return generation

    def _receive(self, chat: OpenChat, reply: Reply) -> None:
        chat.reply = reply

        async def receive() -> None:
            try:
                await reply.run()
            finally:
                chat.seen = chat.seen and chat is self.current
            message = reply.message
            whole = message is not None and message.state is State.COMPLETE and reply.error is None
            if whole and self._goes_on:
                self._go_on(chat)

        self._start(receive(), f"reply {chat.conversation.chat.id}")

    async def _is_next(self, chat: OpenChat) -> bool:
        """Learn what another tui-chat has said in a chat meanwhile; whether none is answering it."""
        conversation = chat.conversation
        before = [message.id for message in conversation.branch]
        with suppress(StoreError):  # a chat that is not on disk is nobody else's
            await conversation.catch_up()
        if before != [message.id for message in conversation.branch]:
            self.notice = "This chat was continued in another window; updated."
        return not conversation.elsewhere

    def watch(self) -> None:
        """Follow the reply that another tui-chat receives in the chat on screen, if there is one."""
        chat = self.current
        if chat.conversation.elsewhere and not chat.busy:
            self._receive(chat, RemoteReply(chat.conversation, self.store, self._ask_to_stop))

    async def rest(self, patience: float = 0.0) -> None:
        """Let the replies that are received here end within `patience` seconds, then stop and keep them."""
        deadline = asyncio.get_running_loop().time() + patience
        for chat in self.replying:
            if isinstance(chat.reply, Generation):
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        async for _ in chat.reply.changes():
                            pass
        with suppress(TimeoutError):  # a disk that does not answer
            async with asyncio.timeout(_REST_SECONDS):
                await asyncio.gather(*(chat.reply.stop() for chat in self.replying if chat.reply is not None))

    async def heed_stops(self) -> None:
        """Stop the reply that another tui-chat, which watches it grow, asks to stop."""
        replying = {
            chat.reply.message.id: chat.reply for chat in self.replying if chat.reply and chat.reply.message
        }
        if replying:
            with suppress(StoreError):
                if (reply := replying.get(await self.store.recall(_STOP))) is not None:
                    await reply.stop()

    # Chats

    async def start_demo(self, server: Server) -> None:
        """Talk to the built-in scripted server. Its chats are not kept on disk."""
        if not self.demo:
            self._left = (self.store, self.current)
            self.store, self.demo = await Store.open(None), True
            self.current = OpenChat(Conversation(self.store, system=self.config.system), copy(self.connection))
        self.connection.switch(server)
        self.new_chat()

    async def leave_demo(self) -> None:
        """Go back to the chat that the demo was started from."""
        if self._left is not None:
            (store, chat), self._left = self._left, None
            demo, self.store, self.demo = self.store, store, False
            self.current = chat
            await demo.aclose()

    async def keep_nothing(self) -> None:
        """Go on with the open chat in memory: nothing that is said from now on is written to disk."""
        kept, self.store = self.store, await Store.open(None)
        thread = None
        if self.conversation.last is not None:
            thread = await kept.load(self.conversation.chat.id)
            await self.store.adopt(thread)
        self.current = OpenChat(Conversation(self.store, thread, system=self.config.system), self.connection)
        await kept.aclose(_PATIENCE)

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
        await self.conversation.note(settings=self._choice(self.connection), model=model, server=server)

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
            self.connection.pinned, self.notice = False, ""
        wanted = await find_chat(self.store, chat) if chat else await self.store.newest() if resume else None
        if wanted is not None:
            await self.open_chat(wanted, stay=self.config.pinned)

    @property
    def unsaved(self) -> bool:
        """Whether something that is said now is not on disk, or will not be."""
        return not self.demo and (self.store.path is None or self.conversation.trouble is not None)

    def new_chat(self) -> None:
        """Begin another chat with the same server and model; a reply in the present one goes on."""
        self._show(OpenChat(Conversation(self.store, system=self.config.system), copy(self.connection)))

    def _show(self, chat: OpenChat) -> None:
        """Put a chat on screen."""
        left, self.current = self.current, chat
        chat.seen = True
        kept = {left.conversation.chat.id: left, **self._aside}
        self._aside = {
            id: aside
            for id, aside in kept.items()
            if aside is not chat and (aside.busy or not aside.seen or aside.conversation.trouble is not None)
        }

    async def open_chat(self, chat_id: str, *, stay: bool = False) -> None:
        """Go on with another chat, with its server if that is known. `stay` keeps the present server.

        Raises:
            StoreError: it is not there, or cannot be read.
        """
        opened = self.known(chat_id)
        if opened is None:
            conversation = Conversation(self.store, await self.store.load(chat_id))
            opened = OpenChat(conversation, copy(self.connection))
            self._show(opened)
            if not (stay or self.demo):
                await self._return_to(conversation.chat.server)
            self.connection.prefer(conversation.chat.model)
        else:
            self._show(opened)
        self.watch()

    async def _return_to(self, address: str) -> None:
        """Talk to the server of a chat; where that is not known any more, `notice` says so.

        One that the user once named counts as known, one that an imported chat names does not.
        """
        connection, self.notice = self.connection, ""
        if not address or same_place(address, connection.server.address):
            return
        known = self._book.at(address)
        if known is None and await self.store.recall(f"{_SERVER}{address}"):
            known = ServerEntry(server_at(address), Origin.NAMED)
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
        """Learn what another tui-chat has said in this chat meanwhile."""
        await self._is_next(self.current)

    async def _ask(
        self, chat: OpenChat, text: str, instead: Message | None, **fields: Unpack[ChatFields]
    ) -> ReplyPlan:
        """Add a prompt, maybe `instead` of another, committed with its reply: the plan to fill that."""
        prompt = chat.conversation.prompt(text, instead)
        reply = chat.signed(answer_to(prompt))
        fields = fields or ChatFields(draft="")
        await self._begin(chat, prompt, *([reply] if reply.model else []), **fields)
        return ReplyPlan(RetryKind.RETRY, reply)

    async def _turn(self, chat: OpenChat, plan: ReplyPlan) -> Turn:
        """The turn that carries out a plan; its message is on disk.

        Raises:
            ReplyError: there is no model to ask.
            StoreError: images or files that go with it cannot be read.
        """
        connection, conversation = chat.connection, chat.conversation
        if not connection.model:
            await connection.look()
        if not connection.model:
            raise connection.obstacle or ReplyError(f"{connection.server.label} was not asked for its models yet")
        reply = plan.reply
        if reply != conversation.last or reply.model != connection.model:
            reply = chat.signed(reply)
            await self._begin(chat, reply)
        request = await conversation.request(reply, self.config.options, self.config.think, plan.prefill)
        return Turn(connection.backend, replace(request, format=plan.format), reply, self._clock)

    async def _begin(self, chat: OpenChat, *messages: Message, **fields: Unpack[ChatFields]) -> None:
        fields |= {"model": chat.connection.model, "server": chat.connection.server.address}
        await chat.conversation.begin(*messages, settings=self._choice(chat.connection), **fields)

    async def _ask_to_stop(self, reply: Message) -> None:
        """Ask the tui-chat that receives a reply to stop it.

        Raises:
            StoreError: the store cannot be written.
        """
        await self.store.remember(_STOP, reply.id)

    def _choice(self, connection: Connection) -> dict[str, str]:
        """Which server and model are talked to, for the next start."""
        server = connection.server
        named = any(known.server == server and known.origin is Origin.NAMED for known in self._book.known())
        choice = {_LAST_MODEL: connection.model, _LAST_SERVER: server.address}
        return choice | ({f"{_SERVER}{server.address}": "named"} if named else {})

    async def aclose(self) -> None:
        """Write what is queued, let go of server and store; a disk that does not answer is not waited for long."""
        await self.connection.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for chat in (self.current, *self._aside.values()):
                    await chat.conversation.settle()
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
