"""Errors of Ollama as errors of ours, with a hint of what to do.

Its own body is `{"error": "text"}`, where the text may be the JSON error of the runner below it. Proxies, tunnels
and programs that are not Ollama answer with anything: another JSON, plain text, a web page, nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from tui_chat.errors import (
    Busy,
    NoSuchModel,
    Refused,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unsupported,
)
from tui_chat.protocol.fields import text_of
from tui_chat.protocol.openai_errors import fault_in, needs_key
from tui_chat.text.sanitize import clean_line, visible_line

_NO_MODEL: Final = re.compile(r"\bmodel\b.*\bnot found", re.I)
_THINKING: Final = re.compile(r"ChatRequest\.think|invalid think value|does not support thinking", re.I)
_UNABLE: Final = re.compile(r"does not support|missing data required for image", re.I)
_LENGTH: Final = re.compile(
    r"exceeds? .*context|context (length|size|window)|prompt (is )?too long|input length", re.I
)
_FAULTS: Final = (
    (r"memory", "Choose a smaller model with Ctrl+L, or set a smaller num_ctx."),
    (r"\boption\b", "Correct that option in the settings."),
    (r"unexpected endpoint", "Is this an Ollama? Check the URL."),
    (r"", "Try again. Ollama's log may say more: `journalctl -u ollama`."),
)
"""What to do about an error in the server, by the words in it; the first that matches."""
_IS_IT_OLLAMA: Final = "Is this an Ollama? Check the URL."


def error_of(status: int, body: str, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error for an answer with a bad `status` to a request for `model`. `body` is not yet sanitised."""
    value = _json(body)
    fault = fault_in(value)
    said = _line(fault.message) if fault else ""
    told = said or ("" if fault else _plain(body)) or f"It answered with status {status}, and gave no reason."
    match status:
        case 401 | 407:
            return _unauthorized(said, value, status)
        case 403 if not body.strip():
            return Refused(
                "The server refuses the name that it is called by (403).",
                "Ollama on a loopback address does so behind a proxy or tunnel: let that send `Host: localhost`, "
                "or start Ollama with OLLAMA_HOST=0.0.0.0.",
                status=status,
            )
        case 404 if _NO_MODEL.search(said):
            name = clean_line(model, 100)
            return NoSuchModel(
                f"The server does not have the model {name}." if name else said,
                f"Get it with `ollama pull {name or 'NAME'}`, or choose another with Ctrl+L.",
                status=status,
            )
        case 404 | 405:
            return Refused(f"The server does not know this request: {told}", _IS_IT_OLLAMA, status=status)
        case 429 | 503:
            return Busy(
                told,
                "The server has too much to do: try again in a moment.",
                status=status,
                retry_after=retry_after,  # Ollama says none, a proxy before it may
            )
        case 502 | 504:
            return ServerFault(told, "Something before the server could not reach it: is Ollama running there?")
    if 400 <= status < 500:
        return _refused(told, status)
    return ServerFault(told, _remedy(said))


def error_in(body: Mapping[str, object]) -> ServerFault | None:
    """The error that a line of a stream, or a body with a good status, tells of; None if it tells of none."""
    fault = fault_in(body)
    if fault is None:
        return None
    said = _line(fault.message) or "The server failed and did not say why."
    return ServerFault(said, _remedy(said))


def _unauthorized(said: str, value: object, status: int) -> Unauthorized:
    address = clean_line(text_of(value, "signin_url")) if isinstance(value, dict) else ""
    if not address:
        return needs_key(said, status)
    hint = f"Sign in with `ollama signin` on the server, or at {address}"
    return Unauthorized(said or "The server wants you to sign in.", hint, status=status)


def _refused(said: str, status: int) -> Refused:
    if _THINKING.search(said):
        hint = "Change `think` in the settings: some models do not think, an old Ollama knows only true and false."
        return Unsupported(said, hint, status=status)
    if _UNABLE.search(said):
        return Unsupported(said, "Choose another model with Ctrl+L, or leave that out.", status=status)
    if _LENGTH.search(said):
        return TooLong(said, "Start a new chat, or set a larger num_ctx.", status=status)
    return Refused(said, "The server did not like the request: try other options or another model.", status=status)


def _remedy(said: str) -> str:
    return next(hint for words, hint in _FAULTS if re.search(words, said, re.I))


def _line(text: str) -> str:
    return visible_line(text, 400)


def _plain(body: str) -> str:
    """What a body that is no JSON says, as far as a person can use it."""
    start = body[:2000].strip()
    return "It answered with a web page." if start.startswith("<") else _line(start)


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return {"error": value} if isinstance(value, str) else value
