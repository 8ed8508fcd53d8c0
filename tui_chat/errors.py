"""Everything that can go wrong, as one tree. Each error carries a hint: what the user can do about it.

ChatError                       the root; never raised itself
├── ConfigError                 a flag, a variable or the config file is wrong
├── StoreError                  the conversations on disk cannot be read or written
├── OutputError                 what was asked for in the shell cannot be printed
└── ReplyError                  a request to a server ended without a whole reply
    ├── Unreachable             no connection could be made
    ├── Cut                     the connection ended before the reply did
    ├── Garbled                 bytes that are not the protocol
    ├── ServerFault             the server said that it failed, by status or in the stream
    └── Refused                 the server said no, and why
        ├── Unauthorized        a key is missing or wrong
        ├── NoSuchModel         the server does not have that model
        ├── Unsupported         the model cannot do what was asked (think, see images, use tools)
        ├── TooLong             the conversation does not fit the context window
        └── Busy                too many requests; try again later
"""

from __future__ import annotations


class ChatError(Exception):
    """A failure to show: `str(error)` says what happened, `hint` what to do next. Both are safe to display."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def told(self) -> str:
        """What happened and what to do next, in one line."""
        return f"{self} {self.hint}".rstrip()


class ConfigError(ChatError):
    """A flag, an environment variable or the config file is wrong."""


class StoreError(ChatError):
    """The conversations on disk cannot be read or written."""


class OutputError(ChatError):
    """What was asked for in the shell cannot be printed."""


class ReplyError(ChatError):
    """A request to a server ended without a whole reply."""


class Unreachable(ReplyError):
    """No connection could be made: nothing was sent, so trying again is always safe."""


class Cut(ReplyError):
    """The connection ended before the reply did."""


class Garbled(ReplyError):
    """The server sent bytes that are not the protocol."""


class ServerFault(ReplyError):
    """The server said that it failed: a 5xx status or an error in the stream."""


class Refused(ReplyError):
    """The server said no. `status` is the HTTP status."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class Unauthorized(Refused):
    """A key is missing or wrong."""


class NoSuchModel(Refused):
    """The server does not have that model."""


class Unsupported(Refused):
    """The model cannot do what was asked of it."""


class TooLong(Refused):
    """The conversation does not fit the model's context window."""


class Busy(Refused):
    """The server has too much to do. `retry_after` is its wish in seconds, where it gave one."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message, hint, status=status)
        self.retry_after = retry_after
