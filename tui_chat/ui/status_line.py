"""What the status bar and the header say about the open chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.notifications import SeverityLevel

from tui_chat.chat.generation import Generation
from tui_chat.chat.open_chat import Reply
from tui_chat.chat.retry import plan_again
from tui_chat.errors import ChatError, FileError, Remedy
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.textual_private import driver_of
from tui_chat.text.sanitize import clean_line
from tui_chat.ui import phrases
from tui_chat.ui.widgets.status import Status, trouble

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


_FRESH: Final = 2
"""Messages of a new chat above which its link to another is shown."""
_WAITING: Final = 4
"""Rows of waiting prompts."""


class StatusLine:
    """Shows the progress of the reply on screen, else the last status."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.said = Status("looking for a server", busy=True)
        self._writing = False
        """Whether the composer has text."""

    def say(self, status: Status) -> None:
        """Show a status until the next one."""
        self.said = status
        self.show()

    def say_error(self, error: ChatError) -> None:
        """Show an error and what helps; the key that continues or retries a reply is on the right already."""
        again = error.remedy in (Remedy.RETRY, Remedy.CONTINUE) and plan_again(self._screen.workspace.conversation)
        self.say(Status(error.sentence, error.hint, error=True) if again else trouble(error, self._screen.keys))
        if isinstance(error, FileError) and not self._screen.workspace.current.held:
            self._screen.remarks.own(self.said)  # the prompt comes back into the composer

    def say_aside(self, text: str, hint: str = "", *, busy: bool = False) -> None:
        """Show a status in passing: `show` brings the one before back."""
        self._screen.status_bar.status = Status(text, hint, busy=busy)

    def say_state(self) -> None:
        """Show the state of the open chat."""
        self.say(self.state())

    def state(self) -> Status:
        """The state of the open chat while no reply runs."""
        workspace = self._screen.workspace
        connection, last = workspace.connection, workspace.conversation.last
        ending = phrases.ending(last) if last else ""
        if connection.error is None and not connection.models:
            return Status("looking for a server", busy=True)
        if workspace.current.held:
            count = len(workspace.current.queue)
            return Status("1 prompt is waiting" if count == 1 else f"{count} prompts are waiting", ending)
        return Status(ending or "ready")

    def show(self) -> None:
        """Bring header, waiting prompts, status and keys up to date."""
        screen, workspace = self._screen, self._screen.workspace
        header = screen.header
        screen.divider.standing = self._standing()
        header.unsaved = workspace.unsaved
        header.others = workspace.running_elsewhere
        header.work = phrases.working(workspace.jobs.running)
        screen.waiting.rows = _numbered(workspace.current.queue)
        view = screen.replies.view
        screen.status_bar.status = self.said if view is None else self._told(view.reply)
        self._show_keys()

    def _standing(self) -> str:
        """What holds until something is done about it."""
        if self._screen.edit.prompt is not None:
            words = "Editing an earlier prompt · {send} sends a new version · {stop} cancels"
        elif isinstance(driver := driver_of(self._screen.app), DiffDriver) and driver.mouse_lent:
            words = "The mouse is the terminal's · {lend-mouse} takes it back"
        elif self._screen.composer.quotes.command:
            words = "{send} runs it in your shell"
        elif self._screen.composer.quotes:
            words = "Output goes along" + " · {stop} drops it" * (self._screen.shell.running is None)
        else:
            return self._linked()
        return self._screen.keys.hint(words)

    def _linked(self) -> str:
        """The chat that a fresh one continues."""
        workspace = self._screen.workspace
        linked = workspace.current.linked
        if linked is None or len(workspace.conversation.branch) > _FRESH:
            return ""
        return f"{linked.words} · {self._screen.keys['context']} leads there"

    def show_title(self) -> None:
        """Show the title of the open chat."""
        workspace, header = self._screen.workspace, self._screen.header
        header.title, header.demo = workspace.conversation.chat.title, workspace.demo

    def written(self, text: str) -> None:
        """The composer's text has changed: offer the key for a new line while there is text."""
        self._screen.divider.standing = self._standing()
        if bool(text) is not self._writing:
            self._writing = bool(text)
            self._show_keys()

    def _show_keys(self) -> None:
        """Show at most four keys: the most useful first, help last."""
        bar, keys, workspace = self._screen.status_bar, self._screen.keys, self._screen.workspace
        if self._screen.replies.view is not None:
            bar.keys = keys.footer("stop", "command-palette", "help")
            return
        plan = plan_again(workspace.conversation)
        first = keys.footer("again", word=plan.kind) if plan else ()
        if workspace.current.held:
            first = keys.footer("send-next") + first
        if bar.status.error and plan is None:
            first = keys.footer("servers" if workspace.connection.error else "models")
        elif self._writing and not bar.status.error:
            first = keys.footer("new-line") + first
        bar.keys = (first + keys.footer("command-palette", "chats", "models"))[:3] + keys.footer("help")

    def _told(self, reply: Reply) -> Status:
        """The status of a running reply."""
        keys, progress, message = self._screen.keys, reply.progress, reply.message
        if progress is None and isinstance(reply, Generation):
            return Status("saving", busy=True)
        if progress is None:
            return Status("another tui-chat is replying", busy=True)
        if reply.retry_in is not None and reply.error is not None:
            text = f"{reply.error} · retrying in {reply.retry_in:.0f} s"
            return Status(text, keys.hint("{stop} gives up."), error=True)
        return Status(phrases.phase(progress, message.model if message else ""), busy=True)


class Remarks:
    """What is said about the text in the composer, as why it was refused: an error in the status bar, a notice, or
    both. It goes when the text changes or is sent.
    """

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._error: Status | None = None
        self._notice = ""
        self._text = ""
        """The text that they are about; it may come back into the composer only after they were made."""

    def say_error(self, error: ChatError) -> None:
        """Show an error in the status bar."""
        self._screen.status.say_error(error)
        self.own(self._screen.status.said)

    def own(self, error: Status) -> None:
        """Count an error that the status bar shows among the remarks."""
        self._error, self._text = error, self._screen.composer.text

    def tell(self, notice: str, seconds: float = 10, severity: SeverityLevel = "warning") -> None:
        """Show a notice, instead of the one before."""
        self._withdraw()
        self._screen.notify(notice, severity=severity, timeout=seconds, markup=False)
        self._notice, self._text = notice, self._screen.composer.text

    def written(self, text: str) -> None:
        """The composer's text has changed."""
        if text == self._screen.composer.returned:
            self._text = text
        elif text != self._text:
            self.drop()

    def drop(self) -> None:
        """Remove the remarks: a command is carried out, or a prompt sent."""
        self._withdraw()
        if self._error is not None and self._screen.status.said is self._error:
            self._screen.status.say_state()
        self._error = None

    def _withdraw(self) -> None:
        if self._notice:
            self._screen.divider.withdraw(self._notice)
        self._notice = ""


def _numbered(prompts: Sequence[str]) -> tuple[Content, ...]:
    """A row for each waiting prompt; of many only the first ones."""
    more = len(prompts) - _WAITING + 1
    rows = [f"{number} {clean_line(text, 500)}" for number, text in enumerate(prompts[:_WAITING], 1)]
    if more > 1:
        rows[_WAITING - 1 :] = [f"… and {more} more"]
    return tuple(Content.styled(row, "$text-muted") for row in rows)
