"""A chat without a screen: its workspace, and a reply that is printed as it arrives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from tui_chat.chat.generation import Generation, Hear
from tui_chat.chat.workspace import Workspace
from tui_chat.config import Config
from tui_chat.errors import ChatError, OutputError, StoreError
from tui_chat.events import Event
from tui_chat.messages import Message, Role, State
from tui_chat.output import Outflow
from tui_chat.servers.backend import connect
from tui_chat.servers.connection import Connection
from tui_chat.servers.probe import discover
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile
from tui_chat.shell.replies import Aside, Reply
from tui_chat.shell.words import warn
from tui_chat.store.store import open_store
from tui_chat.tasks import start_task

_LOOK_SECONDS: Final = 0.5
_LAST_SECONDS: Final = 0.5
"""How long printing may take after the reply was stopped."""


@asynccontextmanager
async def opened(
    config: Config, chat: str | None, *, resume: bool, save: bool = True, interactive: bool = False
) -> AsyncIterator[Workspace]:
    """A workspace, closed at the end; its arguments as for `Workspace`. Without `save` nothing is kept.

    Raises:
        StoreError: there is no such chat.
    """
    book = ServerRegistry(config, ServerFile(config.servers_file, os.environ))
    for warning in book.warnings:
        warn(warning)
    connection = Connection(connect, book.first, wanted=config.model, discover=discover)
    store, notice = await open_store(config.database if save or config.database.exists() else None)
    if notice and save:
        warn(notice)
    workspace = Workspace(config, store, connection, registry=book, interactive=interactive)
    try:
        await workspace.start(chat, resume=resume)
        if workspace.current.notice:
            warn(workspace.current.notice)
        if not save:
            await workspace.keep_nothing()
        yield workspace
    finally:
        await workspace.aclose()


def elsewhere() -> StoreError:
    """The error where another tui-chat receives a reply in this chat."""
    return StoreError("This chat is being answered in another tui-chat.", "Wait for it, or start a new chat.")


async def receive(
    workspace: Workspace, start: Callable[[Hear], Generation], reply: Reply, thinking: Aside, out: Outflow
) -> tuple[Message, ChatError | None]:
    """Receive the reply that `start` begins, and print it as it arrives.

    Returns it, and the error that ended it, if any. If this is cancelled, what arrived is printed and saved.

    Raises:
        ChatError: nothing came of it.
        OutputError: standard output takes no more.
        BrokenPipeError: nobody reads standard output any more.
    """
    troubles = list[OutputError | BrokenPipeError]()

    async def hear(event: Event) -> None:
        thinking.take(event)
        if text := reply.take(event):
            try:
                await out.write(text)
            except (OutputError, BrokenPipeError) as error:
                troubles.append(error)
                raise asyncio.CancelledError from error  # stop it; what arrived is saved

    generation = start(hear)
    heeding = start_task(_heed_stops(workspace))
    try:
        async for _ in generation.changes():
            if generation.retry_in is not None:
                warn(f"{generation.error} Trying again in {generation.retry_in:.0f} s.")
    except asyncio.CancelledError:
        await generation.stop()
        thinking.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await out.write(reply.close(generation.message or Message(Role.ASSISTANT, ())))
        raise
    finally:
        heeding.cancel()
    thinking.close()
    message, error = generation.message, generation.error
    came = message is not None and generation.progress is not None
    if message is not None and came and not troubles:
        await out.write(reply.close(message))  # first: on a terminal it ends the line
    if generation.notice:
        warn(generation.notice)
    if troubles:
        raise troubles[0]
    if message is None or not came:
        raise error or elsewhere()
    if message.state is State.STOPPED:
        raise asyncio.CancelledError  # by another tui-chat
    return message, error


async def _heed_stops(workspace: Workspace) -> None:
    """Let another tui-chat stop the reply."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        await workspace.heed_stops()
