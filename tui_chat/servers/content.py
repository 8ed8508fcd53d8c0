"""What all dialects make of a message's parts before each writes its own JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from tui_chat.messages import Message, Role
from tui_chat.parts import File, Image, ToolResult

_FENCE: Final = re.compile(r"`{3,}")


def sendable(message: Message) -> list[Message]:
    """A message as the wire has it: a tool's result is one of its own, and so is what was said after it."""
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
    """The words of a message, its text files in fences behind them.

    Files of the types `media`, which the dialect sends as such, are left out. Of one that is no text, or that is
    lost, the model learns that there is one.
    """
    words = [message.text, *(part.text for part in message.parts if isinstance(part, ToolResult))]
    files = [_quoted(file) for file in message.files if not is_sent(file, media)]
    return "\n\n".join(filter(None, (*words, *files)))


def is_sent(file: Image | File, media: tuple[str, ...]) -> bool:
    """Whether a file goes as what it is, rather than as words."""
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
