"""Ollama's native API, purely: requests to JSON, lines of NDJSON to events, lists of models to values.

Fields come and go with Ollama's versions, so each may be missing, null or of another type. What is read stands in
Ollama's `api/types.go`; what 0.9.3 really sends is recorded in `tests/recordings`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final

from tui_chat import parts
from tui_chat.errors import Garbled
from tui_chat.events import Event, Finished, Thinking, ToolCall
from tui_chat.messages import ChatRequest, Message, Model, Usage
from tui_chat.protocol.content import is_sent, sendable, words_of
from tui_chat.protocol.fields import count_of, delta_of, object_of, objects_of, text_of
from tui_chat.protocol.ollama_errors import error_in
from tui_chat.text.sanitize import clean, clean_line

_NANOSECONDS: Final = 1_000_000_000
_MEDIA: Final = ("image/", "audio/")
"""What goes into a message's `images`, by MIME type."""
_NAME_LENGTH: Final = 200


def chat_body(request: ChatRequest) -> dict[str, object]:
    """The JSON of `POST /api/chat` for the whole conversation; `request.prefill` is not looked at."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": [_message_body(part) for message in request.messages for part in sendable(message)],
        "stream": True,
    }
    if request.options:
        body["options"] = dict(request.options)
    if request.think is not None:
        body["think"] = request.think
    if request.format:
        body["format"] = request.format
    return body


def events_of(line: bytes) -> list[Event]:
    """The events of one line of a stream, by `/api/chat` or `/api/generate`, in order. An empty line has none.

    Raises:
        Garbled: it is not a line of Ollama's.
        ReplyError: it tells of an error.
    """
    if not line.strip():
        return []
    body = body_of(line)
    message = object_of(body, "message")
    events: list[Event] = []
    if thinking := clean(text_of(message, "thinking") or text_of(body, "thinking")):
        events.append(Thinking(thinking))
    if sent := text_of(message, "content") or text_of(body, "response"):
        events.append(delta_of(sent))
    events += [_tool_call(call) for call in objects_of(message, "tool_calls")]
    if body.get("done") is True:
        events.append(Finished(clean_line(text_of(body, "done_reason"), 100) or "stop", _usage(body)))
    return events


def body_of(data: bytes) -> Mapping[str, object]:
    """The JSON object in `data`: one line of a stream, or the body of a whole answer.

    Raises:
        Garbled: it is something else.
        ReplyError: it tells of an error.
    """
    try:
        body = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Garbled(
            f"The server sent something that is not Ollama's protocol: {_glimpse(data)}",
            "Is this an Ollama? Check the URL.",
        )
    if error := error_in(body):
        raise error
    return body


def models_of(body: Mapping[str, object], server: str = "", *, loaded: bool = False) -> list[Model]:
    """The models in the body of `/api/tags`, or of `/api/ps` where they are `loaded`, newest first.

    `size` of loaded ones is that in memory.
    """
    entries = objects_of(body, "models")
    models = [
        model_of(entry, text_of(entry, "name") or text_of(entry, "model"), server, loaded=loaded)
        for entry in entries
    ]
    return sorted((model for model in models if model.name), key=lambda model: model.modified, reverse=True)


def model_of(body: Mapping[str, object], name: str, server: str = "", *, loaded: bool = False) -> Model:
    """The model of the body of `/api/show`, or of one entry of `/api/tags` or `/api/ps`."""
    details = object_of(body, "details")
    capabilities = body.get("capabilities")
    return Model(
        name=clean_line(name, _NAME_LENGTH),
        server=server,
        size=count_of(body, "size"),
        family=clean_line(text_of(details, "family"), 50),
        parameters=clean_line(text_of(details, "parameter_size"), 50),
        quantization=clean_line(text_of(details, "quantization_level"), 50),
        context_window=_context_window(body, details),
        window=(count_of(body, "context_length") if loaded else None) or _num_ctx(text_of(body, "parameters")),
        capabilities=frozenset(
            clean_line(item, 50)
            for item in (capabilities if isinstance(capabilities, list) else [])
            if isinstance(item, str)
        ),
        loaded=loaded,
        modified=clean_line(text_of(body, "modified_at"), 50),
    )


def images_of(message: Message) -> list[str]:
    """The images and sounds of `message` in base64, as `images` of a request."""
    return [base64.b64encode(file.blob.data or b"").decode() for file in message.files if is_sent(file, _MEDIA)]


def _message_body(message: Message) -> dict[str, object]:
    body: dict[str, object] = {"role": message.role.value, "content": words_of(message, _MEDIA)}
    if message.thinking:
        body["thinking"] = message.thinking
    if calls := [_call_body(part) for part in message.parts if isinstance(part, parts.ToolCall)]:
        body["tool_calls"] = calls
    if images := images_of(message):
        body["images"] = images
    return body


def _call_body(call: parts.ToolCall) -> dict[str, object]:
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):  # it is the model's own mistake, and an object is wanted
        arguments = {}
    return {"function": {"name": call.name, "arguments": arguments if isinstance(arguments, dict) else {}}}


def _tool_call(call: Mapping[str, object]) -> ToolCall:
    function = object_of(call, "function")
    arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
    return ToolCall(clean_line(text_of(function, "name"), _NAME_LENGTH), clean(arguments))


def _usage(body: Mapping[str, object]) -> Usage | None:
    usage = Usage(
        prompt_tokens=count_of(body, "prompt_eval_count"),
        reply_tokens=count_of(body, "eval_count"),
        load_seconds=_seconds(body, "load_duration"),
        prompt_seconds=_seconds(body, "prompt_eval_duration"),
        reply_seconds=_seconds(body, "eval_duration"),
    )
    return None if usage == Usage() else usage


def _seconds(body: Mapping[str, object], name: str) -> float | None:
    nanoseconds = count_of(body, name)
    return None if nanoseconds is None else nanoseconds / _NANOSECONDS


def _context_window(body: Mapping[str, object], details: Mapping[str, object]) -> int | None:
    """Where it stands differs: in `/api/ps` beside the name, in new `/api/tags` in the details, in `/api/show`
    below `model_info` as `<architecture>.context_length`, of which Ollama takes the largest."""
    info = object_of(body, "model_info")
    known = [count_of(info, key) for key in info if key.endswith(".context_length")]
    known += [count_of(place, "context_length") for place in (body, details)]
    return max(filter(None, known), default=None)


def _num_ctx(parameters: str) -> int | None:
    """The context window that a Modelfile sets, from the `parameters` of `/api/show`: name and value by line."""
    values = [line.split() for line in parameters.splitlines()]
    set_to = [words[1] for words in values if len(words) == 2 and words[0] == "num_ctx"]
    return int(set_to[-1]) or None if set_to and set_to[-1].isdecimal() and len(set_to[-1]) < 10 else None


def _glimpse(data: bytes) -> str:
    text = clean_line(data[:400].decode("utf-8", "replace").strip(), 60)
    return "a web page" if text.startswith("<") else text or "nothing"
