"""The commands for chats: list, search, export and import them."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from tui_chat.chat.workspace import find_chat
from tui_chat.config import Config
from tui_chat.errors import StoreError
from tui_chat.files import write_new
from tui_chat.messages import State
from tui_chat.output import is_terminal, put
from tui_chat.shell.words import json_line, put_list, warn
from tui_chat.store.export import to_json, to_markdown
from tui_chat.store.imports import read_export
from tui_chat.store.store import Store
from tui_chat.store.values import ChatSummary, Hit, Thread, title_of

_BIGGEST: Final = 1 << 30
"""Largest file to import, in bytes: more than any real export."""


async def run(arguments: argparse.Namespace, config: Config) -> None:
    """Run a subcommand on the user's store.

    Raises:
        StoreError: the store or a file cannot be read or written, or there is no such chat.
        OutputError: standard output cannot be written.
        BrokenPipeError: nobody reads standard output any more.
    """
    store = await Store.open(config.database)
    try:
        if store.notice:
            warn(store.notice)
        command = {"chats": _chats, "search": _search, "export": _export, "import": _import}[arguments.command]
        await command(store, arguments)
    finally:
        await store.aclose()


async def _chats(store: Store, arguments: argparse.Namespace) -> None:
    chats = await store.chats(" ".join(arguments.words), arguments.limit)
    nothing = "No chat matches." if arguments.words else "No chats yet."
    put_list(chats, partial(map, _chat_line), nothing, as_json=arguments.json)


def _chat_line(chat: ChatSummary) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.updated))
    state = "being answered" if chat.state is State.STREAMING else "unfinished" if chat.unfinished else ""
    count = f"{chat.messages} message" + "s" * (chat.messages != 1) if chat.messages else "draft"
    details = ", ".join(filter(None, ["pinned" if chat.pinned else "", state, count, chat.model]))
    return f"{chat.id}  {when}  {chat.title or title_of(chat.draft) or 'Untitled'}  ({details})"


async def _search(store: Store, arguments: argparse.Namespace) -> None:
    hits = await store.search(" ".join(arguments.words), arguments.limit) or ()
    put_list(hits, partial(map, _hit_line), "Nothing found.", as_json=arguments.json)


def _hit_line(hit: Hit) -> str:
    bold = is_terminal(sys.stdout)
    where = "title" if hit.message is None else str(hit.role)
    text = "".join(f"\x1b[1m{piece}\x1b[0m" if bold and found else piece for piece, found in hit.pieces)
    return f"{hit.chat}  {where:<9}  {hit.title or 'Untitled'}: {text}"


async def _export(store: Store, arguments: argparse.Namespace) -> None:
    whole = arguments.id == "all"
    chosen = [chat.id for chat in await store.chats()] if whole else [await find_chat(store, arguments.id)]
    threads: list[Thread] = [await store.load(chat) for chat in chosen]
    if whole or arguments.format == "json":
        text = to_json([replace(each, messages=await store.with_data(each.messages)) for each in threads])
    else:
        text = to_markdown(threads[0])
    if arguments.output is None:
        put(text.removesuffix("\n"))
        return
    write_new(arguments.output, text)


async def _import(store: Store, arguments: argparse.Namespace) -> None:
    file: Path = arguments.file
    try:
        if file.stat().st_size > _BIGGEST:
            raise StoreError(f"{file} is too large to be an export", "Is it the right file?")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StoreError(f"Cannot read {file}: {error.strerror}", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{file} is not text", "An export is a JSON file; unpack an archive first.") from error
    threads = read_export(text)
    brought = [await store.adopt(thread) for thread in threads]
    if not arguments.json:
        put(f"Chats added or updated: {sum(brought)}. Already there: {len(brought) - sum(brought)}.")
        return
    told = zip(threads, brought, strict=True)
    put(*(json_line({"id": thread.chat.id, "title": thread.chat.title, "new": new}) for thread, new in told))
