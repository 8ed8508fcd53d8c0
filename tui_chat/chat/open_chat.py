"""A chat that is open, on screen or not."""

from __future__ import annotations

import time
from dataclasses import replace

from tui_chat.chat.conversation import Conversation
from tui_chat.chat.generation import Generation, Reply
from tui_chat.messages import Message, State
from tui_chat.servers.connection import Connection


class OpenChat:
    """A chat that is open: its tree, its server and model, its reply, and what waits for that."""

    def __init__(self, conversation: Conversation, connection: Connection) -> None:
        self.conversation = conversation
        self.connection = connection
        self.reply: Reply | None = None
        """The last one that was received, or is being received, since it was opened."""
        self.seen = True
        """Whether somebody has looked at it since its reply ended."""

    @property
    def busy(self) -> bool:
        """Whether it is being answered, here or elsewhere."""
        return self.reply is not None and not self.reply.ended

    @property
    def replying(self) -> bool:
        """Whether it is being answered by this process."""
        return self.busy and isinstance(self.reply, Generation)

    @property
    def queue(self) -> tuple[str, ...]:
        """The prompts that wait to be sent, the next one first."""
        return self.conversation.chat.queue

    @property
    def held(self) -> bool:
        """Whether prompts wait that are not sent by themselves: the reply before them did not become whole."""
        return bool(self.queue) and not self.replying

    def signed(self, reply: Message) -> Message:
        """A reply that begins now, by the model that is chosen."""
        connection = self.connection
        return replace(reply, model=connection.model, server=connection.server.label, created=time.time())

    def abandon(self, reply: Message) -> Message:
        """A reply that was stopped before it was asked for. One of which nothing is there is not shown."""
        stopped = replace(reply, state=State.STOPPED)
        if self.conversation.chat.leaf == reply.id:
            self.conversation.keep_soon(stopped)
            if not reply.text and not reply.thinking:
                self.conversation.go_back(reply.parent)
        return stopped
