"""Turns untrusted request bodies into `ChatRequest`s. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tui_chat.images.opening import media_type
from tui_chat.messages import THINK_LEVELS, ChatRequest, Message, Role
from tui_chat.parts import Blob, File, Image, parts_of
from tui_chat.relay.problems import Problem, refused
from tui_chat.untrusted import object_of, parsed, text_of

_NUMBERS: Final = (
    "temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "num_predict", "num_ctx", "repeat_penalty",
    "repeat_last_n", "presence_penalty", "frequency_penalty",
)  # fmt: skip
"""Options that a client may set; not those that concern the machine (`num_gpu`, `use_mmap` ...)."""
_SAME: Final = ("temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty", "stop")
_OPENAI: Final = dict(zip(_SAME, _SAME, strict=True)) | dict.fromkeys(
    ("max_tokens", "max_completion_tokens"), "num_predict"
)
"""OpenAI's names of options, at the top level of the body, to Ollama's."""
_REFUSED: Final = {
    **dict.fromkeys(("format", "tools", "functions", "logprobs")),
    "response_format": {"type": "text"},
    "n": 1,
}
"""Fields that are not relayed, and the value that has no effect, which is allowed."""
_ROLES: Final = {role.value: role for role in Role} | {"developer": Role.SYSTEM}
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,]', re.DOTALL)
"""A JSON string, or a character before a value."""
_TOKENS: Final = 20_000
"""How many of these a body may have; a message has seven. Each costs far more memory than its bytes."""
_STOP_WORDS: Final = 64


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a reply. `request.model` is empty where the client named none."""

    request: ChatRequest
    stream: bool | None = None
    """None where the client did not set it."""
    usage: bool = False
    """Whether the stream should end with the token counts (OpenAI's `include_usage`)."""


def ask_of(data: bytes, context: int) -> Ask:
    """Read the body of a request for a reply, in Ollama's format or OpenAI's.

    `context` is the largest `num_ctx` allowed.

    Raises:
        Problem: it is invalid, or asks for something that is not relayed.
    """
    body = _object(data)
    for name, harmless in _REFUSED.items():
        if body.get(name) and body[name] != harmless:
            raise Problem(400, "unsupported", f"The relay does not support {name}.", "Leave it out.")
    messages = body.get("messages")
    if messages is None and (text := _text(body, "message")):
        messages = [{"role": "user", "content": text}]
    openai = {ours: body[name] for name, ours in _OPENAI.items() if body.get(name) is not None}
    switch = object_of(body, "chat_template_kwargs").get("enable_thinking")
    levels = (body.get("think"), body.get("reasoning_effort"), switch)
    request = ChatRequest(
        _text(body, "model"),
        _messages(messages),
        _options({**object_of(body, "options"), **openai}, context),
        _think(next((level for level in levels if level is not None), None)),
        _text(body, "prefill"),
    )
    return Ask(request, _flag(body, "stream"), object_of(body, "stream_options").get("include_usage") is True)


def _object(data: bytes) -> Mapping[str, object]:
    if next(islice(_TOKEN.finditer(data), _TOKENS, None), None) is not None:
        raise Problem(400, "too_long", "The request has too many parts.", "Send fewer messages.")
    try:
        body = parsed(data.decode())
    except UnicodeDecodeError:
        body = None
    if not isinstance(body, dict):
        raise refused("The body is not a JSON object.", 'It should look like {"message": "Hello"}.')
    return body


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str | None):
        raise refused(f"{name} must be a string.")
    return value or ""


def _flag(body: Mapping[str, object], name: str) -> bool | None:
    value = body.get(name)
    if not isinstance(value, bool | None):
        raise refused(f"{name} must be true or false.")
    return value


def _think(value: object) -> bool | str | None:
    if value in ("none", "minimal"):
        return False
    if value is None or isinstance(value, bool) or value in THINK_LEVELS:
        return value if isinstance(value, bool | str) else None
    raise refused(f"think must be true, false, or one of {', '.join(THINK_LEVELS)}.")


def _options(options: Mapping[str, object], context: int) -> dict[str, object]:
    for name, value in options.items():
        if name == "stop":
            words = value if isinstance(value, list) else [value]
            good = len(words) <= _STOP_WORDS and all(isinstance(word, str) for word in words)
        else:
            good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
        if name not in (*_NUMBERS, "stop"):
            raise refused(
                f"The relay does not allow the option {name[:40]!r}.", f"Allowed: stop, {', '.join(_NUMBERS)}."
            )
        if not good:
            raise refused(f"The option {name} has an invalid value.")
    window = options.get("num_ctx")
    if isinstance(window, int | float) and window > context:
        raise refused(f"num_ctx may be at most {context}.")
    return dict(options)


def _messages(messages: object) -> tuple[Message, ...]:
    if not isinstance(messages, list) or not messages:
        raise refused("There are no messages.", 'Give "messages": [{"role": "user", "content": "Hello"}].')
    return tuple(_message(number, message) for number, message in enumerate(messages))


def _message(number: int, message: object) -> Message:
    where = f"messages[{number}]"
    if not isinstance(message, dict):
        raise refused(f"{where} must be an object.")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise refused(f"{where}.role must be one of {', '.join(_ROLES)}.")
    text, pictures = _content(where, message.get("content"))
    images = message.get("images") or []
    if not isinstance(images, list):
        raise refused(f"{where}.images must be a list.")
    pictures += [_picture(where, image) for image in images]
    thinking = text_of(message, "thinking") or text_of(message, "reasoning_content")
    return Message(_ROLES[role], parts_of(text, thinking, pictures))


def _content(where: str, content: object) -> tuple[str, list[Image | File]]:
    """Read a string or OpenAI's list of parts; null, where an assistant only called tools, is empty text."""
    if content is None or isinstance(content, str):
        return content or "", []
    if not isinstance(content, list):
        raise refused(f"{where}.content must be a string or a list of parts.")
    texts: list[str] = []
    pictures: list[Image | File] = []
    for part in content:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)}} if url.startswith("data:image/"):
                pictures.append(_picture(where, url.partition(",")[2]))
            case {"type": "image_url"}:
                raise refused(f"{where}: images must be data: URLs.", "The relay downloads nothing.")
            case _:
                raise refused(f"{where}.content holds a part that is neither text nor an image.")
    return "\n".join(texts), pictures


def _picture(where: str, text: object) -> Image | File:
    try:
        data = base64.b64decode(text.encode(), validate=True) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    mime = media_type(data)
    if not mime:
        raise refused(f"{where} holds an image that is not a PNG, JPEG, GIF or WebP in base64.")
    return Image("image", mime, Blob.of(data))
