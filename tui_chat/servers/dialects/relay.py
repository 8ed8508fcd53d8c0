"""tui-chat's relay: its protocol and its dialect. Replies survive a dropped connection.

The relay keeps generating when the connection drops, and holds what was not received
(`tui_chat/relay/__init__.py`). So closing the connection stops nothing; deleting the stream does.

An event is a JSON object with one distinctive key: `{"delta": "text"}`, `{"thinking": "text"}`,
`{"done": true, "reason": "stop", "usage": {...}}`, `{"error": {...}}`, and for clients that want more
`{"accepted": true}`, `{"dropped": true}`, `{"continued": true}` (whether exactly),
`{"progress": {"done": 1, "total": 2}}`, `{"was_thinking": true}` and
`{"tool_call": {"name": ..., "arguments": ...}}`.
The relay encodes, the client decodes and sanitises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from tui_chat import errors
from tui_chat.errors import Busy, Cut, Garbled, Refused, Remedy, ReplyError, ServerFault
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
    ThinkingCanEnd,
    ThinkingUnset,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import ChatRequest, Model, Usage
from tui_chat.parameters import PARAMETERS
from tui_chat.server import RELAY_SERVICE
from tui_chat.servers import client as http
from tui_chat.servers.client import Answer, Call, Client, Incoming
from tui_chat.servers.dialect import Ask, Decoder, Dialect, Return
from tui_chat.servers.dialects.ollama import chat_body as ollama_body
from tui_chat.servers.sse import EventDecoder, ServerEvent
from tui_chat.text.sanitize import clean, clean_line, visible_line
from tui_chat.untrusted import (
    count_of,
    delta_of,
    object_of,
    objects_of,
    parsed,
    seconds_of,
    strings_of,
    text_of,
    usage_of,
    window_of,
)

STREAM_HEADER: Final = "x-stream-id"
"""Header with the name of the stream, by which it can be resumed."""
GRACE_HEADER: Final = "x-resume-grace"
"""Header with the seconds that the stream outlives its connection."""

MODELS_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 40.0
"""The relay sends something every 15 s; after so much silence the connection counts as dead."""
_STREAM: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_GRACE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)


_KINDS: Final[Mapping[str, type[ReplyError]]] = {
    "unreachable": errors.Unreachable,
    "cut": Cut,
    "garbled": Garbled,
    "server_fault": ServerFault,
    "refused": Refused,
    "unauthorized": errors.Unauthorized,
    "no_such_model": errors.NoSuchModel,
    "unsupported": errors.Unsupported,
    "too_long": errors.TooLong,
    "busy": Busy,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_SIGNS: Final[Mapping[str, Event]] = {
    "accepted": Accepted(),
    "dropped": Dropped(),
    "thinking_unset": ThinkingUnset(),
    "was_thinking": WasThinking(),
}
"""The events that tell nothing else."""


async def models(client: Client) -> Sequence[Model]:
    """The models on offer, in the order of the relay."""
    body = await client.ask(Call("/v1/models"), within=MODELS_SECONDS)
    if not isinstance(body.get("data"), list):
        raise Garbled("The relay did not answer with a list of models.", "Check the URL.")
    models = [model_in(entry, client.server.label) for entry in objects_of(body, "data")]
    return [model for model in models if model.name]


async def describe(client: Client, model: str) -> Model:
    """All that the relay tells of a model."""
    path = f"/v1/models/{quote(model, safe=':')}"
    return model_in(await client.ask(Call(path), within=MODELS_SECONDS, model=model), client.server.label)


async def ask(_: Client, request: ChatRequest) -> Ask:
    """The request for a reply that can be resumed."""
    return Ask(Call("/api/chat", chat_body(request), headers=(("x-resume", "1"),)))


def judged(answer: Answer, model: str = "") -> ReplyError:
    """The error for a bad answer: of the relay, if it has a hint, else of a proxy."""
    error = object_of(answer.told, "error")
    return error_in(error) if "hint" in error else http.judge(answer, model)


class ReplyDecoder(Decoder):
    """Turns the relay's events into ours, and remembers the last one."""

    patience = SILENCE_SECONDS

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._events = EventDecoder()

    def begin(self, incoming: Incoming) -> Iterator[Event]:
        """See `Decoder.begin`; the relay sends these events itself."""
        self._events = EventDecoder()
        self._note(incoming.headers.get(STREAM_HEADER, ""), incoming.headers.get(GRACE_HEADER, ""))
        return iter(())

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """See `Decoder.feed`."""
        return filter(None, map(self._event, self._events.feed(chunk)))

    def close(self, lost: ReplyError | None = None) -> Iterator[Event]:
        """See `Decoder.close`."""
        if not self.done:
            broken = Cut("The relay broke off the reply.", "What came is kept.", Remedy.CONTINUE)
            raise lost or broken
        return iter(())

    def _note(self, stream: str, grace: str, last: str = "0") -> None:
        """Remember how to resume: the stream's name, how long it is kept, and the last event that arrived."""
        if self.back is not None:
            last = self.back.call.headers[0][1]
        path, self.back = f"/api/streams/{stream}", None
        if _STREAM.fullmatch(stream):
            seconds = float(grace) if _GRACE.fullmatch(grace) else 0.0
            follow = Call(path, headers=(("last-event-id", last),))
            self.back = Return(follow, Call(path, method="DELETE"), seconds)

    def _event(self, said: ServerEvent) -> Event | None:
        """Decode an event. After the end of the reply, good or bad, there is nothing to resume."""
        body = parsed(said.data)
        if not isinstance(body, dict):
            raise Garbled("The relay sent something that is not its protocol.", "Is this a tui-chat relay?")
        self.done = "done" in body
        if self.done or "error" in body:
            self.back = None
        elif self.back is not None:
            self.back = replace(self.back, call=replace(self.back.call, headers=(("last-event-id", said.id),)))
        return event_in(body)


