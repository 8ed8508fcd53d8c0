"""The context window: what takes it, a larger one, a fresh chat from a summary."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal

from textual import work
from textual.content import Content
from textual.widget import Widget

from tui_chat.chat.context import shares_of
from tui_chat.chat.settings import window_of
from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ReplyError
from tui_chat.messages import Model
from tui_chat.servers.connection import find
from tui_chat.servers.dialects import taken_by
from tui_chat.text.figures import size
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.phrases import count
from tui_chat.ui.widgets.clickable import Hint

_SMALLEST: Final = 1024
_LARGEST: Final = 262_144
"""Tokens that are offered at most where the model's own maximum is not known."""
Wish = int | Literal["summary", "linked"]
"""A context window in tokens, a fresh chat from a summary, or the chat that this one is linked to."""


class ContextScreen(Dialog[Wish]):
    """Shows figures; answers what is to be done about them."""

    BINDINGS = bindings(Scope.CONTEXT)

    def __init__(self, keys: Keymap, workspace: Workspace) -> None:
        connection, linked = workspace.connection, workspace.current.linked
        hint = "{context-summary} fresh chat from a summary · " + "{context-linked} go there · " * bool(linked)
        super().__init__(keys, "Context window", hint + "{close} close")
        self._workspace = workspace
        self._linked = linked.words if linked else ""
        self._window = self._wanted = window_of(workspace) or 0
        self._model = find(connection.model, connection.models) or Model(connection.model)
        self._can_raise = "num_ctx" in taken_by(connection.backend.server)

    def body(self) -> Iterable[Widget]:
        """The figures."""
        yield Hint(self._figures(), id="context-figures")

    def on_mount(self) -> None:
        """Keep the figures right, and ask for those of the model."""
        self.set_interval(1.0, self._show)
        self._learn()

    @work(group="describe")
    async def _learn(self) -> None:
        with suppress(ReplyError):
            told = await self._workspace.connection.backend.describe(self._model.name)
            self._model = replace(told, context_window=told.context_window or self._model.context_window)
            self._show()

    def choose(self, step: int) -> None:
        """Choose the next larger window (1), or the next smaller one (-1)."""
        sizes = sizes_for(self._window, self._model.context_window)
        if self._can_raise:
            others = [each for each in sizes if (each - self._wanted) * step > 0]
            self._wanted = (min if step > 0 else max)(others, default=self._wanted)
            self._show()

    def answer(self, wish: Literal["summary", "linked"]) -> None:
        """Close with a wish."""
        if wish == "summary" or self._linked:
            self.dismiss(wish)

    def accept(self) -> None:
        """Use the chosen window."""
        self.dismiss(self._wanted if self._wanted != self._window else None)

    def _show(self) -> None:
        for figures in self.query("#context-figures").results(Hint):
            figures.say(self._figures())

    def _figures(self) -> Content:
        window, most, conversation = self._window, self._model.context_window, self._workspace.conversation
        taken = shares_of(conversation.branch, conversation.chat.system)
        share = f" · {min(9.99, taken.total / window):.0%}" if window else ""
        named = {"system prompt": taken.system, "messages": taken.messages, "files": taken.files}
        parts = [f"{name} {count(tokens)}" for name, tokens in named.items() if tokens]
        rows = {
            "Used": f"{'' if taken.counted else 'about '}{taken.total:,} token{'s' * (taken.total != 1)}{share}",
            "": " · ".join(parts) if len(parts) > 1 else "",
            "Window": f"{window:,} tokens" if window else "not known yet",
            "Model": f"at most {most:,} tokens" if most else "its maximum is not known",
            "Chat": self._linked,
        }
        lines = "".join(f"{name:<8} {words}\n" for name, words in rows.items() if words)
        return Content.assemble(lines, "\n", self._offer())

    def _offer(self) -> Content:
        """What the keys for the window do, or what the chosen one costs."""
        if not self._can_raise:
            return Content("This server sets the window when it loads the model.")
        sizes = sizes_for(self._window, self._model.context_window)
        ways = ["{context-raise} larger"] * (sizes[-1] > self._wanted)
        ways += ["{context-lower} smaller"] * (sizes[0] < self._wanted)
        if self._wanted == self._window:
            return self.keys.line(" · ".join(ways) + " window" * bool(ways))
        added, each = self._wanted - self._window, self._model.token_bytes
        memory = f", roughly {size(abs(added) * each)} {'more' if added > 0 else 'less'} memory" if each else ""
        cost = f"{self._wanted:,} tokens for this chat: reloads the model{memory}.\n"
        return cost + self.keys.line(" · ".join(["{accept} use it", *ways]))


def sizes_for(window: int | None, most: int | None) -> list[int]:
    """The windows to offer: powers of two up to the model's maximum, and that itself."""
    limit = most or max(_LARGEST, window or 0)
    powers = [1 << power for power in range(_SMALLEST.bit_length() - 1, limit.bit_length())]
    return sorted({*(each for each in powers if each <= limit), limit})
