"""Errors of servers, in every shape that they come in, as errors of ours with what to do about them.

The shapes (`protocol.md` 1.4, 2.3): `{"error": {"message", "type", "code"}}` (OpenAI, vLLM, llama.cpp ...),
`{"error": "text"}` (Ollama, LM Studio), where the text may be the JSON error of a runner below,
`{"object": "error", "message", ...}` (vLLM before 0.10.1), `{"detail": "text" | [...] | {...}}` (FastAPI),
`{"message": "text"}` (gateways), a JSON string, plain text, a page of HTML from a proxy, nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tui_chat.errors import (
    Busy,
    NoSuchModel,
    Refused,
    Remedy,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unsupported,
)
from tui_chat.servers.fields import object_of, text_of
from tui_chat.text.sanitize import clean_line, visible_line

_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_KEY: Final = re.compile(
    r"api[ _-]?key|unauthori[sz]ed|not authenticated|authentication|invalid token|no_db_connection", re.I
)
"""LiteLLM without a database says `no_db_connection` to a key that it does not know (1.106)."""
_NO_KEY: Final = "Its API key may be missing or wrong."
_GENERIC: Final = ("", "internal server error")
"""What frameworks say of a fault that they know nothing of; LiteLLM may do so where there is no key (1.106)."""
_MODEL: Final = re.compile(
    r"model.{0,300}(not found|does not exist|not loaded|unknown|no such model)|no models loaded", re.I
)
_LENGTH: Final = re.compile(
    r"context[ _](length|size|window)|maximum context|exceed_context|exceeds? .{0,80}context|prompt (is )?too long"
    r"|longer than the .*context|input length",
    re.I,
)
_THINKING: Final = re.compile(r"ChatRequest\.think|invalid think value|does not support thinking", re.I)
_ABILITY: Final = re.compile(
    r"image_url|image input|multimodal|vision|mmproj|does not support|not a chat model|not support(ed)? by"
    r"|missing data required for image",
    re.I,
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
    return judge(found_in(body), status, model=model, retry_after=retry_after)


def found_in(body: str) -> Fault:
    """The error in the body of a bad answer, whatever it is."""
    value = _json(body)
    return fault_in(value) or _loose(value) or Fault(_plain(body))


def judge(fault: Fault, status: int = 0, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error of ours that fits, with what to do. A `status` of 0 is an error in the stream.

    What it says counts before the status, which proxies and programs that imitate others give as they like.
    """
    status = status or fault.status
    words = f"{fault.kind} {fault.message[:4000]}"
    said = visible_line(fault.message[:4000], 400)
    message = said or _unexplained(fault, status)
    if status in (401, 407) or (status < 500 and _KEY.search(words)):
        return Unauthorized(
            f"This server needs a valid API key ({_answer(said, status)}).", _NO_KEY, Remedy.SET_KEY, status=status
        )
    if status == 403:
        refused = f"This server refuses access ({_answer(said, status)})."
        return Unauthorized(refused, _NO_KEY, Remedy.SET_KEY, status=status)
    if _LENGTH.search(words) or status == 413:
        hint = "It does not fit the context: shorten it, or set a larger num_ctx."
        return TooLong(message, hint, Remedy.NEW_CHAT, status=status)
    if status == 429 and _QUOTA.search(words):
        return Refused(message, "The account behind the key has nothing left: see the provider.", status=status)
    if "loading model" in words.lower():
        loading = "The server is still loading the model."
        return Busy(loading, "It takes a moment.", Remedy.RETRY, status=status, retry_after=retry_after)
    if status in (429, 503, 529):
        hint = "The server has too much to do: try again in a moment."
        return Busy(message, hint, Remedy.RETRY, status=status, retry_after=retry_after)
    if status in _ABOUT_MODELS and _MODEL.search(words):
        hint = f"{clean_line(model, 80) or 'It'} is not on this server."
        return NoSuchModel(message, hint, Remedy.CHOOSE_MODEL, status=status)
    if _THINKING.search(words):
        hint = "Change `think` in the settings: some models do not think, an old Ollama knows only true and false."
        return Unsupported(message, hint, status=status)
    if _ABILITY.search(words):
        hint = "This model cannot do that: leave it out, or take another."
        return Unsupported(message, hint, Remedy.CHOOSE_MODEL, status=status)
    if status in (404, 405) or "unexpected endpoint" in words.lower():
        hint = "Is this the right URL? Give it without /v1 and what follows."
        return Refused(f"The server does not know this request: {message}", hint, status=status)
    if 400 <= status < 500:
        hint = "The server did not like the request: try other options or another model."
        return Refused(message, hint, status=status)
    return _failed(fault, status, said)


def _failed(fault: Fault, status: int, said: str) -> ServerFault:
    """The error for what is the server's fault."""
    message = said or _unexplained(fault, status)
    if status in (502, 504):
        return ServerFault(message, "The proxy before the server could not reach it: is the server running?")
    if status and said.lower().strip(".") in _GENERIC:
        hint = "Its log says why. A missing API key may be the cause."
        return ServerFault(f"The server failed ({_answer(said, status)}).", hint, Remedy.SET_KEY)
    if "memory" in said:
        return ServerFault(message, "Choose a smaller model, or set a smaller num_ctx.", Remedy.CHOOSE_MODEL)
    if re.search(r"\boption\b", said):
        return ServerFault(message, "Correct that option in the settings.")
    return ServerFault(message, "The server's own log may say more.", Remedy.RETRY)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds to wait, by `retry-after`; None for more than a day, and where it is no number.

    Names in `headers` are in lower case.
    """
    value = headers.get("retry-after", "").strip()
    seconds = float(value) if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value, re.ASCII) else None
    return None if seconds is None or seconds > _LONGEST_WISH else seconds


def _answer(said: str, status: int) -> str:
    """What the server answered, for brackets: `401: Invalid API Key`."""
    return ": ".join(filter(None, [str(status or ""), said.rstrip(".")]))


def _unexplained(fault: Fault, status: int) -> str:
    """An error without words, by its status and its sort."""
    kind = visible_line(fault.kind, 80)
    what = f"The server answered with status {status}" if status else "The server reported an error"
    return f"{what} ({kind})." if kind else f"{what}."


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
    """What a body says that is an error by its status alone: `{"message": "no"}`, `{"detail": {...}}`, `"no"`."""
    if isinstance(body, str):
        return Fault(body)
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
    if not re.match(r"\s*<(!doctype|html|head)|.*<html", body[:2000], re.I | re.S):
        return body.strip()[:2000]
    title = _TITLE.search(body[:4000])
    return f"It answered with a web page: {title.group(1).strip()}" if title else "It answered with a web page."


def _json(text: str) -> object:
    if not text.lstrip().startswith(("{", '"')):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
