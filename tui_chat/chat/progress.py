"""How far a reply is: its state, and the figures that the status bar shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from tui_chat.events import Accepted, Continued, Delta, Event, Finished, PromptProgress, Thinking, ToolCall
from tui_chat.messages import Usage


class Phase(Enum):
    """The states of a reply that is received here."""

    QUEUED = auto()
    """Its task has not run yet."""
    COMMITTING = auto()
    """Prompt and reply are written to disk; where no model is known yet, the server is asked for one."""
    CONNECTING = auto()
    WAITING = auto()
    """Connected, but the server says nothing: it loads the model, queues, or reads the prompt."""
    READING = auto()
    """The server reads the prompt and tells how far it is."""
    THINKING = auto()
    ANSWERING = auto()
    PAUSING = auto()
    """Nothing has come, the connection failed, and it is tried again after a pause."""
    ENDED = auto()
    """Nothing more comes, and what came is on disk, or was tried. The message's `state` tells how it ended."""


_RECEIVING: Final = frozenset({Phase.THINKING, Phase.ANSWERING, Phase.ENDED})
ALLOWED: Final[Mapping[Phase, frozenset[Phase]]] = MappingProxyType(
    {
        Phase.QUEUED: frozenset({Phase.COMMITTING}),
        Phase.COMMITTING: frozenset({Phase.CONNECTING, Phase.ENDED}),
        Phase.CONNECTING: _RECEIVING | {Phase.WAITING, Phase.READING, Phase.PAUSING},
        Phase.WAITING: _RECEIVING | {Phase.READING, Phase.PAUSING},
        Phase.READING: _RECEIVING | {Phase.PAUSING},
        Phase.THINKING: frozenset({Phase.ANSWERING, Phase.ENDED}),
        Phase.ANSWERING: frozenset({Phase.THINKING, Phase.ENDED}),
        Phase.PAUSING: frozenset({Phase.CONNECTING, Phase.ENDED}),
        Phase.ENDED: frozenset(),
    }
)
"""Which state may follow which."""


class Progress:
    """The state of one reply, and its figures. Times are seconds of the `clock` that is passed in."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.started = clock()
        """When the server was asked for the first time."""
        self.asked = False
        """Whether the server has been asked."""
        self.phase = Phase.QUEUED
        self.phase_since = self.started
        self.pieces = 0
        """Pieces received so far: with every server we know a piece is a token, or nearly."""
        self.first_piece: float | None = None
        self.last_piece: float | None = None
        self._thought: float | None = None
        self.read: tuple[int, int] | None = None
        """Prompt tokens read, and all of them."""
        self.usage: Usage | None = None
        self.reason = ""

    def enter(self, phase: Phase) -> None:
        """Go on to a state.

        Raises:
            ValueError: it cannot follow the present one.
        """
        if phase not in ALLOWED[self.phase]:
            raise ValueError(f"{phase.name} cannot follow {self.phase.name}")
        self._thought, now = self.thought_seconds, self._clock()
        if phase is Phase.CONNECTING and not self.asked:
            self.asked, self.started = True, now
        self.phase, self.phase_since = phase, now

    def take(self, event: Event) -> None:
        """Count an event. What a server says out of order changes no state."""
        match event:
            case Accepted() | Continued():
                self._reach(Phase.WAITING)
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
        """How long it has thought so far; None if it did not."""
        return (self._thought or 0.0) + self.phase_seconds if self.phase is Phase.THINKING else self._thought

    @property
    def phase_seconds(self) -> float:
        """How long the phase lasts already."""
        return self._clock() - self.phase_since

    @property
    def seconds(self) -> float:
        """How long it took from the request until now."""
        return self._clock() - self.started

    @property
    def first_token_seconds(self) -> float | None:
        """From the request to the first piece."""
        return None if self.first_piece is None else self.first_piece - self.started

    @property
    def speed(self) -> float | None:
        """Pieces per second since the first one; None before there are enough to tell."""
        if self.first_piece is None or self.last_piece is None or self.pieces < 2:
            return None
        elapsed = self.last_piece - self.first_piece
        return (self.pieces - 1) / elapsed if elapsed > 0 else None
