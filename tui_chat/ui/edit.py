"""Editing an earlier prompt, and switching between versions of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.messages import Message, Role

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Edit:
    """The earlier prompt that is being edited, if there is one."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.prompt: Message | None = None
        """The prompt that is being edited."""

    def begin(self, message: Message | None) -> None:
        """Edit a prompt; for a reply, the prompt that it answers."""
        screen = self._screen
        conversation = screen.workspace.conversation
        prompt = message if message is None or message.role is Role.USER else conversation.parent_of(message)
        if prompt is None or screen.replies.refuses():
            return
        if screen.composer.text.strip():
            screen.notify("Send or clear your text first.", timeout=3)
            return
        screen.leave_selection()
        self.prompt = prompt
        screen.divider.clear(all=True)  # it tells what is edited
        screen.composer.take_back(prompt.text)
        screen.status.show()

    def take(self) -> Message | None:
        """End editing; returns the prompt that was edited, if any."""
        prompt, self.prompt = self.prompt, None
        return prompt

    def give_up(self) -> None:
        """Cancel editing."""
        self.prompt = None
        self._screen.composer.clear()
        self._screen.status.show()

    def turn(self, step: int) -> None:
        """Show the version before (-1) or after (1) the selected message, with what followed it."""
        screen, conversation = self._screen, self._screen.workspace.conversation
        message = screen.transcript.steps.message
        if message is None or screen.replies.refuses():
            return
        versions = conversation.versions(message)
        at = next(number for number, version in enumerate(versions) if version.id == message.id) + step
        if not 0 <= at < len(versions):
            screen.notify(f"There is no version {'before' if at < 0 else 'after'} this one.")
        elif conversation.turn_to(versions[at].id):
            screen.show_branch()
            screen.select_message(versions[at].id)
