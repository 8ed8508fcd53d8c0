"""Reply events in the formats of three APIs: the relay's own, OpenAI's and Ollama's.

A dialect turns an event into JSON texts and frames each for its media type. It leaves out tool calls, since the
relay refuses requests with tools.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from tui_chat.events import Accepted, Delta, Event, Finished, Thinking, WasThinking
from tui_chat.messages import Usage, new_id
from tui_chat.relay.problems import Problem
from tui_chat.servers.dialects.relay import object_from
from tui_chat.servers.sse import DONE
from tui_chat.text.sanitize import clean_line

_REASONS: Final = ("stop", "length", "tool_calls", "content_filter")
"""OpenAI's values of `finish_reason`; any other reason becomes `stop`."""


class Dialect:
    """The format of an answer. This one is the relay's own: a server-sent event with an object for each event."""

    media = "text/event-stream; charset=utf-8"
    """The content type."""
    live = True
    """Whether it sends anything before the reply has ended."""

    @property
    def heartbeat(self) -> bytes:
        """Bytes without meaning that keep an idle connection open."""
        return b": still here\n\n"

    def say(self, event: Event) -> Iterator[str]:
        """The JSON texts for `event`."""
        yield _json(object_from(event))

    def fail(self, problem: Problem, /) -> Iterator[str]:
        """The JSON texts for a reply that failed."""
        yield _json(problem.body)

    def frame(self, number: int, data: str, /) -> bytes:
        """The bytes to send for a JSON text, the `number`th of its stream."""
        return f"id: {number}\ndata: {data}\n\n".encode()


class OpenAIStream(Dialect):
    """OpenAI's chunks. `usage` adds one with the token counts."""

    def __init__(self, model: str, *, usage: bool = False) -> None:
        now = int(time.time())
        self._head = {"id": f"chatcmpl-{new_id()}", "created": now, "model": clean_line(model, 200)}
        self._usage = usage

    def whole(self, text: str, thinking: str, end: Finished) -> str:
        """The answer to a request without `stream`."""
        message = {"role": "assistant", "content": text} | ({"reasoning": thinking} if thinking else {})
        choice = {"index": 0, "message": message, "finish_reason": _reason(end.reason)}
        return self._object("chat.completion", choice, usage=_counts(end.usage or Usage()))

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
                yield self._delta({"content": "</think>"})  # as servers without a reasoning parser send it
            case Finished(reason, usage):
                yield self._delta({}, _reason(reason))
                if self._usage:
                    yield self._object("chat.completion.chunk", usage=_counts(usage or Usage()))
                yield DONE

    def fail(self, problem: Problem, /) -> Iterator[str]:
        """See `Dialect.fail`."""
        yield _json(problem.body)
        yield DONE

    def _delta(self, delta: Mapping[str, object], reason: str | None = None) -> str:
        return self._object("chat.completion.chunk", {"index": 0, "delta": delta, "finish_reason": reason})

    def _object(self, kind: str, *choices: Mapping[str, object], **more: object) -> str:
        return _json({**self._head, "object": kind, "choices": choices, **more})


class OllamaStream(Dialect):
    """Ollama's lines of JSON. The heartbeat is an object without text, since every line must be an object."""

    media = "application/x-ndjson"

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def heartbeat(self) -> bytes:
        """See `Dialect.heartbeat`."""
        return self.frame(0, self._object(""))

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        match event:
            case Delta(text):
                yield self._object(text)
            case Thinking(text):
                yield self._object("", text)
            case WasThinking():
                yield self._object("</think>")
            case Finished():
                yield self.whole("", "", event)

    def fail(self, problem: Problem, /) -> Iterator[str]:
        """See `Dialect.fail`."""
        yield _json({"error": problem.message})

    def frame(self, _: int, data: str, /) -> bytes:
        """See `Dialect.frame`."""
        return f"{data}\n".encode()

    def whole(self, text: str, thinking: str, end: Finished) -> str:
        """The answer to a request without `stream`, or the end of one with it."""
        usage = end.usage or Usage()
        return self._object(text, thinking, done=True, done_reason=end.reason, **_durations(usage))

    def _object(self, text: str, thinking: str = "", *, done: bool = False, **more: object) -> str:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        message = {"role": "assistant", "content": text} | ({"thinking": thinking} if thinking else {})
        head = {"model": clean_line(self._model, 200), "created_at": now}
        return _json({**head, "message": message, "done": done, **more})


class Whole(Dialect):
    """Sends the whole reply at once, when it has ended."""

    media, live = "application/json", False

    def __init__(self, form: Callable[[str, str, Finished], str]) -> None:
        """`form` builds the answer from text, thinking and end."""
        self._form = form
        self._text: list[str] = []
        self._thinking: list[str] = []

    def say(self, event: Event) -> Iterator[str]:
        """See `Dialect.say`."""
        match event:
            case Delta(text):
                self._text.append(text)
            case Thinking(text):
                self._thinking.append(text)
            case WasThinking():
                self._thinking, self._text = [*self._thinking, *self._text], []
            case Finished():
                yield self._form("".join(self._text), "".join(self._thinking), event)

    def fail(self, _: Problem, /) -> Iterator[str]:
        """Nothing: the HTTP status reports it."""
        return iter(())

    def frame(self, _: int, data: str, /) -> bytes:
        """See `Dialect.frame`."""
        return data.encode()


def _json(value: Mapping[str, object]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def _reason(reason: str) -> str:
    return reason if reason in _REASONS else "stop"


def _counts(usage: Usage) -> dict[str, object]:
    prompt, reply = usage.prompt_tokens or 0, usage.reply_tokens or 0
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def _durations(usage: Usage) -> dict[str, object]:
    """Ollama's counts and its durations in nanoseconds, without those that are unknown."""
    seconds = {
        "load_duration": usage.load_seconds,
        "prompt_eval_duration": usage.prompt_seconds,
        "eval_duration": usage.reply_seconds,
    }
    counts = {"prompt_eval_count": usage.prompt_tokens, "eval_count": usage.reply_tokens}
    times = {name: round(time * 1e9) for name, time in seconds.items() if time is not None}
    return {**times, **{name: count for name, count in counts.items() if count is not None}}
