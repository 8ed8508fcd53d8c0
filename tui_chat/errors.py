"""All errors, as one tree. Each says what to do, in words and as a value.

ChatError                       the root; never raised itself
├── ConfigError                 a flag, a variable or the config file is wrong
├── StoreError                  the conversations on disk cannot be read or written
├── OutputError                 standard output cannot be written
├── FileError                   a file or picture cannot be attached or shown
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

from enum import StrEnum


class Remedy(StrEnum):
    """What would help. Each room renders it in its own words: the screen as a key, the shell as a flag."""

    RETRY = "retry"
    CONTINUE = "continue"
    CHOOSE_MODEL = "choose_model"
    PULL = "pull"
    CHOOSE_SERVER = "choose_server"
    SET_KEY = "set_key"
    TRUST = "trust"
    """Set the certificates to check the server's by."""
    NEW_CHAT = "new_chat"
    CHATS = "chats"
    """Look at the list of chats."""


class ChatError(Exception):
    """An error to show: `str(error)` says what happened, `hint` what to do. Both are safe to display.

    Hints name no keys and no flags: `remedy` stands for what those do.
    """

    def __init__(self, message: str, hint: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.remedy = remedy

    @property
    def told(self) -> str:
        """What happened and what to do next, in one line."""
        return f"{self.sentence} {self.hint}" if self.hint else str(self)

    @property
    def sentence(self) -> str:
        """What happened, with a full stop, so that more can follow."""
        said = str(self)
        return said if said.endswith((".", "!", "?", "…")) else f"{said}."


class ConfigError(ChatError):
    """A flag, an environment variable or the config file is wrong."""


class StoreError(ChatError):
    """The conversations on disk cannot be read or written."""


class OutputError(ChatError):
    """Standard output cannot be written."""


class FileError(ChatError):
    """A file or picture cannot be attached or shown."""


class ReplyError(ChatError):
    """A request to a server ended without a whole reply."""


class Unreachable(ReplyError):
    """No connection could be made. Nothing was sent, so a retry is always safe."""


class Cut(ReplyError):
    """The connection ended before the reply did."""


class Garbled(ReplyError):
    """The server sent bytes that are not the protocol."""


class ServerFault(ReplyError):
    """The server said that it failed: a 5xx status or an error in the stream."""


class Refused(ReplyError):
    """The server said no. `status` is the HTTP status, `retry_after` the wait in seconds that it asks for."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        remedy: Remedy | None = None,
        *,
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint, remedy)
        self.status = status
        self.retry_after = retry_after


class Unauthorized(Refused):
    """A key is missing or wrong."""


class NoSuchModel(Refused):
    """The server does not have that model."""


class Unsupported(Refused):
    """The model cannot do what was asked of it."""


class TooLong(Refused):
    """The conversation does not fit the model's context window."""


class Busy(Refused):
    """The server has too much to do."""
