"""Errors that the relay reports: an HTTP status, and an error object in the body or the stream."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import JSONResponse, Response

from tui_chat.errors import (
    Busy,
    Cut,
    Garbled,
    NoSuchModel,
    Refused,
    ReplyError,
    ServerFault,
    TooLong,
    Unreachable,
    Unsupported,
)
from tui_chat.servers.dialects.relay import kind_of

_TELLING: Final[dict[type[ReplyError], int]] = {NoSuchModel: 404, Unsupported: 400, TooLong: 400}
"""Errors about the request, whose texts are passed on. Others may name the upstream server: that stays private."""
_BEHIND: Final[dict[type[ReplyError], tuple[str, str, str]]] = {
    Unreachable: ("server_fault", "The relay cannot reach its server.", "Check that it is running there."),
    Cut: ("cut", "The server behind the relay closed the connection.", "Continue the reply, or try again."),
    Garbled: ("garbled", "The server behind the relay sent an answer that makes no sense.", ""),
}
_OTHER: Final = ("server_fault", "The server behind the relay refused the request.", "Ask whoever runs the relay.")
"""Kinds, messages and hints of errors of which nothing is passed on."""
_UNREAD: Final = (408, 413)
"""Statuses after which part of the request is unread, so that the connection must close."""


@dataclass(eq=False, slots=True)
class Problem(Exception):
    """An error response. `kind` is the name of one of our errors; `retry_after` is seconds."""

    status: int
    kind: str
    message: str
    hint: str = ""
    retry_after: float | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.message

    @property
    def body(self) -> dict[str, object]:
        """The error object, in OpenAI's format with a `hint`."""
        words = {"message": self.message, "type": self.kind, "param": None, "code": self.kind, "hint": self.hint}
        wait = {} if self.retry_after is None else {"retry_after": self.retry_after}
        return {"error": {**words, "status": self.status, **wait}}

    @property
    def response(self) -> Response:
        """The HTTP response."""
        headers = {"cache-control": "no-store"}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        if self.status in _UNREAD:
            headers["connection"] = "close"
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(self.body, self.status, headers)


def refused(message: str, hint: str = "", *, status: int = 400) -> Problem:
    """The request is invalid, or not allowed."""
    return Problem(status, "refused", message, hint)


def problem_of(error: ReplyError) -> Problem:
    """What to report to a client about an error between the relay and its server."""
    if (status := _TELLING.get(type(error))) is not None:
        return Problem(status, kind_of(error), str(error), error.hint)
    match error:
        case Busy(retry_after=wait, hint=hint):
            return Problem(503, "busy", "The server behind the relay is busy.", hint, retry_after=wait)
        case ServerFault(hint=hint):
            return Problem(502, "server_fault", "The server behind the relay failed.", hint)
        case Refused(status=400 | 413 | 422):
            return Problem(400, "refused", str(error), error.hint)
    return Problem(502, *_BEHIND.get(type(error), _OTHER))
