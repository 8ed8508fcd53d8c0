"""Puts the full-screen program together and runs it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from textual.driver import Driver

from tui_chat.chat.workspace import Workspace, way_back
from tui_chat.config import Config
from tui_chat.markdown.printed import Printed
from tui_chat.servers.backend import connect
from tui_chat.servers.catalog import ModelCatalog
from tui_chat.servers.connection import Connection
from tui_chat.servers.probe import discover
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile
from tui_chat.servers.table import first_server
from tui_chat.store.export import to_markdown
from tui_chat.store.store import Store, open_store
from tui_chat.store.values import Thread
from tui_chat.terminal.choose import choose_driver
from tui_chat.terminal.colours import Depth, depth_of
from tui_chat.text.sanitize import clean
from tui_chat.ui.app import ChatApp
from tui_chat.ui.services import Services

_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
_SWITCH: Final = 0.0005
"""GIL switch interval in seconds: a tenth of the default, for key latency."""
_LONGEST: Final = 200_000
"""Characters of a chat that are printed at the end: some thousand rows."""
_COLLECT: Final = (700, 10, 50)
"""Python's garbage collection, but full collections five times as rarely: one takes 10 ms or more."""


def build(
    services: Services,
    store: Store,
    driver: type[Driver] | None = None,
    kind: Callable[..., ChatApp] = ChatApp,
    depth: Depth = Depth.TRUE,
) -> ChatApp:
    """Put the app together.

    Raises:
        ConfigError: the config names keys or a theme wrongly.
    """
    config = services.config
    registry = ServerRegistry(config, services.added)
    first = first_server("", ()) if services.demo else registry.first
    connection = Connection(services.connect, first, wanted=config.model, discover=services.discover)
    catalog = ModelCatalog(registry, connection.backends, services.discover)

    def start(work: Coroutine[Any, Any, None], group: str) -> None:
        app.run_worker(work, group=group)

    workspace = Workspace(config, store, connection, services.clock, registry, start)
    app = kind(services, workspace, catalog, driver, depth=depth)
    return app


async def run(
    config: Config,
    environ: Mapping[str, str],
    *,
    demo: bool = False,
    chat: str | None = None,
    resume: bool = False,
    question: str = "",
    printed: bool = False,
) -> int:
    """Run the app until the user leaves; returns the exit code.

    Args:
        demo: start the built-in demo.
        chat: open the chat whose id starts with this.
        resume: open the last chat.
        question: send this prompt at the start.
        printed: print the chat at the end, so that it stays in the terminal's scrollback.

    Raises:
        ConfigError: the config names keys or a theme wrongly.
        StoreError: there is no such chat.
    """
    store, notice = await open_store(None if demo else config.database)
    try:
        services = Services(
            config=replace(config, warnings=(*config.warnings, *filter(None, [notice]))),
            connect=connect,
            discover=discover,
            environ=environ,
            demo=demo,
            open_link=desktop_opener(environ),
            question=clean(question).strip(),
            added=ServerFile(None if demo else config.servers_file, environ),
        )
        app = build(services, store, choose_driver(environ), depth=depth_of(environ))
        await app.workspace.start(chat, resume=resume)
        if not config.theme and (theme := await app.workspace.choices.theme()) in app.available_themes:
            app.use_theme(theme)
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, app.on_signal, number)
        sys.setswitchinterval(_SWITCH)
        gc.set_threshold(*_COLLECT)
        gc.freeze()  # what is there now stays: a collection need not look at it again
        try:
            await app.run_async()
        finally:
            await app.workspace.aclose()  # also where a defect has ended it
        if printed:
            _write(transcript_of(app))
        say_goodbye(app)
        return app.return_code or 0
    finally:
        await store.aclose()


def say_goodbye(app: ChatApp) -> None:
    """Print how to continue the chat, if it has anything."""
    workspace, chat = app.workspace, app.workspace.conversation.chat
    if not (chat.leaf or chat.draft) or workspace.demo:
        return
    line = way_back(workspace)
    if workspace.unsaved:
        reason = f" {workspace.conversation.trouble}" if workspace.conversation.trouble else ""
        line = f"The last messages are not saved.{reason}"
    _write(f"{line}\n")


def transcript_of(app: ChatApp) -> str:
    """The chat on screen as drawn Markdown, with what is not sent; only its end if it is very long."""
    conversation = app.workspace.conversation
    chat = conversation.chat
    text = to_markdown(Thread(chat, tuple(conversation.branch)))
    unsent = [*(("waiting", prompt) for prompt in chat.queue), ("draft", chat.draft)]
    text += "".join(f"\n## You · {what}, not sent\n\n{words}\n" for what, words in unsent if words.strip())
    if len(text) > _LONGEST:
        text = f"*The end of the chat; all of it: tui-chat export {chat.id}*\n\n" + text[-_LONGEST:]
    columns = os.get_terminal_size(sys.stdout.fileno()).columns or 80
    printed = Printed(columns, 0, colours=not app.services.environ.get("NO_COLOR"))
    return printed.append(text) + printed.close()


def _write(text: str) -> None:
    """Write to the terminal, if it is still there."""
    rest = memoryview(text.encode("utf-8", "replace"))
    with suppress(OSError):  # unbuffered, or the interpreter would try again and fail
        while rest:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]


def desktop_opener(environ: Mapping[str, str]) -> Callable[[str], object] | None:
    """Opens links on the user's desktop; None over SSH or without a desktop."""
    remote = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))
    if remote or not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return None
    return webbrowser.open
