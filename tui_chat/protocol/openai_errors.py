"""Errors of OpenAI-compatible servers, in every shape that they come in, as errors of ours with a hint.

The shapes (`protocol.md` 2.3): `{"error": {"message", "type", "code"}}` (OpenAI, vLLM, llama.cpp, OpenRouter),
`{"error": "text"}` (LM Studio, Ollama), `{"object": "error", "message", ...}` (vLLM before 0.10.1),
`{"detail": "text" | [...] | {...}}` (FastAPI), `{"message": "text"}` (gateways), plain text, a page of HTML from a
proxy, nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
from tui_chat.protocol.fields import object_of, text_of
from tui_chat.text.sanitize import clean_line, visible_line

_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_KEY: Final = re.compile(
    r"api[ _-]?key|unauthori[sz]ed|not authenticated|authentication|invalid token|no_db_connection", re.I
)
"""LiteLLM without a database says `no_db_connection` to a key that it does not know (1.106)."""
_GENERIC: Final = ("", "internal server error")
"""What frameworks say of a fault that they know nothing of; LiteLLM may do so where there is no key (1.106)."""
_SET_KEY: Final = "F3, then ^R sets the key."
_MODEL: Final = re.compile(
    r"model.{0,300}(not found|does not exist|not loaded|unknown|no such)|no models loaded", re.I
)
_LENGTH: Final = re.compile(
    r"context[ _](length|size|window)|maximum context|exceed_context|prompt is too long|longer than the .*context",
    re.I,
)
_ABILITY: Final = re.compile(
    r"image_url|image input|multimodal|vision|mmproj|does not support|not a chat model|not support(ed)? by", re.I
)
_QUOTA: Final = re.compile(r"insufficient_quota|billing|credits", re.I)
_ABOUT_MODELS: Final = (0, 400, 404, 422)
"""What a missing model is told with: other statuses speak of models that stop, or of files that are not found."""
_LONGEST_WISH: Final = 86_400.0
"""Seconds to wait that a server may wish for. Who says more does not mean it."""
_NESTING: Final = 3
"""How deep errors inside of errors are looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says, before it is judged. Texts are not sanitised."""

    message: str
    kind: str = ""
    """The server's own words for the sort of error: its `type` and `code`."""
    status: int = 0
    """An HTTP status inside of the body, else 0."""


def fault_in(body: object) -> Fault | None:
    """The error that a JSON value tells of, None if it tells of none."""
    return _fault_in(body, _NESTING)


