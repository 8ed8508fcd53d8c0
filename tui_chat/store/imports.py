"""Conversations from exported files: ours, ChatGPT's `conversations.json`, Open WebUI's chat export.

What comes in is sanitised and checked here; nothing is trusted, and nothing but `StoreError` is raised.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Blob, Part, attached, parts_of
from tui_chat.store.export import FORMAT, FORMAT_VERSION
from tui_chat.store.fields import Fields, fields, listed
from tui_chat.store.foreign import chatgpt, lost_blob, openwebui
from tui_chat.store.parts import part_of
from tui_chat.store.values import Chat, Place, Thread
from tui_chat.text.sanitize import clean

_HINT = (
    "What can be read: the JSON of `tui-chat export`, ChatGPT's conversations.json and Open WebUI's chat export."
)
_KINDS = ("text", "thinking", "image", "file", "tool_call", "tool_result")


def read_export(text: str) -> tuple[Thread, ...]:
    """The chats in an exported file's text, whichever of the three formats it has.

    Chats of other programs get the same ids each time, so that what was imported before is known again.

    Raises:
        StoreError: it is none of them, or it is broken.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError("This is not a JSON file.", _HINT) from error
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return _ours(fields(document))
    chats = [fields(item) for item in (document if isinstance(document, list) else [document])]
    if chats and all("mapping" in chat.raw for chat in chats):
        return tuple(chatgpt(chat) for chat in chats)
    if chats and all("chat" in chat.raw for chat in chats):
        return tuple(openwebui(chat) for chat in chats)
    raise StoreError("This file holds no conversations that are known here.", _HINT)


def _ours(document: Fields) -> tuple[Thread, ...]:
    version = document.number("version")
    if version is None or version > FORMAT_VERSION:
        raise StoreError("This file was exported by a newer tui-chat.", "Update tui-chat.")
    return tuple(_thread(fields(item)) for item in listed(document.raw.get("chats")))


def _thread(chat: Fields) -> Thread:
    messages = tuple(_message(fields(item)) for item in listed(chat.raw.get("messages")))
    seen: set[str] = set()
    for message in messages:
        if message.id in seen or (message.parent is not None and message.parent not in seen):
            raise StoreError(f"The tree of messages is broken at {message.id}.", _HINT)
        seen.add(message.id)
    leaf = chat.optional_line("leaf")
    place = chat.raw.get("place")
    return Thread(
        Chat(
            chat.needed("id"),
            title=chat.line("title"),
            created=chat.time("created"),
            updated=chat.time("updated"),
            model=chat.line("model"),
            server=chat.line("server"),
            system=chat.text("system"),
            pinned=bool(chat.raw.get("pinned")),
            deleted=chat.optional_time("deleted"),
            leaf=leaf,
            draft=chat.text("draft"),
            place=None if place is None else Place(fields(place).line("message"), fields(place).count("row") or 0),
            queue=tuple(
                clean(prompt) for prompt in listed(chat.raw.get("queue") or []) if isinstance(prompt, str)
            ),
        ),
        messages,
    )


def _message(message: Fields) -> Message:
    usage = message.raw.get("usage")
    return Message(
        message.one_of(Role, "role"),
        _parts(message),
        id=message.needed("id"),
        parent=message.optional_line("parent"),
        state=message.one_of(State, "state"),
        model=message.line("model"),
        server=message.line("server"),
        usage=None if usage is None else fields(usage).usage(),
        finish=message.line("finish"),
        error=message.text("error"),
        created=message.time("created"),
        first_token=message.number("first_token"),
        seconds=message.number("seconds"),
    )


def _parts(message: Fields) -> tuple[Part, ...]:
    """The parts of a message: the first version had text, thinking and attachments instead."""
    if "parts" in message.raw:
        return tuple(_part(fields(item)) for item in listed(message.raw["parts"]))
    items = [fields(item) for item in listed(message.raw.get("attachments", []))]
    files = [attached(item.line("name"), item.line("mime"), _blob(item)) for item in items]
    return parts_of(message.text("text"), message.text("thinking"), files)


def _part(part: Fields) -> Part:
    kind = part.needed("kind")
    if kind not in _KINDS:
        raise StoreError("The file is broken: a part of a message is of no known kind.", "Export it anew.")
    text = part.text("arguments" if kind == "tool_call" else "text")
    return part_of(kind, text, part.line("name"), part.line("mime"), part.line("id"), _blob(part))


def _blob(file: Fields) -> Blob:
    if file.raw.get("data") is None:
        return lost_blob(file)
    try:
        return Blob.of(base64.b64decode(file.line("data", limit=None), validate=True))
    except ValueError as error:
        raise StoreError("An attached file is broken.", "Export it anew.") from error
