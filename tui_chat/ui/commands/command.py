"""What a command is: a function, and what bindings, palette, slash commands and help need to know about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import StrEnum
from inspect import iscoroutine
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode

from tui_chat.errors import ChatError
from tui_chat.ui.completion import Candidate


class Scope(StrEnum):
    """Where a command's keys work."""

    APP = "app"
    CHAT = "chat"
    COMPOSER = "composer"
    COMPLETION = "completion"
    """While the composer shows candidates; these keys go before those of the composer."""
    SELECT = "select"
    """Between composer and log; what the composer makes of them goes first."""
    LOG = "log"
    """While a message is selected."""
    DIALOG = "dialog"
    """In every dialog."""
    VIEW = "view"
    """In dialogs that only show something."""
    LINK = "link"
    LIST = "list"
    CHATS = "chats"
    SERVERS = "servers"
    MODELS = "models"
    FORM = "form"
    FIND = "find"
    CONTEXT = "context"


OF_DIALOGS: Final = frozenset(Scope) - {
    Scope.APP, Scope.CHAT, Scope.COMPOSER, Scope.COMPLETION, Scope.SELECT, Scope.LOG,
}  # fmt: skip
"""Scopes whose commands are carried out by a dialog, and by no other screen."""
_IN_TURN: Final = (
    Scope.COMPOSER, Scope.COMPLETION, Scope.SELECT, Scope.LOG, Scope.DIALOG, Scope.VIEW, Scope.LINK, Scope.CONTEXT,
)  # fmt: skip
"""Scopes whose keys are handled in order with typed text; keys of other scopes precede the focused widget's."""
_UNBOUND: Final = "f24"
"""A key that no keyboard has: Textual's bindings need one."""


Values = Iterable[str] | Iterable[Candidate]


@dataclass(frozen=True, slots=True)
class Argument:
    """What may follow a slash command. Without it, the command asks or does without."""

    name: str
    completer: Callable[[Any], Values | Awaitable[Values]] = lambda _: ()
    """Takes the screen; returns known values."""
    required: bool = False
    free: bool = False
    """Whether a value that is not known is as good."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do."""

    function: Callable[..., object]
    """Takes the app, chat screen, composer or dialog (see its scope) and, if it has one, its argument as text."""
    id: str
    """Its name in the config."""
    title: str
    help: str
    keys: str = ""
    """Default keys, comma-separated, by Textual's names."""
    scope: Scope = Scope.CHAT
    footer: str = ""
    """Its label in the status bar."""
    slash: str = ""
    """Its names as a slash command, comma-separated, with the slash, the best one first."""
    argument: Argument | None = None
    offered: Callable[[Any], bool] = lambda _: True
    """Takes the screen; returns whether it makes sense now."""

    @property
    def slashes(self) -> tuple[str, ...]:
        """Its names as a slash command."""
        return tuple(filter(None, self.slash.split(",")))

    @property
    def binding(self) -> Binding:
        """Its keys, which the config changes by its id."""
        keys, urgent = self.keys or _UNBOUND, self.scope not in _IN_TURN
        return Binding(keys, f"command('{self.id}')", self.title, show=False, priority=urgent, id=self.id)


def _raise(error: ChatError) -> None:
    raise error


def carry_out(
    command: Command,
    owner: DOMNode,
    argument: str = "",
    failed: Callable[[ChatError], None] = _raise,
    *,
    once: bool = True,
) -> bool:
    """Start a command; False if it may be at work only `once`, and is. `failed` is told why it cannot be done."""
    group = f"command {command.id}"
    if once and any((each.group, each.node) == (group, owner) for each in owner.workers if not each.is_finished):
        return False

    async def finish(work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except ChatError as error:
            failed(error)

    try:
        begun = command.function(owner, *([argument] if command.argument else []))
    except ChatError as error:
        failed(error)
    else:
        if iscoroutine(begun):
            owner.run_worker(finish(begun), group=group)
    return True
