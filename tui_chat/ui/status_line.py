"""What status bar and header say of the chat on screen, and the keys that matter in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.chat.generation import Generation
from tui_chat.chat.open_chat import Reply
from tui_chat.chat.retry import plan_again
from tui_chat.errors import ChatError, Remedy
from tui_chat.ui import phrases
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, StatusBar, trouble
from tui_chat.ui.widgets.waiting import Waiting

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class StatusLine:
    """Says how far the reply is that is looked at, else what was said last."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.said = Status("looking for a server", busy=True)
        self._writing = False
        """Whether something is written in the composer."""

    def say(self, status: Status) -> None:
        """Say something until there is something else to say."""
        self.said = status
        self.show()

    def say_error(self, error: ChatError, *more: Remedy) -> None:
        """Say what went wrong, and what helps; see `phrases.advice`."""
        self.say(trouble(error, self._screen.keys, *more))

    def say_aside(self, text: str, hint: str = "", *, busy: bool = False) -> None:
        """Say something in passing: what was said before it is not forgotten."""
        self._screen.query_one(StatusBar).status = Status(text, hint, busy=busy)

    def say_state(self) -> None:
        """Say how the chat on screen stands."""
        self.say(self.state())

    def state(self) -> Status:
        """How the chat on screen stands, while it is not being answered."""
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
        """Show what is so now."""
        screen, workspace = self._screen, self._screen.workspace
        for header in screen.query(Header):  # there is none any more while the program ends
            editing = "Editing an earlier prompt · {send} sends a new version · {stop} cancels"
            screen.query_one(Divider).standing = screen.keys.hint(editing) if screen.edit.active else ""
            header.unsaved = workspace.unsaved
            header.others = workspace.running_elsewhere
        for waiting in screen.query(Waiting):
            waiting.prompts = workspace.current.queue
            screen.composer.waiting = bool(waiting.prompts)
        view = screen.replies.view
        screen.query_one(StatusBar).status = self.said if view is None else self._told(view.reply)
        self._show_keys()

    def show_title(self) -> None:
        """Show the title of the chat on screen."""
        workspace, header = self._screen.workspace, self._screen.query_one(Header)
        header.title, header.demo = workspace.conversation.chat.title, workspace.demo

    def written(self, text: str) -> None:
        """Say how to begin a line, once there is one."""
        if bool(text) is not self._writing:
            self._writing = bool(text)
            self._show_keys()

    def _show_keys(self) -> None:
        """The keys that matter now, at most four: first the one that helps most, last that of the help."""
        bar, keys, workspace = self._screen.query_one(StatusBar), self._screen.keys, self._screen.workspace
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
        """How far a reply is."""
        keys, progress, message = self._screen.keys, reply.progress, reply.message
        if progress is None and isinstance(reply, Generation):
            return Status("saving", busy=True)
        if progress is None:
            return Status("being answered in another tui-chat", keys.hint("{stop} stops it"), busy=True)
        if reply.retry_in is not None and reply.error is not None:
            text = f"{reply.error} · again in {reply.retry_in:.0f} s"
            return Status(text, keys.hint("{stop} stops trying."), error=True)
        return Status(phrases.phase(progress, message.model if message else ""), busy=True)
