"""Sending prompts, and showing the reply of the open chat."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from tui_chat.chat.generation import REQUEST_SECONDS, Generation
from tui_chat.chat.open_chat import Reply
from tui_chat.errors import ReplyError, StoreError
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.textual_private import driver_of
from tui_chat.ui import phrases
from tui_chat.ui.paint import call_in
from tui_chat.ui.reply_view import ReplyView
from tui_chat.ui.widgets.status import Status

if TYPE_CHECKING:
    from tui_chat.messages import Message
    from tui_chat.ui.screen import ChatScreen


_INTERVAL: Final = 0.05
"""Seconds between two paints with a driver that does not measure its line."""
_MAY_NOT_FIT: Final = "It may not fit the context window when its turn comes: {context} shows that."


class Replies:
    """Sends prompts, and shows the reply of the open chat, whichever process receives it."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._workspace = screen.workspace
        self.view: ReplyView | None = None
        """Shows the running reply, until its end is on screen."""
        self._notice = ""
        """What was said of how the last reply was asked for."""

    @property
    def busy(self) -> bool:
        """Whether this process receives a reply in the open chat whose end is not shown yet."""
        own = self.view is not None and isinstance(self.view.reply, Generation)
        return own or self._workspace.current.generation is not None

    def send(self, text: str) -> None:
        """Send a prompt, instead of the edited one if there is one; it waits for a reply and for others."""
        screen = self._screen
        if screen.attachments.asks(text):
            screen.composer.take_back(text)
        elif self.busy and screen.edit.prompt is None and not screen.navigation.moving:
            self._enqueue(text)
        elif self.cannot_send() or screen.attachments.holds_back(text):
            screen.composer.take_back(text)
        elif self._workspace.current.held and screen.edit.prompt is None:
            self._enqueue(text)
        elif screen.consent.lacking:
            screen.composer.take_back(text)
            screen.start(screen.consent.ask, "consent", screen.composer.send)
        elif screen.fit.surely(text):
            self.dispatch(text)
        else:
            screen.composer.take_back(text)
            screen.start(self._send_if_wanted, "fit")

    def _enqueue(self, text: str) -> None:
        self._workspace.current.enqueue(text)
        self._show_queue()
        if not self._screen.fit.surely(text):
            self._screen.notify(self._screen.keys.hint(_MAY_NOT_FIT), severity="warning", timeout=8)

    def dispatch(self, text: str) -> Generation:
        """Send a prompt now, instead of the edited one if there is one."""
        screen = self._screen
        screen.divider.clear()
        reply = self._workspace.current.send(text, screen.edit.take())
        self._show_answer(reply, text)
        return reply

    async def _send_if_wanted(self) -> None:
        """Send the text in the composer if it fits or is to be sent anyway, and is the same by then."""
        screen, chat = self._screen, self._workspace.current
        text = screen.composer.text
        agreed = await screen.fit.agreed(text)
        if agreed and (chat, text) == (self._workspace.current, screen.composer.text) and not self.refuses():
            screen.composer.clear()
            self.dispatch(text)

    def again(self, message: Message | None = None) -> None:
        """Continue, retry or regenerate a reply, whichever it needs; the last one by default."""
        if self.refuses():
            return
        if self._screen.consent.lacking:
            self._screen.start(self._screen.consent.ask, "consent", lambda: self.again(message))
        else:
            self._show_answer(self._workspace.current.again(message))

    def _show_answer(self, reply: Generation, text: str = "") -> None:
        self.withdraw_notice()
        self._screen.start(self._answer, "view", reply, text)
        held = ExitStack()
        held.enter_context(self._screen.app.batch_update())

        def go_on() -> None:
            held.close()
            if reply.message is None and not reply.ended:
                self._screen.status.say_aside("saving", busy=True)

        call_in(self._screen, REQUEST_SECONDS, go_on)

    async def _answer(self, reply: Generation, text: str) -> None:
        """Show a reply that was just started; `text` is its prompt, if one was sent."""
        screen = self._screen
        screen.transcript.viewport.follow()
        await self._look_at(reply)
        if reply.message is not None or not screen.is_running:
            return
        if text:
            screen.composer.take_back(text)
        if self._workspace.conversation.elsewhere:
            self._say_elsewhere()
        elif not text:
            screen.notify("There is no reply to retry yet.", timeout=3)

    def watch(self) -> None:
        """Show the reply of the open chat instead of any other."""
        screen, chat = self._screen, self._workspace.current
        screen.workers.cancel_group(screen, "view")
        self.view = None
        chat.watch()
        if chat.busy and chat.reply is not None:
            screen.start(self._look_at, "view", chat.reply)

    async def _look_at(self, reply: Reply) -> None:
        screen, chat = self._screen, self._workspace.current
        view = self.view = ReplyView(screen, reply)
        try:
            await view.follow()
        finally:
            if self.view is view:
                self.view = None
        if not screen.is_running or chat is not self._workspace.current:
            return  # the program may be ending, with nothing left to show it on
        if reply.message is None or reply.message.id != chat.conversation.chat.leaf:
            screen.show_branch()  # nothing came of it: show the version before, or what another tui-chat has said
        self._ended(reply)
        if chat.busy or chat.conversation.elsewhere:  # the next prompt went by itself, or another tui-chat answers
            self.watch()

    def interval(self) -> float:
        """Seconds between two paints: more on a slow line."""
        driver = driver_of(self._screen.app)
        return driver.speed.frame_interval if isinstance(driver, DiffDriver) else _INTERVAL

    def told(self) -> None:
        """Something besides its words has changed in the reply on screen."""
        if not self._screen.app.is_running:
            return  # the program is ending, with nothing left to show it on
        self._screen.show_log()
        self._screen.server.show()
        self._screen.status.show()
        self.show_notice()

    def show_notice(self) -> None:
        """Show the notice of the open chat, once."""
        chat = self._workspace.current
        notice, chat.notice = chat.notice, ""
        if notice:
            self._screen.notify(notice, severity="warning", timeout=10, markup=False)

    def withdraw_notice(self) -> None:
        """Remove what was said of how the last reply was asked for: the next one is asked for otherwise."""
        self._screen.divider.withdraw(self._notice)

    def _ended(self, reply: Reply) -> None:
        screen, status, server = self._screen, self._screen.status, self._screen.server
        screen.divider.clear()
        if isinstance(reply, Generation) and reply.notice:
            self._notice = reply.notice
            screen.notify(reply.notice, severity="warning", timeout=8, markup=False)
        error = reply.error or self._workspace.conversation.trouble
        if error is not None:
            status.say_error(error)
            if reply.progress is None and isinstance(error, ReplyError):  # nobody could be asked
                server.look()
        elif self._workspace.current.held or reply.message is None:
            status.say_state()
        else:
            left_out = "the beginning was left out · " if screen.fit.left_out() else ""
            status.say(Status(left_out + phrases.summary(reply.message)))
        self.show_notice()
        server.measure()

    async def stop(self) -> None:
        """Stop the reply of the open chat, whichever process receives it; what has arrived is kept."""
        reply = self._workspace.current.reply
        if reply is None or reply.ended:
            return
        try:
            await reply.stop()
        except StoreError as error:
            self._screen.status.say_error(error)
        else:
            if not isinstance(reply, Generation):
                self._screen.status.say_aside("asked the other tui-chat to stop")

    def unqueue(self, index: int = -1) -> bool:
        """Move a waiting prompt into the composer, the last one by default; whether there is one."""
        if text := self._workspace.current.unqueue(index):
            self._screen.composer.take_back(text)
            self._show_queue()
        return bool(text)

    def _show_queue(self) -> None:
        self._screen.status.show() if self.busy else self._screen.status.say_state()

    def refuses(self, more: str = "") -> bool:
        """Whether nothing can be sent now; shows why, and `more`."""
        if self._screen.navigation.moving:
            return True
        if self.busy:
            text = f"Still replying ({{stop}} stops).{more}"
            self._screen.notify(self._screen.keys.hint(text), timeout=3)
        elif self._workspace.conversation.elsewhere:
            self._say_elsewhere()
        else:
            return False
        return True

    def cannot_send(self) -> bool:
        """Whether nothing can be sent now, or there is no model to send to; shows why."""
        if self.refuses(" Your text is kept."):
            return True
        obstacle = self._workspace.connection.obstacle
        if obstacle is not None:
            why = str(obstacle).rstrip(".")
            text = f"Not sent: {why}. Your text is kept."
            self._screen.notify(text, severity="warning", timeout=5, markup=False)
            self._screen.server.look()
        return obstacle is not None

    def _say_elsewhere(self) -> None:
        text = "Another tui-chat is replying in this chat. Your text is kept; {new-chat} starts a new chat."
        self._screen.notify(self._screen.keys.hint(text), timeout=5)
