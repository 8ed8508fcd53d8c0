"""Prepares the parts of a message for the JSON of any dialect."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tui_chat.messages import Message, Role
from tui_chat.parts import File, Image, ToolResult

_FENCE: Final = re.compile(r"`{3,}")


def sendable(message: Message) -> list[Message]:
    """Split a message for the wire: each tool result, and the text after it, is a message of its own."""
    made: list[Message] = []
    for part in message.parts:
        before = made[-1].parts if made else ()
        if isinstance(part, ToolResult):
            made.append(replace(message, role=Role.TOOL, parts=(part,)))
        elif before and not isinstance(before[-1], ToolResult):
            made[-1] = replace(message, parts=(*before, part))
        else:
            made.append(replace(message, parts=(part,)))
    return made or [message]


def words_of(message: Message, media: tuple[str, ...]) -> str:
    """The text of a message, then its text files in fences.

    Files of the types `media` are left out, since the dialect sends them as such. Of a file that is lost or not
    text, the model is told that there is one.
    """
    words = [message.text, *(part.text for part in message.parts if isinstance(part, ToolResult))]
    files = [_quoted(file) for file in message.files if not is_sent(file, media)]
    return "\n\n".join(filter(None, (*words, *files)))


def is_sent(file: Image | File, media: tuple[str, ...]) -> bool:
    """Whether a file is sent as such, not as text."""
    return file.blob.data is not None and file.mime.startswith(media)


def _quoted(file: Image | File) -> str:
    try:
        text = (file.blob.data or b"\0").decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"({file.name}, {file.mime}, {file.blob.size} bytes: attached, but it cannot be shown to you.)"
    return f"{file.name}:\n{fenced(text)}"


def fenced(text: str, language: str = "") -> str:
    """`text` as a block of code, with a fence longer than any in it."""
    fence = "`" * max((len(run) + 1 for run in _FENCE.findall(text)), default=3)
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"
