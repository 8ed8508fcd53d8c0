"""What tui-chat's relay says on the wire: our events, errors and models as JSON, and back again.

One event is one JSON object with one telling key: `{"delta": "text"}`, `{"thinking": "text"}`,
`{"done": true, "reason": "stop", "usage": {...}}`, `{"error": {...}}`, and for those who care
`{"accepted": true}`, `{"continued": true}` (whether exactly), `{"progress": {"done": 1, "total": 2}}`,
`{"was_thinking": true}` and `{"tool_call": {"name": ..., "arguments": ...}}`.
The relay encodes, the client decodes; what the client reads came from outside and is sanitised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

from tui_chat.errors import (
    Busy,
    Cut,
    Garbled,
    NoSuchModel,
    Refused,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Event,
    Finished,
    PromptProgress,
    Thinking,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import ChatRequest, Model, Usage
from tui_chat.protocol.fields import count_of, delta_of, object_of, objects_of, text_of, window_of
from tui_chat.protocol.ollama import chat_body as ollama_body
from tui_chat.text.sanitize import clean, clean_line, visible_line

SERVICE: Final = "tui-chat-relay"
"""What `GET /health` calls itself in `service`, and `GET /v1/models` in `owned_by`."""
STREAM_HEADER: Final = "x-stream-id"
"""Header of an answer that can be resumed: the name of its stream."""
GRACE_HEADER: Final = "x-resume-grace"
"""Header beside it: for how many seconds the stream outlives its connection."""

_KINDS: Final[Mapping[str, type[ReplyError]]] = {
    "unreachable": Unreachable,
    "cut": Cut,
    "garbled": Garbled,
    "server_fault": ServerFault,
    "refused": Refused,
    "unauthorized": Unauthorized,
    "no_such_model": NoSuchModel,
    "unsupported": Unsupported,
    "too_long": TooLong,
    "busy": Busy,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def chat_body(request: ChatRequest) -> dict[str, object]:
    """The JSON of the relay's `POST /api/chat`: Ollama's, and `prefill`."""
    body = ollama_body(request)
    return body | {"prefill": request.prefill} if request.prefill else body


def object_from(event: Event) -> dict[str, object]:
    """The JSON object that says `event`."""
    match event:
        case Delta(text):
            return {"delta": text}
        case Thinking(text):
            return {"thinking": text}
        case Accepted():
            return {"accepted": True}
        case Continued(exact):
            return {"continued": exact}
        case PromptProgress(done, total):
            return {"progress": {"done": done, "total": total}}
        case WasThinking():
            return {"was_thinking": True}
        case ToolCall(name, arguments):
            return {"tool_call": {"name": name, "arguments": arguments}}
        case Finished(reason, usage):
            counts = {} if usage is None else asdict(usage)
            told = {name: count for name, count in counts.items() if count is not None}
            return {"done": True, "reason": reason, "usage": told}


def event_in(body: Mapping[str, object]) -> Event | None:
    """The event that a JSON object says; None if it is one of a later version.

    Raises:
        ReplyError: it tells of an error.
    """
    match body:
        case {"delta": str(text)}:
            return delta_of(text)
        case {"thinking": str(text)}:
            return Thinking(clean(text))
        case {"done": True}:
            return Finished(clean_line(text_of(body, "reason"), 100) or "stop", _usage(object_of(body, "usage")))
        case {"error": dict(error)}:
            raise error_in(error)
        case {"accepted": True}:
            return Accepted()
        case {"continued": bool(exact)}:
            return Continued(exact)
        case {"progress": dict(progress)}:
            done, total = count_of(progress, "done"), count_of(progress, "total")
            return PromptProgress(min(done, total), total) if done is not None and total else None
        case {"was_thinking": True}:
            return WasThinking()
        case {"tool_call": {"name": str(name), "arguments": str(arguments)}}:
            return ToolCall(clean_line(name), clean(arguments))
    return None


def kind_of(error: ReplyError) -> str:
    """The name of an error's class on the wire."""
    return _NAMES[type(error)]


def error_in(error: Mapping[str, object]) -> ReplyError:
    """The error that an error object tells of: `{"type", "message", "hint", "status", "retry_after"}`."""
    kind = _KINDS.get(text_of(error, "type"), ServerFault)
    said = visible_line(text_of(error, "message"))
    message = said or f"The relay reported an error ({_NAMES[kind]})."
    hint = clean_line(text_of(error, "hint"))
    status = count_of(error, "status") or 0
    if issubclass(kind, Busy):
        wait = error.get("retry_after")
        seconds = float(wait) if isinstance(wait, int | float) and 0 <= wait < 1e6 else None
        return kind(message, hint, status=status, retry_after=seconds)
    if issubclass(kind, Refused):
        return kind(message, hint, status=status)
    return kind(message, hint)


def model_entry(model: Model) -> dict[str, object]:
    """A model as an entry of `GET /v1/models`: OpenAI's fields, and what else is known by names in use."""
    entry: dict[str, object] = {
        "id": model.name,
        "object": "model",
        "created": _timestamp(model.modified),
        "owned_by": SERVICE,
        "modified": model.modified,
        "family": model.family,
        "parameters": model.parameters,
        "quantization": model.quantization,
        "context_window": model.context_window,
        "window": model.window,
        "capabilities": sorted(model.capabilities),
        "size": model.size,
        "status": {"value": "loaded" if model.loaded else "unloaded"},
    }
    return {name: value for name, value in entry.items() if value not in ("", None, [])}


def models_in(body: object, server: str = "") -> list[Model] | None:
    """The models of the relay's `GET /v1/models`, in its order; None if it is no such list."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        return None
    models = [model_in(entry, server) for entry in objects_of(body, "data")]
    return [model for model in models if model.name]


def model_in(entry: Mapping[str, object], server: str = "") -> Model:
    """The model of one entry."""
    abilities = entry.get("capabilities")
    words = abilities if isinstance(abilities, list) else []
    return Model(
        name=clean_line(text_of(entry, "id"), 200),
        server=server,
        size=count_of(entry, "size"),
        family=clean_line(text_of(entry, "family"), 50),
        parameters=clean_line(text_of(entry, "parameters"), 50),
        quantization=clean_line(text_of(entry, "quantization"), 50),
        context_window=window_of(entry, "context_window"),
        window=window_of(entry, "window"),
        capabilities=frozenset(clean_line(word, 50) for word in words if isinstance(word, str)),
        loaded=text_of(object_of(entry, "status"), "value") == "loaded",
        modified=clean_line(text_of(entry, "modified"), 50),
    )


def with_loaded(models: list[Model], loaded: list[Model]) -> list[Model]:
    """`models` with those in memory marked, and the context window that they have there."""
    known = {model.name: model for model in loaded}
    return [
        replace(model, loaded=True, window=here.window or model.window)
        if (here := known.get(model.name))
        else model
        for model in models
    ]


def _usage(counts: Mapping[str, object]) -> Usage | None:
    usage = Usage(
        prompt_tokens=count_of(counts, "prompt_tokens"),
        reply_tokens=count_of(counts, "reply_tokens"),
        load_seconds=_seconds(counts, "load_seconds"),
        prompt_seconds=_seconds(counts, "prompt_seconds"),
        reply_seconds=_seconds(counts, "reply_seconds"),
    )
    return None if usage == Usage() else usage


def _seconds(counts: Mapping[str, object], name: str) -> float | None:
    number = counts.get(name)
    good = isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number < 1e9
    return float(number) if good and isinstance(number, int | float) else None


def _timestamp(modified: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(modified).timestamp()))
    except (ValueError, OverflowError):
        return 0
