"""Turns the errors of servers, in all their shapes, into ours, which say what to do.

The shapes (`protocol.md` 1.4, 2.3): `{"error": {"message", "type", "code"}}` (OpenAI, vLLM, llama.cpp ...),
`{"error": "text"}` (Ollama, LM Studio), where the text may be the JSON error of a runner below,
`{"object": "error", "message", ...}` (vLLM before 0.10.1), `{"detail": "text" | [...] | {...}}` (FastAPI),
`{"message": "text"}` (gateways), a JSON string, plain text, a page of HTML from a proxy, nothing at all.
"""

from __future__ import annotations

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
from tui_chat.text.sanitize import clean_line, visible_line
from tui_chat.untrusted import object_of, parsed, text_of

_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_KEY: Final = re.compile(
    r"api[ _-]?key|unauthori[sz]ed|not authenticated|authentication|invalid token|no_db_connection", re.I
)
"""LiteLLM without a database answers an unknown key with `no_db_connection` (1.106)."""
_NO_KEY: Final = "Its API key may be missing or wrong."
_GENERIC: Final = ("", "internal server error")
"""What frameworks say of an unknown fault; LiteLLM may say it if the key is missing (1.106)."""
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
"""Statuses of a missing model. Others speak of models that stop, or of files that are not found."""
_LONGEST_WISH: Final = 86_400.0
"""The longest wish to wait, in seconds, that is believed."""
_NESTING: Final = 3
"""How deeply errors may be nested."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says, before it is judged. Texts are not sanitised."""

    message: str
    kind: str = ""
    """The server's own words for the sort of error: its `type` and `code`."""
    status: int = 0
    """An HTTP status inside of the body, else 0."""


def fault_in(body: object, depth: int = _NESTING) -> Fault | None:
    """The error that a JSON value tells of; None if it tells of none. Errors inside of it are looked for too."""
    if not isinstance(body, dict) or not depth:
        return None
    error, detail = body.get("error"), body.get("detail")
    if isinstance(error, dict):
        return _told(error, depth)
    if isinstance(error, str) and error:
        return fault_in(_json(error), depth - 1) or Fault(error, _kind(body))
    if body.get("object") == "error":
        return _told(body, depth)
    if isinstance(detail, list):
        return Fault("; ".join(filter(None, map(_detail, detail))))
    return Fault(detail) if isinstance(detail, str) and detail else None


def error_of(status: int, body: str, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error for an answer with a bad `status`; `retry_after` is the server's wish in seconds.

    Its body may say less than `fault_in` asks for: `{"message": "no"}`, `{"detail": {...}}`, `"no"`, or anything.
    """
    value = _json(body)
    inner = object_of(value, "detail") or value if isinstance(value, dict) else {}
    plain = value if isinstance(value, str) else _plain(body)
    fault = fault_in(value) or fault_in(inner) or (_told(inner) if text_of(inner, "message") else Fault(plain))
    return judge(fault, status, model=model, retry_after=retry_after)


def judge(fault: Fault, status: int = 0, *, model: str = "", retry_after: float | None = None) -> ReplyError:
    """The error of ours that fits, with what to do. A `status` of 0 is an error in the stream.

    Its words count more than the status, since proxies and imitations set statuses at will.
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
        hint = "The conversation does not fit the context window: shorten it, or set a larger num_ctx."
        return TooLong(message, hint, Remedy.NEW_CHAT, status=status)
    if status == 429 and _QUOTA.search(words):
        return Refused(message, "The account of this key has no credit left: see the provider.", status=status)
    if "loading model" in words.lower():
        loading = "The server is still loading the model."
        return Busy(loading, "It takes a moment.", Remedy.RETRY, status=status, retry_after=retry_after)
    if status in (429, 503, 529):
        hint = "The server is busy: try again in a moment."
        return Busy(message, hint, Remedy.RETRY, status=status, retry_after=retry_after)
    if status in _ABOUT_MODELS and _MODEL.search(words):
        hint = f"{clean_line(model, 80) or 'It'} is not on this server."
        return NoSuchModel(message, hint, Remedy.CHOOSE_MODEL, status=status)
    if _THINKING.search(words):
        hint = "Change `think` in the settings: some models cannot think, an old Ollama takes only true and false."
        return Unsupported(message, hint, status=status)
    if _ABILITY.search(words):
        hint = "This model cannot do that: leave it out, or choose another model."
        return Unsupported(message, hint, Remedy.CHOOSE_MODEL, status=status)
    if status in (404, 405) or "unexpected endpoint" in words.lower():
        hint = "Check the URL: it ends before /v1."
        return Refused(f"The server does not know this request: {message}", hint, status=status)
    if 400 <= status < 500:
        hint = "The server refused the request: try other options or another model."
        return Refused(message, hint, status=status)
    return _failed(message, status, said)


def _failed(message: str, status: int, said: str) -> ServerFault:
    """The error if the server itself failed."""
    if status in (502, 504):
        return ServerFault(message, "The proxy could not reach the server: is it running?")
    if status and said.lower().strip(".") in _GENERIC:
        hint = "Its log says why. A missing API key may be the cause."
        return ServerFault(f"The server failed ({_answer(said, status)}).", hint, Remedy.SET_KEY)
    if "memory" in said:
        return ServerFault(message, "Choose a smaller model, or set a smaller num_ctx.", Remedy.CHOOSE_MODEL)
    if re.search(r"\boption\b", said):
        return ServerFault(message, "Correct that option in the settings.")
    return ServerFault(message, "The server's log may say more.", Remedy.RETRY)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after`; None if it is more than a day or not a number.

    Names in `headers` are in lower case.
    """
    value = headers.get("retry-after", "").strip()
    seconds = float(value) if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value, re.ASCII) else None
    return None if seconds is None or seconds > _LONGEST_WISH else seconds


def _answer(said: str, status: int) -> str:
    """Status and words of the server, to stand in brackets: `401: Invalid API Key`."""
    return ": ".join(filter(None, [str(status or ""), said.rstrip(".")]))


def _unexplained(fault: Fault, status: int) -> str:
    """Describes an error without words by its status and kind."""
    kind = visible_line(fault.kind, 80)
    what = f"The server answered with status {status}" if status else "The server reported an error"
    return f"{what} ({kind})." if kind else f"{what}."


def _told(error: Mapping[str, object], depth: int = _NESTING) -> Fault:
    message, code = text_of(error, "message"), error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    return fault_in(_json(message), depth - 1) or Fault(message, _kind(error), status)


def _kind(error: Mapping[str, object]) -> str:
    return f"{text_of(error, 'type')} {text_of(error, 'code')}".strip()


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
    return f"It answered with a web page{f': {title.group(1).strip()}' if title else '.'}"


def _json(text: str) -> object:
    return parsed(text) if text.lstrip().startswith(("{", '"')) else None
