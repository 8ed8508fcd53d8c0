"""Parts of messages as JSON in our own exports (`export`, `imports`): `kind` says which one it is."""

from __future__ import annotations

import base64
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.parts import Blob, File, Image, Part, Text, Thinking, ToolCall, ToolResult, parts_of
from tui_chat.store.fields import Fields, fields, listed

BIGGEST: Final = 1 << 40
"""Bytes that a file can have of which an export tells the size alone."""


def written(part: Part) -> dict[str, Any]:
    """A part as a JSON object. A file whose bytes are lost has none."""
    match part:
        case Text(text):
            return {"kind": "text", "text": text}
        case Thinking(text):
            return {"kind": "thinking", "text": text}
        case Image(name, mime, blob) | File(name, mime, blob):
            kind = "image" if isinstance(part, Image) else "file"
            told = {"kind": kind, "name": name, "mime": mime, "size": blob.size}
            return told if blob.data is None else told | {"data": base64.b64encode(blob.data).decode("ascii")}
        case ToolCall(id, name, arguments):
            return {"kind": "tool_call", "id": id, "name": name, "arguments": arguments}
        case ToolResult(id, text):
            return {"kind": "tool_result", "id": id, "text": text}


def read(message: Fields) -> tuple[Part, ...]:
    """The parts of a message in an export of any version: the first had text, thinking and attachments instead.

    Raises:
        StoreError: a value is not what it should be.
    """
    if "parts" in message.raw:
        return tuple(_part(fields(item)) for item in listed(message.raw["parts"]))
    files = [_file(fields(item)) for item in listed(message.raw.get("attachments", []))]
    return parts_of(message.text("text"), message.text("thinking"), files)


def _part(part: Fields) -> Part:
    match part.raw.get("kind"):
        case "text":
            return Text(part.text("text"))
        case "thinking":
            return Thinking(part.text("text"))
        case "image" | "file":
            return _file(part)
        case "tool_call":
            return ToolCall(part.line("id"), part.line("name"), part.text("arguments"))
        case "tool_result":
            return ToolResult(part.line("id"), part.text("text"))
        case _:
            raise StoreError("The file is broken: a part of a message is of no known kind.", "Export it anew.")


def _file(file: Fields) -> Image | File:
    mime = file.line("mime")
    image = file.raw.get("kind") == "image" or ("kind" not in file.raw and mime.startswith("image/"))
    return (Image if image else File)(file.line("name"), mime, _blob(file))


def _blob(file: Fields) -> Blob:
    if file.raw.get("data") is None:
        return Blob("", min(max(0, file.count("size") or 0), BIGGEST))
    try:
        return Blob.of(base64.b64decode(file.line("data", limit=None), validate=True))
    except ValueError as error:
        raise StoreError("An attached file is broken.", "Export it anew.") from error
