"""The live reply: joins what arrives to the transcript's last entry, on the paint clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from tui_chat.conversation.turn import Turn
from tui_chat.events import Delta, Event, Thinking, WasThinking
from tui_chat.ui.paint import PaintClock
from tui_chat.ui.widgets.transcript import Transcript

_BREATH: Final = 0.008
"""Seconds of taking in what has arrived already, after which the keys get their turn."""


class LiveReply:
    """A turn and its place in the transcript: the log's own Markdown, in the shape of Textual's widget.

    `append` is awaited by the worker that reads the stream, so that reading waits while the screen is busy.
    """

    def __init__(self, turn: Turn, transcript: Transcript, interval: Callable[[], float]) -> None:
        self.turn = turn
        self._transcript = transcript
        self._entry = transcript.add(turn.message, live=True)
        self._before = turn.message.text
        self.clock = PaintClock(transcript, transcript.grown, interval)
        self._breathed = time.monotonic()

    async def take(self, event: Event) -> None:
        """Show an event, at the next tick of the paint clock at the latest."""
        match event:
            case Thinking(text):
                await self.think(text)
            case Delta(text):
                await self.append(text)
            case WasThinking():
                text, before = self._entry.answer.source, self._before
                if not before:
                    await self.think(text)
                self.update(before)

    async def append(self, text: str) -> None:
        """The answer goes on with `text`."""
        if self._entry.has_thoughts and self._entry.thought_seconds is None:
            self._end_thinking()
        self._entry.answer.append(text)
        await self._show()

    async def think(self, text: str) -> None:
        """The thinking goes on with `text`."""
        first = not self._entry.has_thoughts
        self._entry.thoughts.append(text)
        if first:
            self._transcript.changed(self._entry)
        await self._show()

    def update(self, text: str) -> None:
        """The answer is `text`, whatever it was before."""
        self._entry.restart(text)
        self._transcript.changed(self._entry)

    def close(self, version: tuple[int, int] | None = None) -> None:
        """The turn has ended: show how, and which version it is. What was said does not move."""
        self.clock.flush()
        if self._entry.has_thoughts and self._entry.thought_seconds is None:
            self._end_thinking()
        self._entry.version = version
        self._entry.finish(self.turn.message)
        self._transcript.changed(self._entry)

    def _end_thinking(self) -> None:
        self._entry.thought_seconds = self.turn.progress.thought_seconds
        if self._transcript.follows:  # who reads the thinking goes on reading it
            self._transcript.fold(self._entry, unfolded=False)
        self._transcript.changed(self._entry)

    async def _show(self) -> None:
        self.clock.request()
        if time.monotonic() - self._breathed > _BREATH:
            await asyncio.sleep(0)
            self._breathed = time.monotonic()
