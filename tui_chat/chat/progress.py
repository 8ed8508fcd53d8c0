"""How far a reply is: the phase that the status bar names, and the figures for it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from tui_chat.events import Accepted, Continued, Delta, Event, Finished, PromptProgress, Thinking, ToolCall
from tui_chat.messages import Usage


class Phase(Enum):
    """What is being waited for."""

    CONNECTING = auto()
    WAITING = auto()
    """Connected, but the server says nothing: it loads the model, queues, or reads the prompt."""
    READING = auto()
    """The server reads the prompt and tells how far it is."""
    THINKING = auto()
    ANSWERING = auto()
    ENDED = auto()


class Progress:
    """The figures of one reply, from its events. Times are seconds of the `clock` that is passed in."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.started = clock()
        self.phase = Phase.CONNECTING
        self.phase_since = self.started
        self.pieces = 0
        """Pieces received so far: with every server we know a piece is a token, or nearly."""
        self.first_piece: float | None = None
        self.last_piece: float | None = None
        self.thought_seconds: float | None = None
        self.read: tuple[int, int] | None = None
        """Prompt tokens read, and all of them."""
        self.usage: Usage | None = None
        self.reason = ""

    def take(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Accepted() | Continued():
                self.enter(Phase.WAITING)
            case PromptProgress(done, total):
                self.read = (done, total)
                self.enter(Phase.READING)
            case Thinking():
                self._piece()
                self.enter(Phase.THINKING)
            case Delta() | ToolCall():
                self._piece()
                if self.phase is Phase.THINKING:
                    self.thought_seconds = self._clock() - self.phase_since
                self.enter(Phase.ANSWERING)
            case Finished(reason, usage):
                self.reason, self.usage = reason, usage

    def enter(self, phase: Phase) -> None:
        """Go on to a phase; the same one again changes nothing."""
        if phase is not self.phase:
            if self.phase is Phase.THINKING and self.thought_seconds is None:
                self.thought_seconds = self._clock() - self.phase_since
            self.phase, self.phase_since = phase, self._clock()

    def _piece(self) -> None:
        self.last_piece = self._clock()
        self.pieces += 1
        if self.first_piece is None:
            self.first_piece = self.last_piece

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
