"""One reply at a time: the worker that carries tokens from the socket to the log, and what the bar says of it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Final

from textual import on, work
from textual.worker import WorkerError

from tui_chat.conversation.again import Again, Plan, plan_again
from tui_chat.conversation.progress import Phase
from tui_chat.conversation.session import Session
from tui_chat.conversation.turn import Turn
from tui_chat.errors import ChatError
from tui_chat.messages import Message, Role
from tui_chat.tasks import start_task
from tui_chat.ui import phrases
from tui_chat.ui.commands import footer
from tui_chat.ui.gauge import Gauge
from tui_chat.ui.live import LiveReply
from tui_chat.ui.screens.reading import Reading
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.status import Status, StatusBar
from tui_chat.ui.widgets.welcome import Welcome

_ELSEWHERE: Final = Status("being answered in another tui-chat", "Esc stops it", busy=True)


class Replying(Reading):
    """The model's half of the chat screen."""

    def __init__(self, services: Services, session: Session) -> None:
        super().__init__(services)
        self.session = session
        self._live: LiveReply | None = None
        self._asking: asyncio.Future[Plan | None] | None = None
        self._instead: Message | None = None
        """The prompt that is being written anew."""
        self._said = Status("looking for a server", busy=True)
        self._phase: Phase | None = None
        self._writing = False
        """Whether something is written in the composer."""
        self._gauge = Gauge(session)

    @property
    def _busy(self) -> bool:
        return any(worker.group == "reply" and not worker.is_finished for worker in self.workers)

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if self._refuses() or self._lacks_model():
            self.composer.take_back(event.text)
        else:
            self._begin(self._asked(event.text))

    def again(self, message: Message | None = None) -> None:
        """Continue, retry or regenerate a reply, whichever it needs; without one, the last."""
        if not self._refuses():
            self._begin(self._planned(message))

    def _begin(self, asking: Coroutine[None, None, Plan | None]) -> None:
        """Reply to what is asked. The asking ends whatever becomes of the reply: Esc does not undo a commit."""
        self._asking = start_task(asking)
        self.reply(self._asking)

    async def _asked(self, text: str) -> Plan | None:
        """A prompt, committed and shown, and the plan to answer it; None if it is not its turn."""
        self.say_aside("saving", "", busy=True)  # seen only where the disk is slow
        if not await self._is_next():
            self.composer.take_back(text)
            return None
        instead, self._instead = self._instead, None
        prompt, plan = await self.session.ask(text, instead)
        if instead is None:
            self.transcript.add(prompt)
            self.show_log()
        else:
            self.show_branch()
        self._show_status()
        self._show_gauge()
        return plan

    async def _planned(self, message: Message | None) -> Plan | None:
        """What is to be done again, after what another tui-chat may have done meanwhile."""
        if not await self._is_next():
            return None
        plan = plan_again(self.session.conversation, message)
        if plan is None:
            self.notify("There is no reply to try again yet.", timeout=3)
        return plan

    @work(exclusive=True, group="reply")
    async def reply(self, asked: asyncio.Future[Plan | None]) -> None:
        """Carry out the plan that is asked for: the worker that carries tokens from the socket to the log."""
        conversation = self.session.conversation
        before = conversation.chat.leaf
        try:
            plan = await asyncio.shield(asked)
            if plan is None:
                return
            self.transcript.follow()
            turn = await self.session.turn(plan)
        except asyncio.CancelledError:
            asked.add_done_callback(self._abandon)
            raise
        except ChatError as error:
            self._say(Status(str(error), _with_key(error.hint), error=True))
            self._look_for_server()
            return
        self.transcript.drop_below(plan.reply.parent)
        live = self._live = LiveReply(turn, self.transcript, self._interval)
        self._show_connection()
        try:
            self._show_status()
            async with aclosing(self.session.events(turn)) as events:
                async for event in events:
                    await live.take(event)
                    self._watch_phase()
        finally:
            self._live = None
            if self.is_running:  # the program may be ending, with nothing left to show it on
                live.close(conversation.numbered().get(turn.message.id))
                self._ended(turn.message, turn.error)
                if plan.kind is Again.REGENERATE and not turn.started:  # the version before is better than none
                    conversation.go_back(before)
                    self.show_branch()

    def _abandon(self, asked: asyncio.Future[Plan | None]) -> None:
        """What was asked for was stopped before there was anything to receive."""
        if not asked.cancelled() and asked.exception() is None and (plan := asked.result()) is not None:
            self.session.abandon(plan)
            self._show_status()

    async def _is_next(self) -> bool:
        """Whether a prompt can be sent now, after what another tui-chat may have said in this chat meanwhile."""
        conversation = self.session.conversation
        await self.session.catch_up()
        if [entry.message.id for entry in self.transcript.entries] != [
            message.id for message in conversation.branch
        ]:
            self.show_branch()
            self.notify("Another tui-chat has gone on with this chat: this is how it stands.", timeout=5)
        if conversation.elsewhere:
            self._say_elsewhere()
        return not conversation.elsewhere

    def _interval(self) -> float:
        return float(getattr(self.app._driver, "frame_interval", 0.05))

    def _ended(self, message: Message, error: ChatError | None) -> None:
        if error is not None:
            self._say(Status(str(error), _with_key(error.hint), error=True))
        elif trouble := self.session.conversation.trouble:
            self._say(Status(str(trouble), trouble.hint, error=True))
        else:
            self._say(Status(phrases.summary(message)))
        self._measure()

    @work(exclusive=True, group="measure")
    async def _measure(self) -> None:
        """A model that was just loaded tells its context window now."""
        self._show_gauge()
        await self.session.connection.measure()
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
        conversation = self.session.conversation
        self.transcript.show(conversation.branch, conversation.numbered())
        self.show_log()

    def show_log(self) -> None:
        """Show the log or, where it is empty, the welcome; and offer what was said to the Up key."""
        branch = self.session.conversation.branch
        self.composer.remember(message.text for message in branch if message.role is Role.USER)
        empty = not self.transcript.entries
        self.query_one(Welcome).display = empty
        self.transcript.display = not empty
        self.query_one(Header).title = self.session.conversation.chat.title

    def _say(self, status: Status) -> None:
        self._said = status
        self._show_status()

    def _refuses(self) -> bool:
        """Whether nothing can be sent now; says why."""
        if self._busy:
            self.notify("A reply is on its way: Esc stops it. What you wrote stays here.", timeout=3)
        elif self.session.conversation.elsewhere:
            self._say_elsewhere()
        else:
            return False
        return True

    def _lacks_model(self) -> bool:
        """Whether it is known that there is nobody to answer; says so, and looks again."""
        obstacle = self.session.connection.obstacle
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

    def _watch_phase(self) -> None:
        """A new phase is said at once; figures within it wait for the next second."""
        live = self._live
        if live is not None and live.turn.progress.phase is not self._phase:
            self._show_status()

    def _tick(self) -> None:
        if self._live is not None:
            self._show_status()
            self._listen(self._live.turn.id)

    @work(exclusive=True, group="listen")
    async def _listen(self, reply: str) -> None:
        """Stop a reply if another tui-chat, which watches it grow, asks for that."""
        if await self.session.is_asked_to_stop(reply):
            self.stop_reply()

    def _show_status(self) -> None:
        for header in self.query(Header):
            header.unsaved = self.session.unsaved
        bar, live = self.query_one(StatusBar), self._live
        if live is None:
            bar.status = _ELSEWHERE if self.session.conversation.elsewhere else self._said
        else:
            bar.status = _told(live.turn)
            self._phase = live.turn.progress.phase
        self._show_keys()

    def _show_keys(self) -> None:
        """The keys that matter now, the first ones most: in an error the one that helps, and that of the help."""
        bar, own = self.query_one(StatusBar), self._services.config.keys
        others = ["help", "command-palette"] if bar.status.error else ["command-palette", "help"]
        if self._live is not None:
            bar.keys = footer(own, ["stop", *others])
            return
        plan = plan_again(self.session.conversation)
        keys = footer(own, ["again"], plan.kind) if plan else ()
        if bar.status.error and plan is None:
            keys = footer(own, ["servers" if self.session.connection.error else "models"])
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
        """Stop the reply: the socket closes, what came stays. Leave what was stepped to."""
        if self.transcript.steps.active:
            self.leave_steps()
            self._show_status()
        else:
            self.stop_reply()

    def stop_reply(self) -> None:
        """Let the reply's worker end: the socket closes at once."""
        self.workers.cancel_group(self, "reply")

    def action_again(self) -> None:
        """Continue, retry or regenerate the last reply, whichever it needs; or the one that was stepped to."""
        message = self.stepped_to()
        self.leave_steps()
        self.again(message)

    async def _rest(self) -> None:
        """Wait until the reply has ended and is on disk, or was tried."""
        if self._asking is not None:
            await asyncio.wait([self._asking])
        for worker in [worker for worker in self.workers if worker.group == "reply"]:
            with suppress(WorkerError):
                await worker.wait()

    @abstractmethod
    def _show_connection(self) -> None:
        """Show which server and model are talked to, and what is wrong with them, if anything is."""

    @abstractmethod
    def _look_for_server(self) -> None:
        """Look for the server until it is there."""


def _told(turn: Turn) -> Status:
    """How far a reply is."""
    if turn.retry_in is not None and turn.error is not None:
        return Status(f"{turn.error} · again in {turn.retry_in:.0f} s", "Esc stops trying.", error=True)
    return Status(phrases.phase(turn.progress, turn.message.model), busy=True)


def _with_key(hint: str) -> str:
    """A hint, and the key that tries again, if it is not named yet."""
    return hint if "Ctrl+R" in hint else f"{hint} Ctrl+R tries again.".lstrip()
