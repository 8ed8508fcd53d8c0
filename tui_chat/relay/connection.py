"""One client's connection, which lasts only as long as the client does its part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from tui_chat.relay.settings import Settings


class _Deadline:
    """Calls `late`, unless it is met within `seconds` of its begin."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, late: Callable[[], None]) -> None:
        self._loop, self._seconds, self._late = loop, seconds, late
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._late)

    def meet(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Connection(H11Protocol):
    """HTTP/1.1 by h11, with deadlines for the head of a request to come in, and for an answer to be taken."""

    settings: ClassVar[Settings]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # the first byte that the system cannot take pauses writing
        self._head = _Deadline(self.loop, self.settings.head, transport.close)
        self._taking = _Deadline(self.loop, self.settings.stuck, transport.abort)  # closing would wait for it
        self._head.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._head.meet()
        self._taking.meet()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. Bytes that make no head win no time: uvicorn's own limit ends with the first."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._head.begin()
        else:
            self._head.meet()

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().pause_writing()
        self._taking.begin()

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().resume_writing()
        self._taking.meet()


def connection(limits: Settings) -> type[Connection]:
    """The kind of connection that keeps to `limits`; uvicorn makes the connections, and knows none of ours."""

    class Limited(Connection):
        settings = limits

    return Limited
