"""Chats as Markdown to read, and as JSON that `imports` reads back."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from tui_chat.messages import Message, Role, State
from tui_chat.parts import File, Image, Part, ToolCall
from tui_chat.store.parts import row_of
from tui_chat.store.values import Thread

FORMAT: Final = "tui-chat"
FORMAT_VERSION: Final = 2
"""Version 1 had text, thinking and attachments instead of parts."""

_SPEAKER: Final = {Role.SYSTEM: "System", Role.USER: "You", Role.TOOL: "Tool"}
_ENDING: Final = {
    State.STREAMING: "still streaming",
    State.STOPPED: "stopped",
    State.INTERRUPTED: "interrupted",
    State.FAILED: "failed",
}


def to_markdown(thread: Thread) -> str:
    """The shown branch of a chat as a Markdown document, without thinking."""
    chat = thread.chat
    started = datetime.fromtimestamp(chat.created).astimezone()
    parts = [f"# {chat.title or 'Untitled chat'}", f"*{started:%Y-%m-%d %H:%M}*"]
    if chat.system:
        parts += ["## System", chat.system.strip("\n")]
    for message in thread.branch():
        parts += _markdown(message)
    return "\n\n".join(parts) + "\n"


def to_json(threads: Iterable[Thread]) -> str:
    """Chats with all branches as JSON text for `imports`.

    Files are included if their bytes are loaded (`Store.with_data`).
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
    fields = dataclasses.asdict(thread.chat) | {"parameters": thread.chat.parameters.given}
    return _filled(fields) | {"messages": [_message(each) for each in thread.messages]}


def _message(message: Message) -> dict[str, Any]:
    plain = dataclasses.asdict(dataclasses.replace(message, parts=()))
    return _filled(plain | {"parts": [_part(part) for part in message.parts]})


def _part(part: Part) -> dict[str, Any]:
    """A part as a JSON object; a lost file has no `data`."""
    kind, text, name, mime, call, _, size = row_of(part)
    if isinstance(part, Image | File):
        data = part.blob.data
        told = {"kind": kind, "name": name, "mime": mime, "size": size}
        return told if data is None else told | {"data": base64.b64encode(data).decode("ascii")}
    words = "arguments" if isinstance(part, ToolCall) else "text"
    return _filled({"kind": kind, "id": call, "name": name, words: text})


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields without empty values; numbers stay."""
    return {
        name: _filled(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if value not in ("", None, [], (), {})
    }
