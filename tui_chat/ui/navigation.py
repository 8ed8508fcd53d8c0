"""Switching chats: drafts are kept, and what is typed meanwhile goes to the next chat."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from tui_chat.errors import StoreError
from tui_chat.server import DEMO
from tui_chat.store.values import ChatFields, Place

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_DRAFT_SECONDS: Final = 1.0
"""Seconds after a key press within which the draft is on disk."""


class Navigation:
    """Leaves a chat and opens another, with its draft and the reader's place."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._workspace = screen.workspace
        self._drafting: Timer | None = None
        self.moving = False
        """Whether a chat was left and the next one is not shown yet."""

    def show_chat(self) -> None:
        """Show the open chat with its draft, at the place where the reader left it."""
        screen, chat = self._screen, self._workspace.conversation.chat
        screen.divider.clear(all=True)
        screen.show_branch()
        screen.edit.take()
        screen.composer.text = chat.draft
        screen.attachments.doubt(chat.draft, hidden=True)
        screen.composer.focus()
        screen.replies.watch()
        screen.status.say_state()
        if (place := chat.place) is not None:
            screen.call_after_refresh(screen.transcript.viewport.return_to, place.message, place.row)
        screen.server.show_names()
        screen.server.show_gauge()
        screen.replies.show_notice()

    def leave_chat(self) -> None:
        """Save the draft and the reader's place; what is typed from now on goes to the next chat."""
        conversation, composer = self._workspace.conversation, self._screen.composer
        fields = ChatFields(draft=self._draft(), place=self._place())
        if fields != {"draft": conversation.chat.draft, "place": conversation.chat.place}:
            conversation.note(**fields)  # not otherwise: another tui-chat may have written its own
        composer.clear()
        self.moving = True

    def _draft(self) -> str:
        """The composer's text, after a prompt whose files are still being read."""
        unsent, text = self._workspace.current.unsent, self._screen.composer.text
        return f"{unsent}\n{text}" if unsent else text

    def _place(self) -> Place | None:
        """The reader's place; None at the end."""
        log = self._screen.transcript
        index, row = log.viewport.place()
        return None if log.viewport.follows or not log.entries else Place(log.entries[index].message.id, row)

    def arrive(self) -> None:
        """Show the open chat, with what was already typed for it."""
        typed = self._screen.composer.text
        self.show_chat()
        self._screen.composer.insert(typed)
        self.moving = False
        if not self._workspace.connection.models:  # the chat before was left before its server had answered
            self._screen.server.look()

    def new_chat(self) -> None:
        """Start a new chat; replies continue."""
        self.leave_chat()
        self._workspace.new_chat()
        self.arrive()

    async def open_chat(self, chat: str, message: str | None = None, words: str = "") -> None:
        """Show another chat where the reader left it, or at a message; replies continue."""
        screen, workspace = self._screen, self._workspace
        if chat != workspace.conversation.chat.id:
            self.leave_chat()
            try:
                await workspace.open_chat(chat)
            except StoreError as error:
                self.arrive()
                screen.status.say_error(error)
                return
            self.arrive()
            screen.server.meet()
        if message is not None:
            if message not in {entry.message.id for entry in screen.transcript.entries}:
                if (reply := workspace.current.reply) is not None and screen.replies.busy:
                    await reply.stop()  # its branch is not the one to show
                workspace.conversation.turn_to(message)
                screen.show_branch()
            screen.call_after_refresh(screen.select_message, message, words)  # when the log knows its size

    async def delete(self) -> None:
        """Delete the open chat and start a new one."""
        conversation = self._workspace.conversation
        self.leave_chat()
        if (reply := self._workspace.current.reply) is not None:
            await reply.stop()
        await conversation.note(draft=conversation.chat.draft)
        with suppress(StoreError):  # it is listed again then
            await self._workspace.store.save(conversation.chat.id, deleted=True)
        self._workspace.new_chat()
        self.arrive()

    async def toggle_demo(self) -> None:
        """Start the built-in demo, or leave it; the text in the composer stays."""
        composer, workspace = self._screen.composer, self._workspace
        draft = composer.text
        self.leave_chat()
        if workspace.demo:
            await workspace.leave_demo()
        else:
            await workspace.start_demo(DEMO)
        if draft != workspace.conversation.chat.draft:
            composer.insert(draft)
        self.arrive()
        self._screen.server.look()

    def drafted(self) -> None:
        """The text has changed: save the draft soon."""
        if self._drafting is None:  # not restarted, for people who never pause
            self._drafting = self._screen.set_timer(_DRAFT_SECONDS, self._keep_draft, name="draft")

    def _keep_draft(self) -> None:
        self._drafting = None
        conversation, text = self._workspace.conversation, self._draft()
        if not self.moving and text != conversation.chat.draft:
            conversation.note(draft=text)
