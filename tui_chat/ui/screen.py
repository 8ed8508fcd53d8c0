"""The chat screen: its layout, and what Esc, Ctrl+C and the widgets' messages do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import MouseEvent, MouseScrollDown, MouseScrollUp, Resize
from textual.screen import Screen

from tui_chat.errors import ChatError
from tui_chat.markdown.layout import warm_up
from tui_chat.messages import Message, Role
from tui_chat.ui.attachments import Attachments
from tui_chat.ui.commands.command import OF_DIALOGS, Command, Scope, carry_out
from tui_chat.ui.commands.read import ask_about_link, copy_out
from tui_chat.ui.commands.table import COMMANDS
from tui_chat.ui.consent import Consent, Fit
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.edit import Edit
from tui_chat.ui.look import resolve
from tui_chat.ui.navigation import Navigation
from tui_chat.ui.pictures import Pictures
from tui_chat.ui.replies import Replies
from tui_chat.ui.server_view import ServerView
from tui_chat.ui.shell import Shell
from tui_chat.ui.slash import Slash
from tui_chat.ui.status_line import Remarks, StatusLine
from tui_chat.ui.widgets.column import AIRY, Column
from tui_chat.ui.widgets.completions import Completions
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.earlier import EarlierPrompts
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.notes import AttachmentRows, CommandView, Waiting
from tui_chat.ui.widgets.status import StatusBar
from tui_chat.ui.widgets.transcript import Transcript
from tui_chat.ui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp

Answer = TypeVar("Answer")

_QUIT_SECONDS: Final = 2.0
"""Two presses of Ctrl+C within this time quit."""
_COPIES: Final = "#{{number}}  {selected-copy} copy"
"""The label of a code block: its number, and the key that copies it once it is selected."""


class ChatScreen(Screen[None]):
    """One chat at a time."""

    AUTO_FOCUS = ""  # no focus before the draft is shown: keys typed ahead would precede it
    BINDINGS: ClassVar[list[BindingType]] = [
        command.binding for command in COMMANDS if command.scope in (Scope.CHAT, Scope.SELECT, Scope.LOG)
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall"), (AIRY, "-airy")]  # noqa: RUF012  as Textual declares it

    def __init__(self, app: ChatApp) -> None:
        super().__init__()
        self.services = app.services
        self.workspace = app.workspace
        self.catalog = app.catalog
        self.keys = app.keys
        self.lend_terminal = app.lend_terminal
        self.status = StatusLine(self)
        self.remarks = Remarks(self)
        self.server = ServerView(self)
        self.replies = Replies(self)
        self.slash = Slash(self)
        self.shell = Shell(self)
        self.consent = Consent(self)
        self.edit = Edit(self)
        self.attachments = Attachments(self)
        self.fit = Fit(self)
        self.pictures = Pictures(self)
        self.navigation = Navigation(self)
        self._pressed = -inf
        self.header = Header()
        self.transcript = Transcript(
            resolve(app, self.keys.hint(_COPIES)), self.keys.by_key(Scope.LOG), self._came_below
        )
        """The log."""
        self.welcome = Welcome(self.keys)
        self.waiting = Waiting()
        self.command_view = CommandView()
        self.attached = AttachmentRows()
        self.divider = Divider()
        self.composer = Composer(
            self.keys,
            Completions(self.attachments.complete, self.slash.complete),
            EarlierPrompts(self.workspace),
            self.slash.send,
            self.shell.run,
            self.replies.unqueue,
            self.attachments.pasted,
        )
        """Where the user types."""
        self.status_bar = StatusBar()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield from (self.header, self.transcript, self.welcome, self.waiting, self.command_view, self.attached)
        yield from (self.composer.completions, self.divider, self.composer, self.status_bar)

    def on_mount(self) -> None:
        """Show the chat; ask the server after the first frame."""
        self.app.theme_changed_signal.subscribe(self, self._recolour)
        self._recolour(None)  # the terminal may have told its background since the log was made
        self.set_interval(1.0, self._tick)
        self.navigation.show_chat()
        for warning in (*self.services.config.warnings, *self.catalog.book.warnings):
            self.notify(warning, severity="warning", timeout=20, markup=False)
        self.call_after_refresh(self.server.look)
        self.call_after_refresh(self.run_worker, warm_up, thread=True, group="warm-up")

    def on_resize(self, event: Resize) -> None:
        """Put the column in the middle of a wide screen. Code and tables of the log may be wider."""
        column = Column(*event.size)
        for part in self.children:
            part.styles.margin = (0, 0, 0, column.left)
            part.styles.max_width = None if part is self.transcript else column.width

    # Keys

    def action_command(self, id: str) -> None:
        """Carry out a command whose key was pressed; one of a dialog that has closed meanwhile is none."""
        if (command := self.keys.commands[id]).scope not in OF_DIALOGS:
            self.carry_out(command)

    def carry_out(
        self, command: Command, argument: str = "", failed: Callable[[ChatError], None] | None = None
    ) -> bool:
        """Carry out a command of the chat or of the program; False if it is still being carried out."""
        owner = self.app if command.scope is Scope.APP else self
        return carry_out(command, owner, argument, failed or self.status.say_error)

    def escape(self) -> None:
        """Esc: close the completion, leave the selection, end the command, cancel editing, stop the reply.

        Where there is nothing of all that, drop the output of commands from the composer.
        """
        if self.composer.completions.decline():
            pass
        elif self.transcript.steps.message is not None:
            self.leave_selection()
        elif self.shell.stop():
            pass
        elif self.edit.prompt is not None:
            self.edit.give_up()
        elif self.workspace.current.busy or not self.composer.quotes.drop():
            self.start(self.replies.stop, "stop", exclusive=False)

    def interrupt(self) -> None:
        """Ctrl+C: copy the selection, else end the command or the reply, else quit at the second press."""
        if selected := self.get_selected_text() or self.composer.selected_text:
            copy_out(self, "the selection", selected)
            self.clear_selection()
        elif self.shell.stop():
            return
        elif self.replies.busy:
            self.start(self.replies.stop, "stop", exclusive=False)
        elif time.monotonic() - self._pressed < _QUIT_SECONDS:
            self.carry_out(self.keys.commands["quit"])
        else:
            self._pressed = time.monotonic()
            self.notify(self.keys.hint("Press {interrupt} again to quit."), timeout=_QUIT_SECONDS)

    async def ask(self, dialog: Dialog[Answer]) -> Answer | None:
        """Open a dialog and wait for its answer; None if it is closed, or another one is open already."""
        return await self.app.push_screen_wait(dialog) if self.app.screen is self else None

    def start(
        self, work: Callable[..., Awaitable[None]], group: str, *arguments: object, exclusive: bool = True
    ) -> None:
        """Start work in the background; if `exclusive`, it replaces what runs in its group."""
        begun: Any = partial(work, *arguments)
        self.run_worker(begun, group=group, exclusive=exclusive)

    # What is selected

    def select(self, direction: int) -> None:
        """Select the next message, code block or link below (1) or above (-1)."""
        self.transcript.steps.move(direction)
        self._show_selection()

    def select_message(self, message: str, words: str = "") -> None:
        """Select a message by its id, at these words if it has them."""
        self.transcript.step_to(message, words)
        self._show_selection()

    def _show_selection(self) -> None:
        if (step := self.transcript.steps.chosen()) is not None:
            self.transcript.focus()
            message = "{edit} edit · {selected-again} again · {version-before}{version-after} versions · "
            more = "{show-link} show · " if step.href else message if step.what == "the message" else ""
            if self.pictures.are_in(self.transcript.steps.message):
                more = "{show-picture} pictures · " + more
            keys = f"{{selected-up}}{{selected-down}} select · {{selected-copy}} copy · {more}{{stop}} back"
            self.status.say_aside(f"{step.what.removeprefix('the ')} selected", self.keys.hint(keys))
            self.status_bar.keys = self.keys.footer("help")

    def leave_selection(self) -> None:
        """Clear the selection, and focus the composer."""
        self.transcript.leave_step()
        self.composer.focus()
        self.status.show()

    # What is shown

    def show_branch(self) -> None:
        """Show the current branch of the chat, at its end."""
        conversation = self.workspace.conversation
        self.transcript.show(conversation.branch, conversation.numbered())
        self.show_log()

    def show_log(self) -> None:
        """Show the log or, if it is empty, the welcome; offer earlier prompts to the Up key."""
        branch = self.workspace.conversation.branch
        self.composer.earlier.remember(message.text for message in branch if message.role is Role.USER)
        empty = not self.transcript.entries
        self.welcome.display = empty
        self.transcript.display = not empty
        self.status.show_title()

    def _recolour(self, _theme: object) -> None:
        self.transcript.recolour(resolve(self.app, self.keys.hint(_COPIES)))

    def _tick(self) -> None:
        header, working = self.header, self.workspace.jobs.running
        if self.replies.view is not None or working or header.others != self.workspace.running_elsewhere:
            self.status.show()
        self.shell.paint()
        if self.workspace.replying:
            self.start(self.workspace.heed_stops, "listen")

    # Messages of the widgets

    @on(Composer.Changed)
    def _written(self) -> None:
        self.remarks.written(self.composer.text)
        self.status.written(self.composer.text)
        self.attachments.written(self.composer.text)
        self.navigation.drafted()

    @on(Transcript.Typed)
    def _typed_in_log(self, event: Transcript.Typed) -> None:
        if self.focused is not self.composer:
            self.leave_selection()
        self.composer.post_message(event.key)

    @on(Transcript.Clicked)
    def _clicked(self, event: Transcript.Clicked) -> None:
        if isinstance(event.target, str):
            self.start(ask_about_link, "link", self, event.target)
        elif isinstance(event.target, Message):
            self.pictures.toggle(event.target)
        else:
            copy_out(self, f"code block {event.target.number}", event.target.source)

    @on(MouseScrollUp)
    @on(MouseScrollDown)
    def _wheel(self, event: MouseEvent) -> None:
        """The wheel scrolls the log where nothing else scrolls, as beside the column of a wide screen."""
        rows = self.app.scroll_sensitivity_y
        self.transcript.scroll_relative(y=rows if isinstance(event, MouseScrollDown) else -rows, animate=False)

    def _came_below(self, rows: int | None) -> None:
        self.divider.below = rows
