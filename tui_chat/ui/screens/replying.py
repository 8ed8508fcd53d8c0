"""One reply at a time: the worker that carries tokens from the socket to the log, and what the bar says of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from textual import on, work

from tui_chat.chat.generation import Generation
from tui_chat.chat.open_chat import Reply
from tui_chat.chat.retry import plan_again
from tui_chat.chat.workspace import Workspace
from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role
from tui_chat.ui import phrases
from tui_chat.ui.commands import footer
from tui_chat.ui.gauge import Gauge
from tui_chat.ui.reply_view import ReplyView
from tui_chat.ui.screens.reading import Reading
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, StatusBar
from tui_chat.ui.widgets.waiting import Waiting
from tui_chat.ui.widgets.welcome import Welcome

_ELSEWHERE: Final = Status("being answered in another tui-chat", "Esc stops it", busy=True)


class Replying(Reading):
    """The model's half of the chat screen."""

    def __init__(self, services: Services, workspace: Workspace) -> None:
        super().__init__(services)
        self.workspace = workspace
        self._live: ReplyView | None = None
        self._instead: Message | None = None
        """The prompt that is being written anew."""
        self._said = Status("looking for a server", busy=True)
        self._writing = False
        """Whether something is written in the composer."""
        self._gauge = Gauge(workspace)
        self._moving = False
        """Whether one chat was left and the next is not shown yet."""

    @property
    def _busy(self) -> bool:
        """Whether this process answers the chat on screen, or its end is not shown yet."""
        own = self._live is not None and isinstance(self._live.reply, Generation)
        return own or self.workspace.current.replying

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if self._busy and self._instead is None and not self._moving:
            self.workspace.current.enqueue(event.text)
            self._show_status()
            return
        if self._refuses() or self._lacks_model():
            self.composer.take_back(event.text)
            return
        self.say_aside("saving", "", busy=True)  # seen only where the disk is slow
        instead, self._instead = self._instead, None
        self._answer(self.workspace.current.send(event.text, instead), event.text)

    def again(self, message: Message | None = None) -> None:
        """Continue, retry or regenerate a reply, whichever it needs; without one, the last."""
        if not self._refuses():
            self._answer(self.workspace.current.again(message))

    @work(exclusive=True, group="view")
    async def _answer(self, reply: Generation, text: str = "") -> None:
        """Show the answer to what was just asked for; `text` is the prompt."""
        self.transcript.follow()
        await self._look_at(reply)
        if reply.message is not None or not self.is_running:
            return
        if text:
            self.composer.take_back(text)
        if self.workspace.conversation.elsewhere:
            self._say_elsewhere()
            self.watch_reply()
        elif not text:
            self.notify("There is no reply to try again yet.", timeout=3)

    def watch_reply(self) -> None:
        """Show the reply of the open chat, wherever it is received; the one before is looked at no longer."""
        self.workers.cancel_group(self, "view")
        self._live = None
        self.workspace.current.watch()
        if self.workspace.current.busy and (reply := self.workspace.current.reply) is not None:
            self._watch(reply)

    @work(exclusive=True, group="view")
    async def _watch(self, reply: Reply) -> None:
        await self._look_at(reply)

    async def _look_at(self, reply: Reply) -> None:
        chat = self.workspace.current
        view = self._live = ReplyView(
            reply, chat.conversation, self.transcript, interval=self._interval, told=self._told
        )
        try:
            await view.follow()
        finally:
            if self._live is view:
                self._live = None
        if not self.is_running or chat is not self.workspace.current:
            return  # the program may be ending, with nothing left to show it on
        if reply.message is not None and reply.message.id != chat.conversation.chat.leaf:
            self.show_branch()  # nothing came of it: the version before is better than none
        self._ended(reply)
        if chat.busy:  # the next prompt went by itself
            self.watch_reply()

    def _told(self) -> None:
        """There is something new to say of the reply that is shown."""
        self.show_log()
        self._show_connection()
        self._show_status()
        self._show_notice()

    def _show_notice(self) -> None:
        """Say, once, what has to be said of the chat on screen."""
        chat = self.workspace.current
        notice, chat.notice = chat.notice, ""
        if notice:
            self.notify(notice, severity="warning", timeout=10, markup=False)

    def _held(self) -> Status:
        """Prompts wait, and are not sent by themselves."""
        count = len(self.workspace.current.queue)
        waiting = "1 prompt is waiting" if count == 1 else f"{count} prompts are waiting"
        last = self.workspace.conversation.last
        return Status(waiting, phrases.ending(last) if last else "")

    @on(Composer.Unqueued)
    def action_unqueue(self) -> None:
        """Take the last waiting prompt back into the composer."""
        if text := self.workspace.current.unqueue():
            self.composer.take_back(text)
            self._show_status()

    @work(group="stop")
    async def action_send_next(self) -> None:
        """Send the next waiting prompt now; a reply on its way is stopped."""
        if not self.workspace.current.queue:
            self.notify("No prompt is waiting.", timeout=3)
            return
        await self.workspace.current.send_next()
        self.watch_reply()

    def _interval(self) -> float:
        return float(getattr(self.app._driver, "frame_interval", 0.05))

    def _ended(self, reply: Reply) -> None:
        error = reply.error or self.workspace.conversation.trouble
        if error is not None:
            hint = _with_key(error.hint) if error is reply.error else error.hint
            self._say(Status(str(error), hint, error=True))
            if reply.progress is None and isinstance(reply, Generation):  # nobody could be asked
                self._look_for_server()
        elif self.workspace.current.held:
            self._say(self._held())
        elif reply.message is not None:
            self._say(Status(phrases.summary(reply.message)))
        else:
            self._show_status()
        self._measure()

    @work(exclusive=True, group="measure")
    async def _measure(self) -> None:
        """A model that was just loaded tells its context window now."""
        self._show_gauge()
        await self.workspace.connection.measure()
        self._show_gauge()

    def _show_gauge(self) -> None:
        for header in self.query(Header):  # there is none any more while the program ends
            used = self._gauge.read()
            header.context, header.share = used.words, used.share
            if used.warning:
                self.notify(used.warning, severity="warning", timeout=15, markup=False)

    # What is said about it

    def show_branch(self) -> None:
        """Show the present branch of the chat, from its end."""
        conversation = self.workspace.conversation
        self.transcript.show(conversation.branch, conversation.numbered())
        self.show_log()

    def show_log(self) -> None:
        """Show the log or, where it is empty, the welcome; and offer what was said to the Up key."""
        branch = self.workspace.conversation.branch
        self.composer.remember(message.text for message in branch if message.role is Role.USER)
        empty = not self.transcript.entries
        self.query_one(Welcome).display = empty
        self.transcript.display = not empty
        self.query_one(Header).title = self.workspace.conversation.chat.title

    def _say(self, status: Status) -> None:
        self._said = status
        self._show_status()

    def _refuses(self) -> bool:
        """Whether nothing can be sent now; says why."""
        if self._busy:
            self.notify("A reply is on its way: Esc stops it. What you wrote stays here.", timeout=3)
        elif self.workspace.conversation.elsewhere:
            self._say_elsewhere()
        else:
            return False
        return True

    def _lacks_model(self) -> bool:
        """Whether it is known that there is nobody to answer; says so, and looks again."""
        obstacle = self.workspace.connection.obstacle
        if obstacle is not None:
            why = str(obstacle).rstrip(".")
            self.notify(f"Not sent: {why}. Your text is kept.", severity="warning", timeout=5, markup=False)
            self._look_for_server()
        return obstacle is not None

    def _say_elsewhere(self) -> None:
        self.notify(
            "This chat is being answered in another tui-chat. What you wrote stays here until that has ended; "
            "Ctrl+N starts a new chat.",
            timeout=5,
        )

    def _tick(self) -> None:
        if self._live is not None or self.query_one(Header).others != self.workspace.running_elsewhere:
            self._show_status()
        if self.workspace.replying:
            self._heed_stops()

    @work(exclusive=True, group="listen")
    async def _heed_stops(self) -> None:
        await self.workspace.heed_stops()

    def _show_status(self) -> None:
        for header in self.query(Header):
            header.unsaved = self.workspace.unsaved
            header.others = self.workspace.running_elsewhere
        for waiting in self.query(Waiting):
            waiting.prompts = self.workspace.current.queue
            self.composer.waiting = bool(waiting.prompts)
        bar, live = self.query_one(StatusBar), self._live
        bar.status = self._said if live is None else _told(live.reply)
        self._show_keys()

    def _show_keys(self) -> None:
        """The keys that matter now, the first ones most: in an error the one that helps, and that of the help."""
        bar, own = self.query_one(StatusBar), self._services.config.keys
        others = ["help", "command-palette"] if bar.status.error else ["command-palette", "help"]
        if self._live is not None:
            bar.keys = footer(own, ["stop", *others])
            return
        plan = plan_again(self.workspace.conversation)
        keys = footer(own, ["again"], plan.kind) if plan else ()
        if self.workspace.current.held:
            keys = footer(own, ["send-next"]) + keys
        if bar.status.error and plan is None:
            keys = footer(own, ["servers" if self.workspace.connection.error else "models"])
        elif self._writing and not bar.status.error:
            keys = footer(own, ["new-line"]) + keys
        bar.keys = keys + footer(own, [*others, "chats", "models"])

    @on(Composer.Changed)
    def _written(self) -> None:
        """Say how to begin a line, once there is one."""
        writing = bool(self.composer.text)
        if writing is not self._writing:
            self._writing = writing
            self._show_keys()

    # What a person can ask for

    def action_stop(self) -> None:
        """Leave the selected message, else stop the reply: the socket closes, what came stays."""
        if self.transcript.steps.active:
            self.leave_steps()
            self._show_status()
        else:
            self.stop_reply()

    @work(group="stop")
    async def stop_reply(self) -> None:
        """Stop the reply of the chat on screen, wherever it is received."""
        reply = self.workspace.current.reply
        if reply is None or reply.ended:
            return
        try:
            await reply.stop()
        except StoreError as error:
            self._say(Status(str(error), error.hint, error=True))
        else:
            if not isinstance(reply, Generation):
                self.say_aside("asked the other tui-chat to stop", "")

    def action_again(self) -> None:
        """Continue, retry or regenerate the last reply, whichever it needs; or the one that was stepped to."""
        message = self.stepped_to()
        self.leave_steps()
        self.again(message)

    @abstractmethod
    def _show_connection(self) -> None:
        """Show which server and model are talked to, and what is wrong with them, if anything is."""

    @abstractmethod
    def _look_for_server(self) -> None:
        """Look for the server until it is there."""


def _told(reply: Reply) -> Status:
    """How far a reply is."""
    progress, message = reply.progress, reply.message
    if progress is None:
        return _ELSEWHERE if not isinstance(reply, Generation) else Status("saving", busy=True)
    if reply.retry_in is not None and reply.error is not None:
        return Status(f"{reply.error} · again in {reply.retry_in:.0f} s", "Esc stops trying.", error=True)
    return Status(phrases.phase(progress, message.model if message else ""), busy=True)


def _with_key(hint: str) -> str:
    """A hint, and the key that tries again, if it is not named yet."""
    return hint if "Ctrl+R" in hint else f"{hint} Ctrl+R tries again.".lstrip()
