"""The message that a reply in flight makes: grown by events, without what a continuation repeats."""

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
"""Characters of a reply; a server that sends more does not mean well."""


class PartialReply:
    """A message, and what has come for it so far."""

    def __init__(self, plan: ReplyPlan, base: Message) -> None:
        """`base`: the message to fill, with what is there of it already."""
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
        """Get ready for a request, of which nothing has come yet."""
        self._exact = True
        self._trimmer = OverlapTrimmer(self.plan.prefill, exact=True)

    def take(self, event: Event) -> tuple[Event, ...]:
        """Grow by an event: what it is without what repeats the prefill, if there is anything to tell.

        Raises:
            Garbled: the reply is longer than any that means well.
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
                    return ()  # about how to go on: it is no part of what goes on
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
        """Take what was held back, as it may have repeated the prefill: what there is of it."""
        rest = self._trimmer.finish()
        self._text.append(rest)
        return (Delta(rest),) if rest else ()

    def _grow(self, pieces: list[str], piece: str) -> None:
        self._size += len(piece)
        if self._size > _LONGEST:
            raise Garbled(f"The reply is longer than {_LONGEST:,} characters.", "", Remedy.CONTINUE)
        pieces.append(piece)

    def end(self, state: State, error: str, progress: Progress) -> None:
        """Note how it ended, and its figures; what it thought before it was continued counts alone."""
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
