"""The open chats of a running program, one of them on screen."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Final

from tui_chat.attachments.threads import DiskThreads
from tui_chat.chat.choices import Choices
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.open_chat import OpenChat, Start
from tui_chat.chat.reply import STOP
from tui_chat.config import Config
from tui_chat.errors import StoreError
from tui_chat.messages import Model
from tui_chat.server import Server
from tui_chat.servers.connection import Connection
from tui_chat.servers.jobs import Jobs
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread
from tui_chat.tasks import start_task
from tui_chat.text.sanitize import clean_line

_REST_SECONDS: Final = 3.0
"""Seconds to wait at the end until replies are saved."""
_PATIENCE: Final = 2.0
"""Seconds to wait at the end for a full, locked or missing disk."""


class Workspace:
    """The open chats, each with its server and reply; `current` is on screen."""

    def __init__(
        self,
        config: Config,
        store: Store,
        connection: Connection,
        clock: Callable[[], float] = time.monotonic,
        registry: ServerRegistry | None = None,
        start: Start | None = None,
        *,
        interactive: bool = True,
    ) -> None:
        """`interactive`: waiting prompts follow a complete reply, and `@path` attaches a file."""
        self._clock = clock
        self.disk = DiskThreads()
        """Reads the user's files."""
        self._interactive = interactive
        self._start = start or (lambda work, _: start_task(work))
        self._aside: list[OpenChat] = []
        """Open chats that are not on screen (see `OpenChat.unfinished`)."""
        self._left: OpenChat | None = None
        """The chat to return to after the demo; None outside the demo."""
        self.config = config
        self.jobs = Jobs(clock)
        """Pulls and loads of models in the background."""
        self.choices = Choices(config, store, registry or ServerRegistry(config, ServerFile()))
        self.current = self._opened(store, connection)
        """The chat on screen."""
        self.current.shown = True

    def _opened(self, store: Store, connection: Connection, thread: Thread | None = None) -> OpenChat:
        """An open chat for a loaded thread, or a new one."""
        new = Chat(system=self.config.system, parameters=self.config.parameters)
        conversation = Conversation(store, thread, new)
        disk = self.disk if self._interactive else None
        return OpenChat(conversation, connection, self.choices, self._start, self._clock, disk)

    @property
    def store(self) -> Store:
        """The store of the chat on screen; in the demo it is in memory."""
        return self.conversation.store

    @property
    def demo(self) -> bool:
        """Whether the demo runs."""
        return self._left is not None

    @property
    def conversation(self) -> Conversation:
        """The conversation of the chat on screen."""
        return self.current.conversation

    @property
    def connection(self) -> Connection:
        """The server and the model of the chat on screen."""
        return self.current.connection

    @property
    def unsaved(self) -> bool:
        """Whether the chat on screen is not saved."""
        return not self.demo and (self.store.path is None or self.conversation.trouble is not None)

    @property
    def chats(self) -> tuple[OpenChat, ...]:
        """All open chats, the one on screen first."""
        return (self.current, *self._aside)

    def known(self, chat_id: str) -> OpenChat | None:
        """The open chat with this id, if any."""
        return next((chat for chat in self.chats if chat.conversation.chat.id == chat_id), None)

    # Replies

    @property
    def replying(self) -> tuple[OpenChat, ...]:
        """The chats for which this process receives a reply."""
        return tuple(chat for chat in self.chats if chat.generation)

    @property
    def running_elsewhere(self) -> int:
        """How many chats besides the one on screen receive a reply."""
        return sum(chat is not self.current for chat in self.replying)

    async def rest(self, patience: float = 0.0) -> None:
        """Wait up to `patience` seconds for replies, waiting prompts and pulls, then stop them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while running := [
                    *(chat.generation.wait() for chat in self.chats if chat.generation),
                    *(job.wait() for job in self.jobs.running),
                ]:
                    await asyncio.gather(*running)
        with suppress(TimeoutError):  # the disk does not respond
            async with asyncio.timeout(_REST_SECONDS):
                await self._stop(self.replying)

    async def heed_stops(self) -> None:
        """Stop the reply that another tui-chat asks to stop (see `RemoteReply.stop`)."""
        if self.replying:
            with suppress(StoreError):
                wanted = await self.store.recall(STOP)
                await self._stop(chat for chat in self.replying if chat.conversation.chat.leaf == wanted)

    async def _stop(self, chats: Iterable[OpenChat]) -> None:
        await asyncio.gather(*(chat.generation.stop() for chat in chats if chat.generation))

    # Chats

    def new_chat(self) -> None:
        """Open a new chat with the same server and model; running replies continue."""
        self._show(self._opened(self.store, copy(self.connection)))

    async def open_chat(self, chat_id: str, *, stay: bool = False) -> None:
        """Open another chat, with its own server if that is known. `stay` keeps the present server.

        Raises:
            StoreError: it does not exist, or cannot be read.
        """
        if (chat := self.known(chat_id)) is not None:
            self._show(chat)
        else:
            chat = self._opened(self.store, copy(self.connection), await self.store.load(chat_id))
            self._show(chat)
            stored = chat.conversation.chat
            if not (stay or self.demo):
                chat.notice = await self.choices.return_to(chat.connection, stored.server)
            chat.connection.prefer(stored.model)
            await chat.find_link()
        chat.watch()

    def _show(self, chat: OpenChat) -> None:
        """Put a chat on screen. The one before stays open while it is unfinished."""
        others = [other for other in self.chats if other is not chat]
        self.current.shown, self.current = False, chat
        chat.shown = chat.seen = True
        self._aside = [other for other in others if other.unfinished or other is self._left]

    async def use(self, server: Server, models: Sequence[Model] = (), model: str = "") -> None:
        """Use another server, and one of its models if given. Ends the demo."""
        await self.leave_demo()
        self.connection.switch(server, models)
        if model:
            await self.use_model(model)

    async def use_model(self, model: str) -> None:
        """Use another model of the server, here and at the next start."""
        self.connection.use(model)
        server = self.connection.server.address
        await self.conversation.note(settings=self.choices.of(self.connection), model=model, server=server)

    async def start_demo(self, server: Server) -> None:
        """Start the demo: a built-in scripted server, whose chats are not saved."""
        store = self.store if self.demo else await Store.open(None)
        self._left = self._left or self.current
        self._show(self._opened(store, copy(self.connection)))
        self.connection.switch(server)

    async def leave_demo(self) -> None:
        """End the demo with its replies, and return to the chat before."""
        if self._left is not None:
            demo, chat, self._left = self.store, self._left, None
            self._show(chat)
            await self._stop(other for other in self._aside if other.conversation.store is demo)
            self._aside = [other for other in self._aside if other.conversation.store is not demo]
            await demo.aclose()

    # Begin and end

    async def start(self, chat: str | None = None, *, resume: bool = False) -> None:
        """Recover unfinished replies, restore the last server and model, and open a chat if asked to.

        Args:
            chat: the beginning of an id.
            resume: open the last chat.

        Raises:
            StoreError: the chat does not exist, or the store cannot be read.
        """
        with suppress(StoreError):  # a full disk must not prevent reading
            await self.store.recover()
        await self.choices.take_up(self.connection)
        wanted = await find_chat(self.store, chat) if chat else await self.store.newest() if resume else None
        if wanted is not None:
            await self.open_chat(wanted, stay=self.config.pinned)
            parameters = self.config.parameters.over(self.conversation.chat.parameters)
            self.conversation.chat = replace(self.conversation.chat, parameters=parameters)

    async def keep_nothing(self) -> None:
        """Continue the open chat in memory: nothing is saved from now on."""
        kept, store = self.store, await Store.open(None)
        thread = None
        if self.conversation.last is not None:
            thread = replace(await kept.load(self.conversation.chat.id), chat=self.conversation.chat)
            await store.adopt(thread)
        self.current = self._opened(store, self.connection, thread)

    async def aclose(self) -> None:
        """Save what is queued and close connection and store; waits only briefly for the disk."""
        await self.jobs.aclose()
        await self.connection.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for chat in self.chats:
                    await chat.conversation.settle()
        for store in {self.choices.store, *(chat.conversation.store for chat in self.chats)}:
            await store.aclose(_PATIENCE)


async def find_chat(store: Store, start: str) -> str:
    """The id of the only chat whose id is or begins with `start`.

    Raises:
        StoreError: no chat or several chats match.
    """
    found = [chat.id for chat in await store.chats() if chat.id.startswith(start)]
    if len(found) == 1 or start in found:
        return start if start in found else found[0]
    if not found:
        raise StoreError(f"There is no chat {clean_line(start, 40)!r}", "`tui-chat chats` lists them.")
    raise StoreError(f"{len(found)} chats begin with {clean_line(start, 40)!r}", "Type more of the id.")


def way_back(workspace: Workspace, *flags: str) -> str:
    """How to continue the open chat in a shell: commands with `flags` and all without which it is not found."""
    config, chat = workspace.config, workspace.conversation.chat
    url = ("--url", workspace.connection.server.address) if config.pinned else ()
    command = shlex.join(["tui-chat", *flags, *config.where, *url])
    return f"Continue with: {command} --continue, or {command} --chat {chat.id}"
