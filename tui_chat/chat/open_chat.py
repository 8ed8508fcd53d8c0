"""A chat that is open, on screen or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tui_chat.attachments.prompt import attach_mentioned, not_there
from tui_chat.attachments.threads import DiskThreads
from tui_chat.chat.choices import Choices
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.generation import Generation, Hear, Prepare
from tui_chat.chat.reply import RemoteReply
from tui_chat.chat.retry import ReplyPlan, RetryKind, answer_to, plan_again
from tui_chat.errors import StoreError
from tui_chat.messages import Message
from tui_chat.parts import File, Image
from tui_chat.servers.connection import Connection
from tui_chat.store.values import ChatFields
from tui_chat.text.sanitize import clean_line

_LINK: Final = "linked "
"""Prefix of the settings that hold the links of chats, by id."""
Reply = Generation | RemoteReply
"""A reply, received here or by another tui-chat: its present `message`, and its `changes`."""
Start = Callable[[Coroutine[Any, Any, None], str], object]
"""Starts a coroutine as a task in the named group, and returns the handle."""


@dataclass(frozen=True, slots=True)
class Link:
    """Another chat that a chat continues, or that continues it."""

    chat: str
    """Its id."""
    words: str
    """What it is, in a few words with its title."""


class OpenChat:
    """An open chat: its conversation, server and model, reply, and waiting prompts."""

    def __init__(
        self,
        conversation: Conversation,
        connection: Connection,
        choices: Choices,
        start: Start,
        clock: Callable[[], float] = time.monotonic,
        disk: DiskThreads | None = None,
    ) -> None:
        """`disk` reads the files that prompts mention; without it there is one question, and no prompt waits."""
        self._disk = disk
        self._choices = choices
        self._start = start
        self._clock = clock
        self.conversation = conversation
        self.connection = connection
        self._running: object = None
        """The reply's task: the event loop keeps only a weak reference."""
        self.reply: Reply | None = None
        """The last reply since the chat was opened, ended or not."""
        self.linked: Link | None = None
        self.shown = False
        """Whether it is on screen."""
        self.seen = True
        """Whether it was on screen since its reply ended."""
        self.notice = ""
        """A notice to show once."""
        self.unsent = ""
        """A prompt whose files are being read: until it is committed, it belongs to the draft."""

    @property
    def busy(self) -> bool:
        """Whether this or another process is receiving a reply."""
        return self.reply is not None and not self.reply.ended

    @property
    def generation(self) -> Generation | None:
        """The reply that this process is receiving, if any."""
        return self.reply if isinstance(self.reply, Generation) and not self.reply.ended else None

    @property
    def unfinished(self) -> bool:
        """Whether it must stay open: it is busy, has an unseen reply, or is not all on disk."""
        return self.busy or not self.seen or self.conversation.trouble is not None

    @property
    def queue(self) -> tuple[str, ...]:
        """The prompts that wait to be sent, the next one first."""
        return self.conversation.chat.queue

    @property
    def held(self) -> bool:
        """Whether prompts wait for the user, because the reply before them is not complete."""
        return bool(self.queue) and self.generation is None

    def send(
        self,
        text: str,
        instead: Message | None = None,
        *,
        form: str | Mapping[str, object] = "",
        attached: Iterable[File | Image] = (),
        hear: Hear | None = None,
    ) -> Generation:
        """Send a prompt, maybe `instead` of another, and have it answered.

        Args:
            form: of the answer, as `ReplyPlan.format`.
            attached: files, besides those that the prompt mentions.
            hear: as for `Generation`.
        """

        files = list[File | Image](attached)

        def plan() -> ReplyPlan:
            fields, self.unsent = ChatFields(draft=self._draft_after(text)), ""
            prompt = self.conversation.prompt(text, instead, files)
            return ReplyPlan(RetryKind.RETRY, answer_to(prompt), prompt, fields, format=form)

        self.unsent = text
        return self._generate(plan, hear, self._reading(text, files))

    def again(self, message: Message | None = None, *, hear: Hear | None = None) -> Generation:
        """Continue, retry or regenerate a reply, whichever it needs; without one, the last."""
        return self._generate(lambda: plan_again(self.conversation, message), hear)

    def enqueue(self, text: str) -> None:
        """Add a prompt to the end of the queue."""
        waited = self.queue
        self.conversation.enqueue(text)
        if not waited:
            self._go_on()  # if the reply has just ended, nothing else would send it

    def unqueue(self, index: int = -1) -> str:
        """Remove a waiting prompt, by default the last, and return its text; empty if there is none."""
        return self.conversation.unqueue(index) if -len(self.queue) <= index < len(self.queue) else ""

    async def send_next(self) -> None:
        """Send the next waiting prompt now; a running reply is stopped and kept."""
        if self.generation is not None:
            await self.generation.stop()
        self._go_on()

    def _go_on(self) -> None:
        """Send the next waiting prompt; it leaves the queue in the transaction that makes it a message."""

        def plan() -> ReplyPlan | None:
            if self.queue[:1] != (first,):  # it was taken back, or another tui-chat has sent it
                return None
            prompt = self.conversation.prompt(first, None, files)
            return ReplyPlan(RetryKind.RETRY, answer_to(prompt), prompt, waited=True)

        if self.queue and not self.busy:
            first, files = self.queue[0], list[File | Image]()
            self._generate(plan, prepare=self._reading(first, files))

    def _reading(self, text: str, files: list[File | Image]) -> Prepare | None:
        """Adds the files that a prompt mentions to `files`; None if it mentions none."""
        disk = self._disk
        if disk is None or "@" not in text:
            return None

        async def read() -> None:
            found, gone = await disk.run(lambda stop: (attach_mentioned(text, stop), not_there(text)))
            files.extend(found)
            self.notice = gone or self.notice

        return read

    def _draft_after(self, text: str) -> str:
        """The draft after a prompt has been sent: what was typed since."""
        draft = self.conversation.chat.draft
        if draft.startswith(f"{text}\n"):
            return draft[len(text) + 1 :]
        return "" if self.shown or draft == text else draft

    def _generate(
        self, plan: Callable[[], ReplyPlan | None], hear: Hear | None = None, prepare: Prepare | None = None
    ) -> Generation:
        async def begin() -> ReplyPlan | None:
            return plan() if await self.catch_up() else None

        reply = Generation(self.conversation, self.connection, self._choices, begin, hear=hear, clock=self._clock)
        reply.prepare = prepare
        self._receive(reply)
        return reply

    def watch(self) -> None:
        """Follow the reply that another tui-chat receives here, if there is one."""
        if self.conversation.elsewhere and not self.busy:
            self._receive(RemoteReply(self.conversation))

    def _receive(self, reply: Reply) -> None:
        self.reply = reply

        async def receive() -> None:
            try:
                await reply.run()
            finally:
                self.unsent = ""
                self.seen = self.seen and self.shown
            message = reply.message
            whole = message is not None and not message.unfinished and reply.error is None
            if whole and self._disk is not None and isinstance(reply, Generation):
                self._go_on()

        self._running = self._start(receive(), f"reply {self.conversation.chat.id}")

    async def follow_on(self, earlier: OpenChat, draft: str) -> None:
        """Let this new chat, with a prompt to edit, continue an earlier one with its settings; both are linked."""
        before, now = earlier.conversation.chat, self.conversation.chat
        title = before.title or "an earlier chat"
        short = clean_line(title, 40)
        self.linked = Link(before.id, f"Continues “{short}”")
        earlier.linked = Link(now.id, f"Goes on in “{short}”, from a summary")
        links = ((now.id, self.linked), (before.id, earlier.linked))
        settings = {f"{_LINK}{id}": f"{link.chat} {link.words}" for id, link in links}
        system, parameters = before.system, before.parameters
        note = self.conversation.note
        await note(title=title, draft=draft, system=system, parameters=parameters, settings=settings)

    async def find_link(self) -> None:
        """Learn which chat this one is linked to."""
        with suppress(StoreError):
            kept = await self.conversation.store.recall(f"{_LINK}{self.conversation.chat.id}")
            chat, _, words = kept.partition(" ")
            self.linked = Link(chat, words) if chat else None

    async def catch_up(self) -> bool:
        """Learn what another tui-chat has said here meanwhile; whether none is answering it."""
        conversation = self.conversation
        before = [message.id for message in conversation.branch]
        with suppress(StoreError):  # a chat that is not on disk is nobody else's
            await conversation.catch_up()
        if before != [message.id for message in conversation.branch]:
            self.notice = "This chat was continued in another window; updated."
        return not conversation.elsewhere
