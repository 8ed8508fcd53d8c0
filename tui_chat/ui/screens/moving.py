"""From one chat to the next: nothing is lost on the way, and what is typed meanwhile is meant for the next."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import Final

from textual import on
from textual.timer import Timer

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import StoreError
from tui_chat.store.values import ChatFields, Place
from tui_chat.ui.screens.writing import LendTerminal, Writing
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.status import Status

_DRAFT_SECONDS: Final = 1.0
"""So long after a key at the latest the draft is on disk."""


class Moving(Writing):
    """The part of the chat screen that leaves a chat and opens another."""

    def __init__(self, services: Services, workspace: Workspace, lend_terminal: LendTerminal) -> None:
        super().__init__(services, workspace, lend_terminal)
        self._drafting: Timer | None = None

    @abstractmethod
    def show_chat(self) -> None:
        """Show the open chat where it was left."""

    @abstractmethod
    def _meet(self) -> None:
        """Show the server that is talked to now."""

    def action_new_chat(self) -> None:
        """Begin another chat; a reply on its way goes on."""
        self.composer.call_later(self._begin_chat)  # behind the keys before this one, and ahead of those after it

    def _begin_chat(self) -> None:
        self._leave_chat()
        self.workspace.new_chat()
        self._arrive()

    async def _leave_deleted(self) -> None:
        """Begin a new chat instead of the open one, which was deleted: a draft that is kept brings it back."""
        conversation = self.workspace.conversation
        self._leave_chat()
        if (reply := self.workspace.current.reply) is not None:
            await reply.stop()
        await conversation.note(draft=conversation.chat.draft)
        with suppress(StoreError):  # it is listed again then
            await self.workspace.store.delete(conversation.chat.id)
        self.workspace.new_chat()
        self._arrive()

    def _refuses(self) -> bool:
        return self._moving or super()._refuses()

    def _leave_chat(self) -> None:
        """Remember the draft, and where the reader is; what is typed from now on is meant for the next chat."""
        conversation = self.workspace.conversation
        fields = ChatFields(draft=self.composer.text, place=self._place())
        if fields != {"draft": conversation.chat.draft, "place": conversation.chat.place}:
            conversation.note_soon(**fields)  # not otherwise: another tui-chat may have written its own
        self.composer.clear()
        self._moving = True

    def _arrive(self) -> None:
        """Show the chat that is open now, and what was typed for it already."""
        typed = self.composer.text
        self.show_chat()
        self.composer.insert(typed)
        self._moving = False
        if not self.workspace.connection.models:  # the chat before was left before its server had answered
            self._look_for_server()

    async def open_chat(self, chat: str, message: str | None = None, words: str = "") -> None:
        """Show another chat where it was left, or at a message; a reply on its way goes on."""
        if chat != self.workspace.conversation.chat.id:
            self._leave_chat()
            try:
                await self.workspace.open_chat(chat)
            except StoreError as error:
                self._arrive()
                self._say(Status(str(error), error.hint, error=True))
                return
            self._arrive()
            self._meet()
        if message is not None:
            if message not in {entry.message.id for entry in self.transcript.entries}:
                if (reply := self.workspace.current.reply) is not None and self._busy:
                    await reply.stop()  # its branch is not the one to show
                self.workspace.conversation.turn_to(message)
                self.show_branch()
            self.call_after_refresh(self._step_to, message, words)  # when the log knows its size

    def _step_to(self, message: str, words: str) -> None:
        self.transcript.step_to(message, words)
        self.say_step()

    def leave(self) -> None:
        """Get ready for the end: the draft and the place are kept."""
        self._leave_chat()

    @on(Composer.Changed)
    def _drafted(self) -> None:
        if self._drafting is None:  # also for who never rests
            self._drafting = self.set_timer(_DRAFT_SECONDS, self._keep_draft, name="draft")

    def _keep_draft(self) -> None:
        self._drafting = None
        if not self._moving and self.composer.text != self.workspace.conversation.chat.draft:
            self.workspace.conversation.note_soon(draft=self.composer.text)

    def _place(self) -> Place | None:
        """Where the reader is; None at the end."""
        index, row = self.transcript.place()
        entries = self.transcript.entries
        return None if self.transcript.follows or not entries else Place(entries[index].message.id, row)
