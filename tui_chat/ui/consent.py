"""Asks before a prompt is sent to a model that runs elsewhere, or that does not fit the context window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from tui_chat.chat.context import most_tokens_of, outside, read_in_part, tokens_of
from tui_chat.chat.settings import window_of
from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, Usage
from tui_chat.server import Kind
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.connection import leaving, runs_at
from tui_chat.ui.dialogs.ask import ConfirmScreen
from tui_chat.ui.dialogs.dialog import or_cancel

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Consent:
    """Whether prompts may leave this machine: asked once for each host, and kept in the store."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._given: set[str] = set()

    @property
    def lacking(self) -> str:
        """The host that runs the present model, if nobody has agreed to it in this run."""
        connection = self._screen.workspace.connection
        host = runs_at(connection.model, connection.models)
        return "" if host in self._given else host

    async def ask(self, then: Callable[[], object]) -> None:
        """Carry on with a prompt to the present model, if the user agrees."""
        if await self.given(self._screen.workspace.connection.model, self.lacking):
            then()

    async def given(self, model: str, host: str) -> bool:
        """Whether a model may be used; asks if that is not known. `host` is empty for one that runs here."""
        choices, keys = self._screen.workspace.choices, self._screen.keys
        if host and host not in self._given and not await choices.agreed(host):
            hint = or_cancel("go on, and do not ask again")
            if not await self._screen.ask(ConfirmScreen(keys, leaving(model, host), hint)):
                return False
            await choices.agree(host)
        self._given.add(host)
        return True


class Fit:
    """Compares what is to be sent with the context window. Asks the server only where an estimate does not do."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._workspace = screen.workspace
        self._agreed: set[tuple[str, int]] = set()
        """The chats that are sent anyway, and their windows."""

    def surely(self, text: str) -> bool:
        """Whether nothing need be asked before a prompt is sent, by estimates alone."""
        window, chat = window_of(self._workspace), self._workspace.conversation.chat
        if window is None or (chat.id, window) in self._agreed:
            return True
        branch, backend = self._branch(text), self._workspace.connection.backend
        if most_tokens_of(branch, chat.system) < window:
            return True
        counts = isinstance(backend, HttpBackend) and "count" in backend.verbs
        return not counts and tokens_of(branch, chat.system) < window

    async def agreed(self, text: str) -> bool:
        """Whether a prompt fits by the server's own count, else by the estimate, or is to be sent anyway."""
        screen, chat, window = self._screen, self._workspace.conversation.chat, window_of(self._workspace)
        branch = self._branch(text)
        screen.status.say_aside("counting tokens", busy=True)
        counted = await self._counted(branch)
        screen.status.show()
        tokens = tokens_of(branch, chat.system) if counted is None else counted
        if window is None or tokens < window:
            return True
        model, about = self._workspace.connection.model, "about " if counted is None else ""
        size = f"This takes {about}{tokens:,} tokens, and {model} sees {window:,}"
        text = f"{size}: {self._meaning(branch, chat.system, window)}"
        hint = "{accept} send it anyway · {close} back to the text"
        if not await screen.ask(ConfirmScreen(screen.keys, "Too long for the context window", hint, text)):
            return False
        self._agreed.add((chat.id, window))
        return True

    def left_out(self) -> str:
        """That the server has left out the beginning of the last prompt, if so."""
        workspace = self._workspace
        branch, chat, window = workspace.conversation.branch, workspace.conversation.chat, window_of(workspace)
        if not read_in_part(branch, chat.system, window):
            return ""
        read, sent = (branch[-1].usage or Usage()).prompt_tokens or 0, tokens_of(branch[:-1], chat.system)
        of = f" of about {sent:,} tokens" if sent > read else " tokens, which is all that it sees"
        words = f"The model has read {read:,}{of}: the beginning was left out."
        return f"{words} {self._screen.keys['context']} makes room."

    def _branch(self, text: str) -> list[Message]:
        """The messages to send, with a prompt that is not sent yet."""
        conversation, edited = self._workspace.conversation, self._screen.edit.prompt
        above = takewhile(lambda message: edited is None or message.id != edited.id, conversation.branch)
        found = (each for each in self._screen.attachments.found if each.trouble is None)
        return [*above, conversation.prompt(text, edited, [each.unread() for each in found])]

    async def _counted(self, branch: list[Message]) -> int | None:
        workspace = self._workspace
        conversation, backend = workspace.conversation, workspace.connection.backend
        if not isinstance(backend, HttpBackend) or any(file.blob.data is None for file in branch[-1].files):
            return None
        reply = Message(Role.ASSISTANT, parent=branch[-1].parent, model=workspace.connection.model)
        try:
            request = await conversation.request(reply)
        except StoreError:  # its files are lost: sending it tells
            return None
        return await backend.count(replace(request, messages=(*request.messages, branch[-1])))

    def _meaning(self, branch: list[Message], system: str, window: int) -> str:
        """What happens to a prompt that does not fit, and what helps."""
        helps = self._screen.keys.hint(
            "Back there, {context} gives a larger window, or starts a fresh chat from a summary."
        )
        if self._workspace.connection.backend.server.kind is not Kind.OLLAMA:
            return f"the server may refuse it. {helps}"
        lost = outside(branch, system, window)
        what = f"the first {lost} of {len(branch)} messages" if lost > 1 else "the beginning"
        return f"the server leaves out {what} without saying so. {helps}"