def chat_body(request: ChatRequest) -> dict[str, object]:
    """The JSON of the relay's `POST /api/chat`: that of Ollama, and `prefill`."""
    body = ollama_body(request)
    return body | {"prefill": request.prefill} if request.prefill else body


def object_from(event: Event) -> dict[str, object]:
    """The JSON object for an event; empty if it is not relayed."""
    match event:
        case Delta(text):
            return {"delta": text}
        case Thinking(text):
            return {"thinking": text}
        case Loading(percent):
            return {"loading": percent}
        case Continued(exact):
            return {"continued": exact}
        case PromptProgress(done, total):
            return {"progress": {"done": done, "total": total}}
        case ToolCall(name, arguments):
            return {"tool_call": {"name": name, "arguments": arguments}}
        case Finished(reason, usage):
            counts = {} if usage is None else asdict(usage)
            told = {name: count for name, count in counts.items() if count is not None}
            return {"done": True, "reason": reason, "usage": told}
        case Accepted() | Dropped() | ThinkingCanEnd() | ThinkingUnset() | WasThinking():
            return {name: True for name, sign in _SIGNS.items() if sign == event}


def event_in(body: Mapping[str, object]) -> Event | None:
    """The event in a JSON object; None if it is of a later version.

    Raises:
        ReplyError: it reports an error.
    """
    match body:
        case {"delta": str(text)}:
            return delta_of(text)
        case {"thinking": str(text)}:
            return Thinking(clean(text))
        case {"done": True}:
            usage = usage_of(object_of(body, "usage"))
            reason = clean_line(text_of(body, "reason"), 100) or "stop"
            return Finished(reason, None if usage == Usage() else usage)
        case {"error": dict(error)}:
            raise error_in(error)
        case {"loading": int(percent)} if 0 <= percent <= 100:
            return Loading(percent)
        case {"continued": bool(exact)}:
            return Continued(exact)
        case {"progress": dict(progress)}:
            done, total = count_of(progress, "done"), count_of(progress, "total")
            return PromptProgress(min(done, total), total) if done is not None and total else None
        case {"tool_call": {"name": str(name), "arguments": str(arguments)}}:
            return ToolCall(clean_line(name), clean(arguments))
    return next((sign for name, sign in _SIGNS.items() if body.get(name) is True), None)


def kind_of(error: ReplyError) -> str:
    """The name of an error's class on the wire."""
    return _NAMES[type(error)]


def error_in(error: Mapping[str, object]) -> ReplyError:
    """The error in an error object: `{"type", "message", "hint", "status", "retry_after"}`."""
    kind = _KINDS.get(text_of(error, "type"), ServerFault)
    said = visible_line(text_of(error, "message")) or f"The relay reported an error ({_NAMES[kind]})."
    told = kind(said, clean_line(text_of(error, "hint")))
    if isinstance(told, Refused):
        told.status, told.retry_after = count_of(error, "status") or 0, seconds_of(error, "retry_after")
    return told


def model_entry(model: Model) -> dict[str, object]:
    """A model as an entry of `GET /v1/models`, with OpenAI's fields and our own."""
    told = {name: value for name, value in asdict(model).items() if name not in ("name", "server", "loaded")}
    entry = {
        "id": model.name,
        "object": "model",
        "created": _timestamp(model.modified),
        "owned_by": RELAY_SERVICE,
        "status": {"value": "loaded" if model.loaded else "unloaded"},
        **told,
        "capabilities": sorted(model.capabilities),
    }
    return {name: value for name, value in entry.items() if value not in ("", None, [], ())}


def model_in(entry: Mapping[str, object], server: str = "") -> Model:
    """The model in an entry."""
    return Model(
        name=clean_line(text_of(entry, "id"), 200),
        server=server,
        size=count_of(entry, "size"),
        family=clean_line(text_of(entry, "family"), 50),
        parameters=clean_line(text_of(entry, "parameters"), 50),
        quantization=clean_line(text_of(entry, "quantization"), 50),
        context_window=window_of(entry, "context_window"),
        window=window_of(entry, "window"),
        capabilities=frozenset(strings_of(entry, "capabilities")),
        think_levels=tuple(strings_of(entry, "think_levels")),
        loaded=text_of(object_of(entry, "status"), "value") == "loaded",
        modified=clean_line(text_of(entry, "modified"), 50),
    )


def _timestamp(modified: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(modified).timestamp()))
    except (ValueError, OverflowError):
        return 0


DIALECT: Final = Dialect(
    models=models,
    loaded=models,
    describe=describe,
    ask=ask,
    decoder=ReplyDecoder,
    judge=judged,
    takes=lambda _: PARAMETERS.keys() - {"keep_alive", "format"},
)
