"""Conversations as text for others: Markdown to read, JSON to keep and to read back (`imports`)."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import File, Image, Part, ToolCall
from tui_chat.store.parts import row_of
from tui_chat.store.values import Thread
from tui_chat.text.sanitize import clean_line

FORMAT: Final = "tui-chat"
FORMAT_VERSION: Final = 2
"""1 had text, thinking and attachments where 2 has parts."""

_SPEAKER: Final = {Role.SYSTEM: "System", Role.USER: "You", Role.TOOL: "Tool"}
_ENDING: Final = {
    State.STREAMING: "still being written",
    State.STOPPED: "stopped",
    State.INTERRUPTED: "interrupted",
    State.FAILED: "failed",
}


def write_new(path: Path, text: str) -> None:
    """Write text to a file that is not there yet, for its owner alone to read.

    Raises:
        StoreError: there is such a file already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        raise StoreError(f"{path} exists already", "Name another file: nothing is overwritten.") from None
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}", "Check the path.") from error


def unused_name(stem: str, suffix: str) -> str:
    """A name for a new file in the working folder: `stem` and `suffix`, with a number between them if need be."""
    names = itertools.chain([f"{stem}{suffix}"], (f"{stem}-{number}{suffix}" for number in itertools.count(2)))
    return next(name for name in names if not os.path.lexists(name))


def working_folder() -> str:
    """The working folder as a line to show."""
    try:
        return clean_line(os.getcwd(), 200)
    except FileNotFoundError:
        return "a folder that was removed"


def to_markdown(thread: Thread) -> str:
    """The branch of a chat that is on screen, as a Markdown document. Thinking is left out."""
    chat = thread.chat
    started = datetime.fromtimestamp(chat.created).astimezone()
    parts = [f"# {chat.title or 'Untitled chat'}", f"*{started:%Y-%m-%d %H:%M}*"]
    if chat.system:
        parts += ["## System", chat.system.strip("\n")]
    for message in thread.branch():
        parts += _markdown(message)
    return "\n\n".join(parts) + "\n"


def to_json(threads: Iterable[Thread]) -> str:
    """Whole chats with all their branches as JSON text, from which `imports` makes the same values again.

    Their files are in it as far as the bytes are there (`Store.with_data`).
    """
    document = {"format": FORMAT, "version": FORMAT_VERSION, "chats": [_chat(thread) for thread in threads]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _markdown(message: Message) -> list[str]:
    speaker = _SPEAKER.get(message.role) or message.model or "Assistant"
    ending = "cut by length" if message.finish == "length" else _ENDING.get(message.state, "")
    parts = [f"## {speaker}", *(f"*Attached: {file.name}*" for file in message.files)]
    if message.text:
        parts.append(message.text.strip("\n"))
    if ending:
        parts.append(f"*({ending}{': ' if message.error else ''}{message.error})*")
    return parts


def _chat(thread: Thread) -> dict[str, Any]:
    chat = dataclasses.asdict(thread.chat)
    return _without_defaults(chat) | {"messages": [_message(message) for message in thread.messages]}


def _message(message: Message) -> dict[str, Any]:
    plain = dataclasses.asdict(dataclasses.replace(message, parts=()))
    plain["parts"] = [_part(part) for part in message.parts]
    if message.usage is not None:
        plain["usage"] = _without_defaults(plain["usage"])
        return _without_defaults(plain) | {"usage": plain["usage"]}
    return _without_defaults(plain)


def _part(part: Part) -> dict[str, Any]:
    """A part as a JSON object: `kind` says which one it is. A file whose bytes are lost has none."""
    kind, text, name, mime, call, _, size = row_of(part)
    if isinstance(part, Image | File):
        data = part.blob.data
        told = {"kind": kind, "name": name, "mime": mime, "size": size}
        return told if data is None else told | {"data": base64.b64encode(data).decode("ascii")}
    words = "arguments" if isinstance(part, ToolCall) else "text"
    return _without_defaults({"kind": kind, "id": call, "name": name}) | {words: text}


def _without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that say something; numbers always do."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], False) or value == 0.0}
