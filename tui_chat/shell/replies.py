"""Formats a reply for standard output while it arrives: as plain text, as JSON, or as drawn Markdown."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Dropped,
    Event,
    Finished,
    Loading,
    PromptProgress,
    Thinking,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import Message
from tui_chat.output import is_terminal
from tui_chat.shell.words import json_line

_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"
_LEFT: Final = "\n</think>\n\n"
"""Printed, as by the model, after an answer that turned out to be thinking."""


_KINDS: Final[Mapping[type, str]] = {
    Accepted: "accepted",
    Dropped: "dropped",
    Continued: "continued",
    Loading: "loading",
    PromptProgress: "progress",
    Thinking: "thinking",
    WasThinking: "was_thinking",
    ToolCall: "tool_call",
}
"""The names of events in JSON."""


class Plain:
    """The text of the answer: sanitised on a terminal, else exactly as the server sent it."""

    def __init__(self, *, safe: bool) -> None:
        self._safe = safe
        self._last = "\n"

    def take(self, event: Event) -> str:
        """The text for an event."""
        text = _text_of(event, safe=self._safe)
        self._last = text[-1:] or self._last
        return text

    def close(self, _: Message) -> str:
        """The text after the last event: on a terminal, the shell's prompt starts on a new line."""
        return "\n" if self._safe and self._last != "\n" else ""


class Lines:
    """One JSON object per event, and one at the end with the whole message."""

    def __init__(self, chat: str, *, safe: bool) -> None:
        self._chat = chat
        self._safe = safe

    def take(self, event: Event) -> str:
        """See `Plain.take`."""
        match event:
            case Delta():
                return _json("text", text=_text_of(event, safe=self._safe))
            case Finished():
                return ""  # is part of the end
            case _:
                return _json(_KINDS[type(event)], **asdict(event))

    def close(self, message: Message) -> str:
        """The object for `message`, the reply as far as it came."""
        usage = asdict(message.usage) if message.usage else {}
        return _json(
            "end",
            state=message.state.value,
            finish=message.finish,
            error=message.error,
            chat=self._chat,
            id=message.id,
            model=message.model,
            server=message.server,
            text=message.text,
            thinking=message.thinking,
            usage={name: count for name, count in usage.items() if count is not None},
            first_token=message.first_token,
            seconds=message.seconds,
        )


class Drawn:
    """Drawn Markdown: as it grows on a terminal, else in one piece."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        from tui_chat.markdown.printed import Printed  # late: nothing else in the shell needs Rich

        grows = is_terminal(sys.stdout) and environ.get("TERM") != "dumb"
        columns, rows = _size_of(environ)
        self._printed = Printed(columns, rows if grows else 0, colours=not environ.get("NO_COLOR"))

    def take(self, event: Event) -> str:
        """See `Plain.take`."""
        return self._printed.append(_text_of(event, safe=True))

    def close(self, _: Message) -> str:
        """See `Plain.close`."""
        return self._printed.close()


Reply = Plain | Lines | Drawn
"""Formats the events of a reply."""


class Aside:
    """Prints the thinking to standard error, if that is a terminal: dimmed, or if `plain` between words."""

    def __init__(self, *, shown: bool = True, plain: bool = False) -> None:
        self._shown = shown and is_terminal(sys.stderr)
        self._plain = plain or os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
        self._thinking = False

    def take(self, event: Event) -> None:
        """Print an event of thinking; end the thinking at the first other event."""
        if not self._shown or isinstance(event, Loading | Accepted | Dropped | PromptProgress):
            return
        if isinstance(event, Thinking):
            begun, self._thinking = self._thinking, True
            text = ("" if begun else "Thinking: ") + event.text if self._plain else f"{_DIM}{event.text}{_RESET}"
            print(text, end="", file=sys.stderr, flush=True)
        else:
            self.close()

    def close(self) -> None:
        """Print an empty line after the thinking."""
        if self._thinking:
            self._thinking = False
            print("\n" + "End of thinking.\n" * self._plain, file=sys.stderr, flush=True)


def _text_of(event: Event, *, safe: bool) -> str:
    match event:
        case Delta(text):
            return text if safe else event.exact or text
        case WasThinking():
            return _LEFT
    return ""


def _json(kind: str, **fields: object) -> str:
    return json_line({"type": kind, **fields}) + "\n"


def _size_of(environ: Mapping[str, str]) -> tuple[int, int]:
    """Columns and rows to draw for."""
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
        return size.columns or 80, size.lines or 24
    except OSError:
        columns = environ.get("COLUMNS", "")
        return (int(columns) if columns.isdecimal() and 8 <= int(columns) <= 1000 else 80), 24
