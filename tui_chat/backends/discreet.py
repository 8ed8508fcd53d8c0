"""A backend whose errors show no secret: servers quote the key that they refuse, in any corner of an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence, Set
from contextlib import aclosing, contextmanager
from typing import Final

from tui_chat.backends.base import Backend
from tui_chat.errors import ReplyError
from tui_chat.events import Event
from tui_chat.messages import ChatRequest, Model
from tui_chat.servers import Server
from tui_chat.text.overlap import overlap

_LEAST: Final = 4
"""Characters of a secret's beginning that are hidden where a text was cut short in the middle of it."""


class Discreet:
    """Another backend, with dots for secrets in the message and the hint of every error that leaves it."""

    def __init__(self, backend: Backend, secrets: Set[str]) -> None:
        self._backend = backend
        self._secrets = sorted(secrets, key=len, reverse=True)

    @property
    def server(self) -> Server:
        """The server that it talks to."""
        return self._backend.server

    async def models(self) -> Sequence[Model]:
        """See `Backend.models`."""
        with self._guard():
            return await self._backend.models()

    async def loaded(self) -> Sequence[Model]:
        """See `Backend.loaded`."""
        return await self._backend.loaded()

    async def describe(self, model: str) -> Model:
        """See `Backend.describe`."""
        with self._guard():
            return await self._backend.describe(model)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.reply`."""
        with self._guard():
            async with aclosing(self._backend.reply(request)) as events:
                async for event in events:
                    yield event

    async def aclose(self) -> None:
        """Close all connections."""
        await self._backend.aclose()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except ReplyError as error:
            error.args = (self._hidden(str(error)),)
            error.hint = self._hidden(error.hint)
            raise

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        cut = text.removesuffix("…")
        if cut == text:
            return text
        rest = max((overlap(cut, secret) for secret in self._secrets), default=0)
        return f"{cut[: len(cut) - rest]}…" if rest >= _LEAST else text
