"""Shows a growing reply in the transcript, on the paint clock."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from tui_chat.chat.open_chat import Reply
from tui_chat.chat.progress import Phase
from tui_chat.messages import Message
from tui_chat.ui.paint import PaintClock
from tui_chat.ui.widgets.entry import Entry

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class ReplyView:
    """Shows the reply's message as it is at each paint."""

    def __init__(self, screen: ChatScreen, reply: Reply) -> None:
        """`reply` belongs to the open chat."""
        self.reply = reply
        self._conversation = screen.workspace.conversation
        self._transcript = screen.transcript
        self._told = screen.replies.told
        self._clock = PaintClock(screen.transcript, self._paint, screen.replies.interval)
        self._entry: Entry | None = None
        self._phase: Phase | None = None

    async def follow(self) -> None:
        """Show the reply to its end."""
        async for _ in self.reply.changes():
            message, progress = self.reply.message, self.reply.progress
            if message is None:
                continue
            if self._entry is None or self._entry.message.id != message.id:
                self._place(message)
                self._told()
            elif progress is not None and progress.phase is not self._phase:
                self._told()
            self._phase = None if progress is None else progress.phase
            self._clock.request()
        self._finish()

    def _place(self, message: Message) -> None:
        """Add an entry for the reply at the end of its branch."""
        log, numbered = self._transcript, self._conversation.numbered()
        before = [other for other in self._conversation.branch if other.id != message.id]
        shown = [entry.message.id for entry in log.entries]
        ids = [other.id for other in before]
        if shown == [*ids, message.id]:
            self._entry = log.entries[-1]
            self._entry.become(message, live=True)
            log.changed(self._entry)
            return
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(shown, ids, strict=False)))
        log.drop_below(ids[same - 1] if same else None)
        for other in before[same:]:
            log.add(other, version=numbered.get(other.id))
        self._entry = log.add(message, live=True)

    def _paint(self) -> None:
        message, entry = self.reply.message, self._entry
        if message is None or entry is None:
            return
        had_thoughts, source, thought = entry.has_thoughts, entry.answer.source, entry.thoughts.source
        if message.thinking.startswith(thought):
            entry.thoughts.append(message.thinking[len(thought) :])
        if message.text.startswith(source):
            entry.answer.append(message.text[len(source) :])
        else:  # it turned out to be thinking, or another tui-chat has replaced it
            entry.restart(message.text)
        if message.text and entry.has_thoughts and entry.thought_seconds is None:
            self._end_thinking(entry)
        elif entry.has_thoughts is not had_thoughts or not message.text.startswith(source):
            self._transcript.changed(entry)
        else:
            self._transcript.grown()

    def _end_thinking(self, entry: Entry) -> None:
        if (progress := self.reply.progress) is not None:
            entry.thought_seconds = progress.thought_seconds
        if self._transcript.viewport.follows:  # else the reader may be in the thinking
            self._transcript.fold(entry, unfolded=False)
        self._transcript.changed(entry)

    def _finish(self) -> None:
        """Show how the reply ended, and its version. Its text does not move."""
        message, entry = self.reply.message, self._entry
        if message is None or entry is None:
            return
        self._clock.flush()
        if entry.has_thoughts and entry.thought_seconds is None:
            self._end_thinking(entry)
        entry.version = self._conversation.numbered().get(message.id)
        entry.become(message)
        self._transcript.changed(entry)
