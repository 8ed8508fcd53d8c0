"""The message of a running reply, grown by events."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tui_chat.chat.progress import Progress
from tui_chat.chat.retry import ReplyPlan
from tui_chat.errors import Garbled, Remedy
from tui_chat.events import Continued, Delta, Event, Finished, Thinking, WasThinking
from tui_chat.messages import Message, State, Usage
from tui_chat.text.overlap import OverlapTrimmer

_LONGEST: Final = 16_000_000
"""Most characters of a reply: protects against hostile servers."""


class PartialReply:
    """A message, and the text received for it so far."""

    def __init__(self, plan: ReplyPlan, base: Message) -> None:
        """`base`: the message to fill, with the text that a continuation goes on from."""
        self.plan = plan
        self._base = base
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._size = 0
        self.restart()

    @property
    def message(self) -> Message:
        """The message as it is now."""
        text, thinking = "".join(self._text), "".join(self._thinking)
        self._text, self._thinking = [text], [thinking]
        return self._base.grown(text, thinking)

    def restart(self) -> None:
        """Prepare for a new request."""
        self._exact = True
        self._trimmer = OverlapTrimmer(self.plan.prefill, exact=True)

    def take(self, event: Event) -> tuple[Event, ...]:
        """Grow by an event; returns the events to pass on, without text that repeats the prefill.

        Raises:
            Garbled: the reply is too long.
        """
        match event:
            case Continued(exact):
                self._exact = exact
                self._trimmer = OverlapTrimmer(self.plan.prefill, exact=exact)
            case WasThinking():
                self._trimmer = OverlapTrimmer(self.plan.prefill, exact=self._exact)
                if not self._base.text:
                    self._thinking += self._text
                self._text = []
            case Thinking(text):
                if self._base.text:
                    return ()  # about how to continue: not part of the reply
                self._grow(self._thinking, text)
            case Delta(text):
                kept = self._trimmer.feed(text)
                self._grow(self._text, kept)
                if kept != text:
                    event = Delta(kept)
                if not (kept or event.exact):
                    return ()
            case Finished():
                return (*self.flush(), event)
        return (event,)

    def flush(self) -> tuple[Event, ...]:
        """Add text that was held back as a possible repetition, and return it as an event."""
        rest = self._trimmer.finish()
        self._text.append(rest)
        return (Delta(rest),) if rest else ()

    def _grow(self, pieces: list[str], piece: str) -> None:
        self._size += len(piece)
        if self._size > _LONGEST:
            raise Garbled(f"The reply is longer than {_LONGEST:,} characters.", "", Remedy.CONTINUE)
        pieces.append(piece)

    def end(self, state: State, error: str, progress: Progress) -> None:
        """Set the end and the figures; of a continued reply the first thinking time stays."""
        self.flush()
        before, told, thought = self._base.usage, progress.usage, progress.thought_seconds
        if self._base.text:
            thought = before.thinking_seconds if before else None
        self._base = replace(
            self._base,
            state=state,
            finish=progress.reason,
            usage=told if thought is None else replace(told or Usage(), thinking_seconds=thought),
            error=error,
            first_token=progress.first_token_seconds,
            seconds=progress.seconds,
        )
