"""Decodes the stream of OpenAI's chat completions, with the quirks of all servers (`protocol.md` 2.2)."""

from __future__ import annotations

import json
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tui_chat.errors import Cut, Garbled, Remedy, ReplyError, ServerFault
from tui_chat.events import (
    Delta,
    Event,
    Finished,
    PromptProgress,
    Thinking,
    ThinkingCanEnd,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import Usage
from tui_chat.servers.client import Incoming
from tui_chat.servers.dialect import Ask, Decoder
from tui_chat.servers.faults import error_of, fault_in, judge
from tui_chat.servers.sse import DONE, EventDecoder, ServerEvent
from tui_chat.servers.think_tags import Piece, ThinkTags
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.untrusted import count_of, delta_of, object_of, objects_of, parsed, seconds_of, text_of

GRACE_SECONDS: Final = 5.0
"""How long to wait for usage counts and `[DONE]` after a complete reply; some servers never send them."""
_OPENING_BYTES: Final = 4000
"""How much of an answer is kept, to report it if it is not a reply."""
_REASONING: Final = ("reasoning", "reasoning_content")
_ANSWER: Final = ("content", "refusal", "text")
_PIECES: Final = (*_REASONING, *_ANSWER, "tool_calls")
"""The fields of a delta that hold a piece of the reply."""
_UTF16: Final = getincrementaldecoder("utf-16-le")
_KEPT: Final = "What came is kept."


@dataclass(slots=True)
class _Call:
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ReplyDecoder(Decoder):
    """Turns chunks of a stream into events. Only a `finish_reason` completes a reply; usage counts may follow."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._stream = EventDecoder()
        self._type = ""
        self._opening = b""
        self._end_thinking = ask.end_thinking
        self._begun = False
        """Whether a piece of the reply has come."""
        self._tags = ThinkTags(plain=bool(ask.exact))
        self._answer = _UTF16("replace")
        self._reasoning = _UTF16("replace")
        self._calls: dict[int, _Call] = {}
        self._figures: dict[str, object] = {}
        self._reason = ""

    @property
    def whole(self) -> bool:
        """Whether the reply is complete; usage counts may still come."""
        return bool(self._reason)

    def begin(self, incoming: Incoming) -> Iterator[Event]:
        """See `Decoder.begin`."""
        self._type = incoming.content_type
        if self._type == "text/html":
            if self.accepted:
                raise Cut("A web page came instead of the rest of the reply.", _KEPT, Remedy.CONTINUE)
            raise Garbled("The server answered with a web page.", "Check the URL: it ends before /v1.")
        yield from super().begin(incoming)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """See `Decoder.feed`."""
        self._opening += chunk[: _OPENING_BYTES - len(self._opening)]
        yield from self._take(self._stream.feed(chunk))

    def close(self, lost: ReplyError | None = None) -> Iterator[Event]:
        """See `Decoder.close`. What was held back comes first."""
        yield from self._take(self._stream.close())
        if lost is None and not (self._begun or self.whole):
            raise self._no_reply()
        self.done = True
        yield from self._flush()
        if not self.whole:
            raise Cut("The server broke off the reply.", _KEPT, Remedy.CONTINUE)
        for call in self._calls.values():
            yield ToolCall(clean_line(call.name), clean("".join(call.arguments)))
        yield Finished(self._reason, _usage(self._figures))

    def _no_reply(self) -> ReplyError:
        """The error for a good answer without a reply, by its beginning."""
        said = self._opening.decode("utf-8", "replace").strip()
        if not said or self._type == "text/event-stream":
            return Garbled("The server sent no reply.", "The server's log may say more.", Remedy.RETRY)
        return error_of(0, said)

    def _take(self, events: Iterable[ServerEvent]) -> Iterator[Event]:
        """What events of the stream say; before an error, the text that was held back."""
        try:
            for event in events:
                yield from self._read(event)
        except ReplyError:
            yield from self._flush()
            raise

    def _read(self, event: ServerEvent) -> Iterator[Event]:
        data = event.data.strip()
        if self.done or not data:
            return
        if data.startswith(DONE):
            self.done = True
            return
        chunk = _error(data) if event.type == "error" else _object(data)
        choice = _first_choice(chunk)
        fault = fault_in(chunk) or fault_in(choice)
        if fault is not None:
            raise judge(fault)
        if self._end_thinking and (id := text_of(chunk, "id")):
            yield ThinkingCanEnd(partial(self._end_thinking, id))
            self._end_thinking = None
        yield from self._progress(chunk)
        delta = object_of(choice, "delta") or object_of(choice, "message") or choice
        self._begun = self._begun or any(delta.get(name) for name in _PIECES)
        yield from self._texts(delta)
        self._tool_calls(delta)
        self._figures |= {**object_of(chunk, "usage"), **object_of(chunk, "timings")}
        self._finish(choice)

    def _flush(self) -> Iterator[Event]:
        yield from _cleaned([Thinking(_joined(self._reasoning, last=True))])
        yield from _cleaned(self._tags.feed(_joined(self._answer, last=True)))
        yield from _cleaned(self._tags.close())

    def _progress(self, chunk: Mapping[str, object]) -> Iterator[Event]:
        progress = object_of(chunk, "prompt_progress")
        done, total = count_of(progress, "processed"), count_of(progress, "total")
        if done is not None and total:
            yield PromptProgress(min(done, total), total)

    def _texts(self, delta: Mapping[str, object]) -> Iterator[Event]:
        """Some servers send the thinking under both names; it counts once."""
        for thinking in dict.fromkeys(text_of(delta, name) for name in _REASONING):
            if thinking:
                self._tags.settle()
                yield from _cleaned([Thinking(_joined(self._reasoning, thinking))])
        for name in _ANSWER:
            if text := _text(delta, name):
                yield from _cleaned(self._tags.feed(_joined(self._answer, text)))

    def _tool_calls(self, delta: Mapping[str, object]) -> None:
        """Some servers repeat the name in every piece, some send the arguments as an object.

        Where a server omits the `index`, a name begins another call.
        """
        for part in objects_of(delta, "tool_calls"):
            index, function = part.get("index"), object_of(part, "function")
            name, arguments = text_of(function, "name"), function.get("arguments")
            last = max(self._calls, default=-1)
            place = index if isinstance(index, int) else last + bool(name or last < 0)
            call = self._calls.setdefault(place, _Call())
            call.name += name if name != call.name else ""
            if arguments:
                call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _finish(self, choice: Mapping[str, object]) -> None:
        """vLLM's `abort` means that the request was dropped, OpenRouter's `error` that it failed."""
        reason = clean_line(text_of(choice, "finish_reason"), 80)
        if reason == "error":
            raise ServerFault("The server gave up in the middle of the reply.", _KEPT, Remedy.CONTINUE)
        if reason and reason != "abort":
            self._reason, self.patience = reason, GRACE_SECONDS


def _joined(halves: IncrementalDecoder, text: str = "", *, last: bool = False) -> str:
    """`text` with surrogate pairs joined that are split between two JSON strings; a lone half becomes U+FFFD."""
    return halves.decode(text.encode("utf-16-le", "surrogatepass"), last)


def _cleaned(pieces: Iterable[Piece]) -> Iterator[Event]:
    for piece in pieces:
        if isinstance(piece, WasThinking):
            yield piece
        elif isinstance(piece, Delta) and piece.text:
            yield delta_of(piece.text)
        elif text := clean(piece.text):
            yield Thinking(text)


def _object(data: str) -> dict[str, object]:
    value = parsed(data)
    if isinstance(value, dict):
        return value
    raise Garbled(f"The server sent something that is not a reply: {clean_line(data, 80)}", "Check the URL.")


def _error(data: str) -> dict[str, object]:
    """An event of type `error` holds an error object, the inside of one (llama.cpp), or text."""
    if not data.startswith("{"):
        return {"error": data}
    value = _object(data)
    return value if value.get("error") else {"error": value}


def _first_choice(chunk: Mapping[str, object]) -> Mapping[str, object]:
    return next((choice for choice in objects_of(chunk, "choices") if not choice.get("index")), {})


def _text(delta: Mapping[str, object], name: str) -> str:
    """A text: a string, or a list of parts (Mistral and others)."""
    return text_of(delta, name) or "".join(text_of(part, "text") for part in objects_of(delta, name))


def _usage(figures: Mapping[str, object]) -> Usage | None:
    """From `usage`, and from llama.cpp's `timings`, which count cached tokens apart and add times."""
    evaluated, cached = count_of(figures, "prompt_n"), count_of(figures, "cache_n") or 0
    prompt, reply = count_of(figures, "prompt_tokens"), count_of(figures, "completion_tokens")
    usage = Usage(
        prompt_tokens=evaluated + cached if prompt is None and evaluated is not None else prompt,
        reply_tokens=count_of(figures, "predicted_n") if reply is None else reply,
        prompt_seconds=seconds_of(figures, "prompt_ms", 1000),
        reply_seconds=seconds_of(figures, "predicted_ms", 1000),
    )
    return usage if usage != Usage() else None
