"""Decodes server-sent events by the WHATWG rules, with the leniency that model servers need.

The rules: UTF-8 always, one byte order mark is dropped, lines end with LF or CRLF (a lone CR, which the standard
allows too, no server sends), an empty line ends an event, an event without `data` is dropped (HTML standard, 9.2.5
and 9.2.6).

The leniency: an unfinished event at the end of the stream counts if it is complete (JSON, or `[DONE]`); an `error`
field is data of an event of that type (llama.cpp until late 2025); a bare JSON object is an event (servers and
proxies that answer, or break off a stream, with a JSON body).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tui_chat.errors import Garbled
from tui_chat.servers.lines import Lines
from tui_chat.untrusted import parsed

EVENT_LIMIT: Final = 8 * 1024 * 1024
"""The largest event in bytes, as in Ollama's own client."""
DONE: Final = "[DONE]"
"""The data of the last event of an OpenAI stream."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `data` is as the server sent it: not sanitised."""

    data: str
    type: str = "message"
    id: str = ""


class EventDecoder:
    """Turns chunks of bytes, cut anywhere, into the events of one stream."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._lines = Lines(limit)
        self._fresh = True
        self._id = ""
        self._start_event()

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that end in `chunk`.

        Raises:
            Garbled: an event is larger than the limit.
        """
        for line in self._lines.feed(chunk):
            yield from self._take(line)

    def close(self) -> Iterator[ServerEvent]:
        """The unfinished event at the end of the stream, if it is complete."""
        if rest := self._lines.rest():
            yield from self._take(rest)
        data = "\n".join(self._data)
        if not self._data or data.strip() == DONE or parsed(data) is not None:
            yield from self._dispatch()

    def _take(self, raw: bytes) -> Iterator[ServerEvent]:
        self._size += len(raw)
        if self._size > self._limit:
            raise Garbled(f"The server sent an event of more than {self._limit // 1024} KiB.", "Check the URL.")
        if self._fresh:
            self._fresh = False
            raw = raw.removeprefix(_BOM)
        line = raw.removesuffix(b"\r").decode(errors="replace")
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "error":
                self._type = "error"
                self._data.append(value)
            case "event":
                self._type = value
            case "id" if "\0" not in value:
                self._id = value
            case _ if self._bare or line.startswith("{"):
                self._bare.append(line)

    def _dispatch(self) -> Iterator[ServerEvent]:
        data = "\n".join(self._data or self._bare)
        event = ServerEvent(data, self._type or "message", self._id)
        counts = bool(self._data) or parsed(data) is not None
        self._start_event()
        if counts:
            yield event

    def _start_event(self) -> None:
        self._data: list[str] = []
        self._bare: list[str] = []
        self._type = ""
        self._size: int = 0
