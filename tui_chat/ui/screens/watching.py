"""A chat that another tui-chat answers: its reply grows here too."""

from __future__ import annotations

from contextlib import aclosing

from textual import work

from tui_chat.conversation.following import followed
from tui_chat.errors import StoreError
from tui_chat.messages import Message, State
from tui_chat.ui.screens.replying import Replying
from tui_chat.ui.widgets.entry import Entry
from tui_chat.ui.widgets.status import Status


class Watching(Replying):
    """The part of the chat screen that shows what others write."""

    def watch_reply(self) -> None:
        """Follow the open chat if it is being answered elsewhere; the one before is followed no longer."""
        self.workers.cancel_group(self, "watch")
        if self.session.conversation.elsewhere:
            self._follow_reply()

    def action_stop(self) -> None:
        """Leave what was stepped to, else stop the reply, wherever it is received."""
        conversation = self.session.conversation
        if conversation.elsewhere and conversation.last is not None and not self.transcript.steps.active:
            self._stop_elsewhere(conversation.last)
        else:
            super().action_stop()

    @work(exclusive=True, group="dialog")
    async def _stop_elsewhere(self, reply: Message) -> None:
        try:
            await self.session.ask_to_stop(reply)
            self.say_aside("asked the other tui-chat to stop", "")
        except StoreError as error:
            self._say(Status(str(error), error.hint, error=True))

    @work(exclusive=True, group="watch")
    async def _follow_reply(self) -> None:
        async with aclosing(followed(self.session.conversation, self.session.store)) as news:
            async for message in news:
                self._show_growth(message)

    def _show_growth(self, message: Message) -> None:
        """The last entry is this message as it is now, whole or not."""
        entry = self.transcript.entries[-1]
        had_thoughts = entry.has_thoughts
        if not _grow(entry, message):
            self.transcript.drop_below(message.parent)
            entry = self.transcript.add(message, live=True)
        if message.state is not State.STREAMING:
            entry.finish(message)
            self.transcript.changed(entry)
            self._ended(message, None)
        elif entry.has_thoughts is not had_thoughts:
            self.transcript.changed(entry)
        else:
            self.transcript.grown()


def _grow(entry: Entry, message: Message) -> bool:
    """Append what is new in `message`; False where it is more than a longer version of what is shown."""
    text, thinking = entry.answer.source, entry.thoughts.source
    if not (entry.live and message.text.startswith(text) and message.thinking.startswith(thinking)):
        return False
    entry.answer.append(message.text[len(text) :])
    entry.thoughts.append(message.thinking[len(thinking) :])
    return True
