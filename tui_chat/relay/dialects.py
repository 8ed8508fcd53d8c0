"""Events in the words of three APIs: the relay's own, OpenAI's and Ollama's. Pure.

A dialect turns an event into JSON texts and frames each of them for its medium. `live` ones say what comes as it
comes; the others hold everything back and say it at the end, as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from tui_chat.events import Accepted, Delta, Event, Finished, Thinking, ToolCall, WasThinking
from tui_chat.messages import Usage
from tui_chat.relay.problems import Problem
from tui_chat.servers.dialects.relay import object_from
from tui_chat.servers.sse import DONE
from tui_chat.text.sanitize import clean_line

_SSE: Final = "text/event-stream; charset=utf-8"
_HEARTBEAT: Final = b": still here\n\n"
_REASONS: Final = ("stop", "length", "tool_calls", "content_filter")
"""OpenAI's words for why a reply ended; whatever else a server says counts as `stop`."""


class Dialect(Protocol):
    """How one answer is worded."""

    @property
    def media(self) -> str:
        """Its content type."""

    @property
    def live(self) -> bool:
        """Whether it speaks before the end."""

    @property
    def heartbeat(self) -> bytes:
        """What keeps a silent line alive, and means nothing."""

    def say(self, event: Event) -> Iterable[str]:
        """The JSON texts that say `event`."""

    def fail(self, problem: Problem, /) -> Iterable[str]:
        """The JSON texts that say that there will be no end."""

    def frame(self, number: int, data: str, /) -> bytes:
        """A JSON text, the `number`th of its stream, as it goes on the wire."""


class Native:
    """The relay's own: one object per event."""

    media, live, heartbeat = _SSE, True, _HEARTBEAT

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        yield _json(object_from(event))

    def fail(self, problem: Problem) -> Iterator[str]:
        """See `Dialect.fail`."""
        yield _json(problem.body)

    def frame(self, number: int, data: str) -> bytes:
        """See `Dialect.frame`."""
        return _event(number, data)


@dataclass(frozen=True, slots=True)
class Completion:
    """What stands in every chunk of one completion of OpenAI's API."""

    id: str
    model: str
    created: int
    """Unix time in seconds."""

    def chunk(self, choices: list[object], kind: str = "chat.completion.chunk") -> dict[str, object]:
        """An object with `choices`."""
        head = {"id": self.id, "object": kind, "created": self.created, "model": clean_line(self.model, 200)}
        return {**head, "choices": choices}


class OpenAIStream:
    """OpenAI's chunks. `usage` adds one with the token counts."""

    media, live, heartbeat = _SSE, True, _HEARTBEAT

    def __init__(self, completion: Completion, *, usage: bool = False) -> None:
        self._completion = completion
        self._usage = usage
        self._calls = 0

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        match event:
            case Accepted():
                yield self._delta({"role": "assistant", "content": ""})
            case Delta(text):
                yield self._delta({"content": text})
            case Thinking(text):
                yield self._delta({"reasoning": text})
            case WasThinking():
                yield self._delta({"content": "</think>"})  # as servers without a parser say it
            case ToolCall(name, arguments):
                yield self._delta({"tool_calls": [_call(self._calls, name, arguments)]})
                self._calls += 1
            case Finished(reason, usage):
                yield self._delta({}, _reason(reason))
                if self._usage:
                    yield _json(self._completion.chunk([]) | {"usage": _counts(usage)})
                yield DONE

    def fail(self, problem: Problem) -> Iterator[str]:
        """See `Dialect.fail`."""
        yield _json(problem.body)
        yield DONE

    def frame(self, number: int, data: str) -> bytes:
        """See `Dialect.frame`."""
        return _event(number, data)

    def _delta(self, delta: Mapping[str, object], reason: str | None = None) -> str:
        return _json(self._completion.chunk([{"index": 0, "delta": delta, "finish_reason": reason}]))


