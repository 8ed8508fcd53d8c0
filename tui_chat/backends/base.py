"""What every backend can do. A backend is one server spoken to in one dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from tui_chat.events import Event
from tui_chat.messages import ChatRequest, Model
from tui_chat.server import Server


class Backend(Protocol):
    """A server to talk to. All texts that it returns or yields are sanitised; all errors are `ReplyError`s."""

    @property
    def server(self) -> Server:
        """The server that it talks to."""

    async def models(self) -> Sequence[Model]:
        """The models on offer, newest first where the server tells, within a few seconds.

        Raises:
            ReplyError: the server is not there, refuses, or answers nonsense.
        """

    async def loaded(self) -> Sequence[Model]:
        """The models in memory, with the context window they were loaded with; empty if unknown.

        Never raises a `ReplyError` and takes at most about a second: Ollama's `/api/ps` blocks while it loads.
        """

    async def describe(self, model: str) -> Model:
        """All that the server tells of one model.

        Raises:
            ReplyError: as for `models`; `NoSuchModel` if it is not there.
        """

    def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply to a conversation: `Accepted` first, `Finished` last.

        With `request.prefill` the first event is `Continued`, which says whether the reply goes on exactly.
        To stop, close the generator or cancel the task: the socket closes at once.

        Raises:
            Unreachable: no connection; nothing was sent.
            Cut: the connection broke, or the stream ended in the middle of the reply.
            Garbled: what came to its end was no reply at all.
            ReplyError: anything else that ended the reply.
        """

    async def aclose(self) -> None:
        """Close all connections."""