def error_of(status: int, body: str, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error for an answer with a bad `status`; `retry_after` is the server's wish in seconds."""
    value = _json(body)
    fault = fault_in(value) or _loose(value) or Fault(_plain(body))
    return judge(fault, status or fault.status, model=model, retry_after=retry_after)


def judge(fault: Fault, status: int, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error of ours that fits, with a hint of what to do. A `status` of 0 is an error in the stream."""
    words = f"{fault.kind} {fault.message[:4000]}"
    said = visible_line(fault.message[:4000], 400)
    message = said or _unexplained(fault, status)
    if status in (401, 407) or (status < 500 and _KEY.search(words)):
        return needs_key(said, status)
    if status == 403:
        hint = "Its API key may be missing or wrong: F3, then ^R sets one."
        return Unauthorized(f"This server refuses access ({_answer(said, status)}).", hint, status=status)
    if _LENGTH.search(words) or status == 413:
        return TooLong(message, "It does not fit the context: shorten it, or start a new chat.", status=status)
    if status == 429 and _QUOTA.search(words):
        return Refused(message, "The account behind the key has nothing left: see the provider.", status=status)
    if "loading model" in words.lower():
        return Busy(
            "The server is still loading the model.",
            "Try again in a moment.",
            status=status,
            retry_after=retry_after,
        )
    if status in (429, 503, 529):
        return Busy(message, "The server has too much to do: try again.", status=status, retry_after=retry_after)
    if status in _ABOUT_MODELS and _MODEL.search(words):
        name = clean_line(model, 80)
        return NoSuchModel(message, f"{name or 'It'} is not on this server: choose another model.", status=status)
    if _ABILITY.search(words):
        return Unsupported(message, "This model cannot do that: choose another, or leave it out.", status=status)
    if status in (404, 405) or "unexpected endpoint" in words.lower():
        return Refused(message, "Is this the right URL? Give it without /v1 and what follows.", status=status)
    if status in (502, 504):
        return ServerFault(message, "The proxy before the server could not reach it: is the server running?")
    if 400 <= status < 500:
        return Refused(message, "Try other options, or another model.", status=status)
    if status and said.lower().strip(".") in _GENERIC:
        hint = "Its log says why. A missing API key may be the cause: F3, then ^R sets one."
        return ServerFault(f"The server failed ({_answer(said, status)}).", hint)
    return ServerFault(message, "Try again; the server's own log may say more.")


def needs_key(said: str, status: int) -> Unauthorized:
    """The error for a server that wants a key, or another one; `said` is how it says so, as one safe line."""
    return Unauthorized(f"This server needs a valid API key ({_answer(said, status)}).", _SET_KEY, status=status)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds to wait, by `retry-after-ms` or `retry-after`, which is seconds or a date.

    None too for more than a day, and where `x-should-retry` says not to try again. Names in `headers` are in
    lower case; a date is compared to `now`, which knows its time zone.
    """
    wish = _wish(headers, now)
    unwanted = headers.get("x-should-retry", "").strip().lower() == "false"
    return None if unwanted or wish is None or wish > _LONGEST_WISH else wish


def _answer(said: str, status: int) -> str:
    """What the server answered, for brackets: `401: Invalid API Key`."""
    return ": ".join(filter(None, [str(status or ""), said.rstrip(".")]))


def _unexplained(fault: Fault, status: int) -> str:
    """An error without words, by its status and its sort."""
    kind = visible_line(fault.kind, 80)
    what = f"The server answered with status {status}" if status else "The server reported an error"
    return f"{what} ({kind})." if kind else f"{what}."


def _wish(headers: Mapping[str, str], now: datetime) -> float | None:
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    if seconds is not None or not value:
        return seconds
    from email.utils import parsedate_to_datetime  # drags in much of `email`, for a header that hardly ever comes

    try:
        date = parsedate_to_datetime(value)
        return max(0.0, (date - now).total_seconds()) if date.tzinfo else None
    except (ValueError, OverflowError, TypeError):
        return None


def _seconds(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value.strip(), re.ASCII) else None


def _fault_in(body: object, depth: int) -> Fault | None:
    if not isinstance(body, dict) or not depth:
        return None
    error = body.get("error")
    if isinstance(error, dict):
        inner = _told(error, depth)
        return inner or Fault("", _kind(error), _status(error))
    if isinstance(error, str) and error:
        return _fault_in(_json(error), depth - 1) or Fault(error, _kind(body))
    if body.get("object") == "error":
        return _told(body, depth)
    detail = body.get("detail")
    if isinstance(detail, list):
        return Fault("; ".join(filter(None, map(_detail, detail))))
    if isinstance(detail, str) and detail:
        return Fault(detail)
    return None


def _loose(body: object) -> Fault | None:
    """What a body says that is an error by its status alone: `{"message": "no"}`, `{"detail": {...}}`."""
    if not isinstance(body, dict):
        return None
    detail = object_of(body, "detail")
    return _told(body, _NESTING) or fault_in(detail) or _told(detail, _NESTING)


def _told(error: Mapping[str, object], depth: int) -> Fault | None:
    message = error.get("message")
    if not isinstance(message, str):
        return None
    return _fault_in(_json(message), depth - 1) or Fault(message, _kind(error), _status(error))


def _kind(error: Mapping[str, object]) -> str:
    return f"{text_of(error, 'type')} {text_of(error, 'code')}".strip()


def _status(error: Mapping[str, object]) -> int:
    code = error.get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 0


def _detail(item: object) -> str:
    """One entry of FastAPI's list: `{"loc": ["body", "model"], "msg": "Field required"}`."""
    if not isinstance(item, dict):
        return str(item) if isinstance(item, str) else ""
    place = item.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{where}: {item.get('msg', '')}".removeprefix(": ")


def _plain(body: str) -> str:
    if "<html" not in body[:2000].lower():
        return body.strip()[:2000]
    title = _TITLE.search(body[:4000])
    return f"It answered with a web page: {title.group(1).strip()}" if title else "It answered with a web page."


def _json(text: str) -> object:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
