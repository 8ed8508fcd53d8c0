"""A turn whose message is kept on disk while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from tui_chat.conversation.conversation import Conversation
from tui_chat.conversation.turn import Turn
from tui_chat.events import Event

CHECKPOINT_SECONDS: Final = 1.0
"""At most this much of a reply is lost when the process is killed."""


async def kept(
    turn: Turn, conversation: Conversation, seconds: float = CHECKPOINT_SECONDS
) -> AsyncGenerator[Event, None]:
    """The events of a turn. Its message is on disk from its first token, then once a second, then at the end.

    However it ends (Esc, error, a closing program), the end is written before this generator is done.
    """
    checkpoints = _Checkpoints(lambda: conversation.keep_soon(turn.message), seconds)
    try:
        async with aclosing(turn.events()) as stream:
            async for event in stream:
                if turn.started:
                    checkpoints.request()
                yield event
    finally:
        checkpoints.stop()
        await asyncio.shield(conversation.keep(turn.message))


class _Checkpoints:
    """Saves at once after a rest, then so many seconds later what has come meanwhile, even if nothing follows."""

    def __init__(self, save: Callable[[], None], seconds: float) -> None:
        self._save = save
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._news = False

    def request(self) -> None:
        """There is something new to save."""
        if self._timer is None:
            self._save()
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._due)
        else:
            self._news = True

    def stop(self) -> None:
        """Save no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        if self._news:
            self._news = False
            self.request()
