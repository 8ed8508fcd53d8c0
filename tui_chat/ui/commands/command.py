"""What a command is: a function, and what bindings, palette, slash commands and help need to know about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode


class Scope(StrEnum):
    """Where a command's keys work."""

    APP = "app"
    CHAT = "chat"
    COMPOSER = "composer"
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
    FORM = "form"
    FIND = "find"


_IN_TURN: Final = (Scope.COMPOSER, Scope.LOG, Scope.DIALOG, Scope.VIEW, Scope.LINK)
"""Scopes whose keys are handled in order with typed text; keys of other scopes precede the focused widget's."""
_UNBOUND: Final = "f24"
"""A key that no keyboard has: Textual's bindings need one."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What may follow a slash command. Without it, the command asks or does without."""

    name: str
    completer: Callable[[Any], Iterable[str]] = lambda _: ()
    """Takes the screen; returns all possible values."""


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
    """Its name as a slash command, with the slash."""
    argument: Argument | None = None

    @property
    def binding(self) -> Binding:
        """Its keys, which the config changes by its id."""
        keys, urgent = self.keys or _UNBOUND, self.scope not in _IN_TURN
        return Binding(keys, f"command('{self.id}')", self.title, show=False, priority=urgent, id=self.id)


def carry_out(command: Command, owner: DOMNode, argument: str = "") -> None:
    """Start a command, unless it is a coroutine that still runs."""
    arguments = (owner, argument) if command.argument else (owner,)
    if not iscoroutinefunction(command.function):
        command.function(*arguments)
    elif all(work.is_finished for work in owner.workers if (work.group, work.node) == (command.id, owner)):
        begun: Any = partial(command.function, *arguments)
        owner.run_worker(begun, group=command.id)