class OllamaStream:
    """Ollama's lines. A line without text keeps the line alive, since every line must be an object."""

    media, live = "application/x-ndjson", True

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def heartbeat(self) -> bytes:
        """See `Dialect.heartbeat`."""
        return self.frame(0, self._line({"content": ""}))

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        match event:
            case Delta(text):
                yield self._line({"content": text})
            case Thinking(text):
                yield self._line({"content": "", "thinking": text})
            case WasThinking():
                yield self._line({"content": "</think>"})
            case ToolCall(name, arguments):
                yield self._line({"content": "", "tool_calls": [_ollama_call(name, arguments)]})
            case Finished(reason, usage):
                yield self._line({"content": ""}, {"done": True, "done_reason": reason, **_durations(usage)})

    def fail(self, problem: Problem) -> Iterator[str]:
        """See `Dialect.fail`."""
        yield _json({"error": problem.message})

    def frame(self, _: int, data: str, /) -> bytes:
        """See `Dialect.frame`."""
        return f"{data}\n".encode()

    def _line(self, message: Mapping[str, object], end: Mapping[str, object] | None = None) -> str:
        return _ollama_object(self._model, message, end or {"done": False})


@dataclass(slots=True)
class _Gathered:
    """A reply so far."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)

    def add(self, event: Event) -> None:
        match event:
            case Delta(text):
                self.text.append(text)
            case Thinking(text):
                self.thinking.append(text)
            case WasThinking():
                self.thinking, self.text = [*self.thinking, *self.text], []
            case ToolCall():
                self.calls.append(event)


class _Whole:
    """What dialects that speak at the end have in common."""

    media, live, heartbeat = "application/json", False, b""

    def __init__(self) -> None:
        self._reply = _Gathered()

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        self._reply.add(event)
        if isinstance(event, Finished):
            yield self._whole(self._reply, event)

    def fail(self, _: Problem, /) -> Iterable[str]:
        """Nothing: there is a status for it."""
        return ()

    def frame(self, _: int, data: str, /) -> bytes:
        """See `Dialect.frame`."""
        return data.encode()

    def _whole(self, reply: _Gathered, end: Finished) -> str:
        raise NotImplementedError


class OpenAIWhole(_Whole):
    """OpenAI's answer without `stream`."""

    def __init__(self, completion: Completion) -> None:
        super().__init__()
        self._completion = completion

    def _whole(self, reply: _Gathered, end: Finished) -> str:
        message: dict[str, object] = {"role": "assistant", "content": "".join(reply.text)}
        if reply.thinking:
            message["reasoning"] = "".join(reply.thinking)
        if reply.calls:
            message["tool_calls"] = [
                _call(index, call.name, call.arguments) for index, call in enumerate(reply.calls)
            ]
        choice = {"index": 0, "message": message, "finish_reason": _reason(end.reason)}
        return _json(self._completion.chunk([choice], "chat.completion") | {"usage": _counts(end.usage)})


class OllamaWhole(_Whole):
    """Ollama's answer with `stream: false`."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def _whole(self, reply: _Gathered, end: Finished) -> str:
        message: dict[str, object] = {"content": "".join(reply.text)}
        if reply.thinking:
            message["thinking"] = "".join(reply.thinking)
        if reply.calls:
            message["tool_calls"] = [_ollama_call(call.name, call.arguments) for call in reply.calls]
        ending = {"done": True, "done_reason": end.reason, **_durations(end.usage)}
        return _ollama_object(self._model, message, ending)


def _event(number: int, data: str) -> bytes:
    return f"id: {number}\ndata: {data}\n\n".encode()


def _json(value: Mapping[str, object]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def _reason(reason: str) -> str:
    return reason if reason in _REASONS else "stop"


def _call(index: int, name: str, arguments: str) -> dict[str, object]:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


def _counts(usage: Usage | None) -> dict[str, object]:
    prompt, reply = (usage.prompt_tokens or 0, usage.reply_tokens or 0) if usage else (0, 0)
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def _ollama_object(model: str, message: Mapping[str, object], end: Mapping[str, object]) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    head = {"model": clean_line(model, 200), "created_at": now}
    return _json({**head, "message": {"role": "assistant", **message}, **end})


def _ollama_call(name: str, arguments: str) -> dict[str, object]:
    try:
        value: object = json.loads(arguments)
    except (ValueError, RecursionError):
        value = {}
    return {"function": {"name": name, "arguments": value}}


def _durations(usage: Usage | None) -> dict[str, object]:
    """Ollama counts in nanoseconds, and leaves out what it does not know."""
    if usage is None:
        return {}
    seconds = {
        "load_duration": usage.load_seconds,
        "prompt_eval_duration": usage.prompt_seconds,
        "eval_duration": usage.reply_seconds,
    }
    counts = {"prompt_eval_count": usage.prompt_tokens, "eval_count": usage.reply_tokens}
    times = {name: round(time * 1e9) for name, time in seconds.items() if time is not None}
    return {**times, **{name: count for name, count in counts.items() if count is not None}}
