"""What a person writes besides new prompts: another version of one that was said, or a long one in an editor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from textual import work

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError
from tui_chat.messages import Role
from tui_chat.terminal.editor import edited, editor_of
from tui_chat.text.sanitize import clean
from tui_chat.ui.screens.replying import Replying
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.status import Status

LendTerminal = Callable[[], AbstractContextManager[None]]


class Writing(Replying):
    """The writer's half of the chat screen."""

    def __init__(self, services: Services, workspace: Workspace, lend_terminal: LendTerminal) -> None:
        """`lend_terminal`: inside of the context that it gives, another program has the terminal."""
        super().__init__(services, workspace)
        self._lend_terminal = lend_terminal

    # A prompt that was said

    def action_edit(self) -> None:
        """Write the prompt that was stepped to anew; that of a reply, if one was stepped to."""
        conversation, message = self.workspace.conversation, self.stepped_to()
        prompt = message if message is None or message.role is Role.USER else conversation.parent_of(message)
        if prompt is None or self._refuses():
            return
        if self.composer.text.strip():
            self.notify("Send or clear what is written first: it would be lost.", timeout=3)
            return
        self.leave_steps()
        self._instead = prompt
        self.composer.insert(prompt.text)
        self.say_aside("writing a prompt anew", "Enter sends it as another version · Esc leaves it as it was")

    def _give_up_edit(self) -> bool:
        """Leave the prompt as it was; whether one was being written anew."""
        was = self._instead is not None
        if was:
            self._instead = None
            self.composer.clear()
            self._show_status()
        return was

    def action_stop(self) -> None:
        """Leave what was stepped to, else the prompt that is written anew, else stop the reply."""
        if self.transcript.steps.active or not self._give_up_edit():
            super().action_stop()

    # Other versions

    def action_version(self, step: int) -> None:
        """Show the version before (-1) or after (1) the message that was stepped to, with what followed it."""
        conversation, message = self.workspace.conversation, self.stepped_to()
        if message is None or self._refuses():
            return
        versions = conversation.versions(message)
        at = next(number for number, version in enumerate(versions) if version.id == message.id) + step
        if not 0 <= at < len(versions):
            self.notify("There is no other version there." if len(versions) > 1 else "It has no other versions.")
        elif conversation.turn_to(versions[at].id):
            self.show_branch()
            self.transcript.step_to(versions[at].id)
            self.say_step()

    # An own editor

    @work(group="editor")  # nothing may cancel it: the terminal would stay with the editor
    async def action_editor(self) -> None:
        """Go on writing in the editor that VISUAL or EDITOR names; a reply on its way is received meanwhile."""
        composer = self.composer
        try:
            command = editor_of(self._services.environ)
            with self._lend_terminal():
                text = await edited(composer.text, command)
        except ConfigError as error:
            self._say(Status(str(error), error.hint, error=True))
        else:
            composer.replace(clean(text).rstrip("\n"), (0, 0), composer.document.end)
            composer.move_cursor(composer.document.end)
