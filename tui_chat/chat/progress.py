"""The state of a reply, and the figures that the status bar shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Dropped,
    Event,
    Finished,
    Loading,
    PromptProgress,
    Thinking,
    ThinkingCanEnd,
    ThinkingUnset,
    ToolCall,
)
from tui_chat.messages import Usage


class Phase(Enum):
    """The states of a reply that is received here."""

    QUEUED = auto()
    """Its task has not run yet."""
    COMMITTING = auto()
    """Saving the prompt; if no model is known, asking the server for one."""
    CONNECTING = auto()
    LOADING = auto()
    """The server loads the model and reports its progress."""
    WAITING = auto()
    """Connected; the server loads the model, queues or reads the prompt, and does not tell which."""
    READING = auto()
    """The server reads the prompt and reports its progress."""
    THINKING = auto()
    ANSWERING = auto()
    PAUSING = auto()
    """The connection failed before anything came; waiting for the next attempt."""
    ENDED = auto()
    """Ended, and saved if possible. The message's `state` tells how."""


_RECEIVING: Final = frozenset({Phase.THINKING, Phase.ANSWERING, Phase.ENDED})
ALLOWED: Final[Mapping[Phase, frozenset[Phase]]] = MappingProxyType(
    {
        Phase.QUEUED: frozenset({Phase.COMMITTING}),
        Phase.COMMITTING: frozenset({Phase.CONNECTING, Phase.ENDED}),
        Phase.CONNECTING: _RECEIVING | {Phase.LOADING, Phase.WAITING, Phase.READING, Phase.PAUSING},
        Phase.LOADING: frozenset({Phase.WAITING, Phase.PAUSING, Phase.ENDED}),
        Phase.WAITING: _RECEIVING | {Phase.READING, Phase.PAUSING},
        Phase.READING: _RECEIVING | {Phase.PAUSING},
        Phase.THINKING: frozenset({Phase.ANSWERING, Phase.ENDED}),
        Phase.ANSWERING: frozenset({Phase.THINKING, Phase.ENDED}),
        Phase.PAUSING: frozenset({Phase.CONNECTING, Phase.ENDED}),
        Phase.ENDED: frozenset(),
    }
)
"""The states that may follow each state."""


class Progress:
    """The state and figures of one reply. Times are seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.started = clock()
        """When the server was asked for the first time."""
        self.asked = False
        """Whether the server has been asked."""
        self.phase = Phase.QUEUED
        self.phase_since = self.started
        self.pieces = 0
        """Pieces received: about one per token with all known servers."""
        self.first_piece: float | None = None
        self.last_piece: float | None = None
        self._thought: float | None = None
        self.loaded = 0
        """How much of the model is loaded, in percent."""
        self.read: tuple[int, int] | None = None
        """Prompt tokens read, and their total."""
        self.dropped = False
        """Whether the connection has dropped, and the rest of the reply is being asked for."""
        self.thinking_unset = False
        """Whether the server refused to be told how much to think."""
        self.end_thinking: Callable[[], Awaitable[None]] | None = None
        """Makes the reply answer while it thinks, if the server can do that."""
        self.usage: Usage | None = None
        self.reason = ""

    def enter(self, phase: Phase) -> None:
        """Change to a state.

        Raises:
            ValueError: it cannot follow the present state.
        """
        if phase not in ALLOWED[self.phase]:
            raise ValueError(f"{phase.name} cannot follow {self.phase.name}")
        self._thought, now = self.thought_seconds, self._clock()
        if phase is Phase.CONNECTING and not self.asked:
            self.asked, self.started = True, now
        self.phase, self.phase_since = phase, now

    def take(self, event: Event) -> None:
        """Count an event. Events out of order do not change the state."""
        self.dropped = isinstance(event, Dropped)
        match event:
            case Accepted() | Continued():
                self._reach(Phase.WAITING)
            case Loading(percent):
                self.loaded = percent
                self._reach(Phase.LOADING)
            case ThinkingUnset():
                self.thinking_unset = True
            case ThinkingCanEnd(end):
                self.end_thinking = end
            case PromptProgress(done, total):
                self.read = (done, total)
                self._reach(Phase.READING)
            case Thinking():
                self._piece()
                self._reach(Phase.THINKING)
            case Delta() | ToolCall():
                self._piece()
                self._reach(Phase.ANSWERING)
            case Finished(reason, usage):
                self.reason, self.usage = reason, usage

    def _reach(self, phase: Phase) -> None:
        if phase in ALLOWED[self.phase]:
            self.enter(phase)

    def _piece(self) -> None:
        self.last_piece = self._clock()
        self.pieces += 1
        if self.first_piece is None:
            self.first_piece = self.last_piece

    @property
    def thought_seconds(self) -> float | None:
        """Seconds of thinking so far; None without thinking."""
        return (self._thought or 0.0) + self.phase_seconds if self.phase is Phase.THINKING else self._thought

    @property
    def phase_seconds(self) -> float:
        """Seconds in the present state."""
        return self._clock() - self.phase_since

    @property
    def seconds(self) -> float:
        """Seconds since the request."""
        return self._clock() - self.started

    @property
    def first_token_seconds(self) -> float | None:
        """Seconds from the request to the first piece."""
        return None if self.first_piece is None else self.first_piece - self.started

    @property
    def speed(self) -> float | None:
        """Pieces per second since the first one; None before the second."""
        if self.first_piece is None or self.last_piece is None or self.pieces < 2:
            return None
        elapsed = self.last_piece - self.first_piece
        return (self.pieces - 1) / elapsed if elapsed > 0 else None
