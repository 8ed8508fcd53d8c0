"""Decodes the lines of Ollama's streams: of replies, downloads and other long work (`protocol.md` 1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tui_chat.errors import Cut, Garbled, Remedy, ReplyError, ServerFault
from tui_chat.events import Event, Finished, Thinking, ToolCall
from tui_chat.messages import Usage
from tui_chat.servers.dialect import Ask, Decoder
from tui_chat.servers.faults import fault_in, judge
from tui_chat.servers.lines import Lines
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.untrusted import count_of, delta_of, object_of, objects_of, parsed, seconds_of, text_of

NAME_LENGTH: Final = 200
"""Characters of a name that are kept."""
IS_IT_OLLAMA: Final = "Is this an Ollama? Check the URL."
_NANOSECONDS: Final = 1_000_000_000
_CRASHED: Final = "The model may have crashed: see `journalctl -u ollama`."


class ReplyDecoder(Decoder):
    """Turns lines of NDJSON into events, up to `done`."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._lines = Lines()
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """See `Decoder.feed`."""
        return self._events(self._lines.feed(chunk))

    def close(self, lost: ReplyError | None = None) -> Iterator[Event]:
        """See `Decoder.close`."""
        if lost is not None:
            raise lost
        yield from self._events([self._lines.rest()])
        if not self.done:
            if not self._begun:  # a retry would not help
                raise Garbled("The server sent no reply.", _CRASHED)
            raise Cut("The server broke off the reply.", _CRASHED, Remedy.CONTINUE)

    def _events(self, lines: Sequence[bytes]) -> Iterator[Event]:
        for line in lines:
            for event in events_of(line):
                self._begun = True
                self.done = isinstance(event, Finished)
                yield event
            if self.done:
                return


def events_of(line: bytes) -> list[Event]:
    """The events of one line of a stream, in order. An empty line has none.

    Raises:
        Garbled: it is not Ollama's protocol.
        ReplyError: it reports an error.
    """
    if not line.strip():
        return []
    body = body_of(line)
    message = object_of(body, "message")
    events: list[Event] = []
    if thinking := clean(text_of(message, "thinking")):
        events.append(Thinking(thinking))
    if sent := text_of(message, "content"):
        events.append(delta_of(sent))
    events += [_tool_call(call) for call in objects_of(message, "tool_calls")]
    if body.get("done") is True:
        events.append(Finished(clean_line(text_of(body, "done_reason"), 100) or "stop", _usage(body)))
    return events


def body_of(data: bytes) -> Mapping[str, object]:
    """The JSON object in a line of a stream.

    Raises:
        Garbled: it is something else.
        ReplyError: it reports an error.
    """
    body = parsed(data.decode("utf-8", "replace"))
    if not isinstance(body, dict):
        raise Garbled(f"The server sent something that is not Ollama's protocol: {_glimpse(data)}", IS_IT_OLLAMA)
    if fault := fault_in(body):
        raise with_advice(judge(fault))
    return body


def _tool_call(call: Mapping[str, object]) -> ToolCall:
    function = object_of(call, "function")
    arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
    return ToolCall(clean_line(text_of(function, "name"), NAME_LENGTH), clean(arguments))


def _usage(body: Mapping[str, object]) -> Usage | None:
    usage = Usage(
        prompt_tokens=count_of(body, "prompt_eval_count"),
        reply_tokens=count_of(body, "eval_count"),
        load_seconds=seconds_of(body, "load_duration", _NANOSECONDS),
        prompt_seconds=seconds_of(body, "prompt_eval_duration", _NANOSECONDS),
        reply_seconds=seconds_of(body, "eval_duration", _NANOSECONDS),
    )
    return None if usage == Usage() else usage


def with_advice(error: ReplyError) -> ReplyError:
    """An error of the server, with the place of its log."""
    if isinstance(error, ServerFault) and error.remedy in (Remedy.RETRY, Remedy.SET_KEY):
        error.remedy = Remedy.RETRY
        error.hint = "Ollama's log may say more: `journalctl -u ollama`."
    return error


def _glimpse(data: bytes) -> str:
    text = clean_line(data[:400].decode("utf-8", "replace").strip(), 60)
    return "a web page" if text.startswith("<") else text or "nothing"
