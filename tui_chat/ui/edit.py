"""Other versions of what was said: a prompt that is written anew, and going from version to version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.messages import Message, Role

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Edit:
    """The prompt that is being written anew, if one is."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._prompt: Message | None = None

    @property
    def active(self) -> bool:
        """Whether a prompt is being written anew."""
        return self._prompt is not None

    def begin(self, message: Message | None) -> None:
        """Write a prompt anew; of a reply, the prompt that it answers."""
        screen = self._screen
        conversation = screen.workspace.conversation
        prompt = message if message is None or message.role is Role.USER else conversation.parent_of(message)
        if prompt is None or screen.replies.refuses():
            return
        if screen.composer.text.strip():
            screen.notify("Send or clear what is written first: it would be lost.", timeout=3)
            return
        screen.leave_selection()
        self._prompt = prompt
        screen.composer.insert(prompt.text)
        screen.status.show()

    def take(self) -> Message | None:
        """The prompt that was written anew, which is done with that."""
        prompt, self._prompt = self._prompt, None
        return prompt

    def give_up(self) -> None:
        """Leave the prompt as it was."""
        self._prompt = None
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
            screen.notify("There is no other version there." if len(versions) > 1 else "It has no other versions.")
        elif conversation.turn_to(versions[at].id):
            screen.show_branch()
            screen.transcript.step_to(versions[at].id)
            screen.tell_selection()
