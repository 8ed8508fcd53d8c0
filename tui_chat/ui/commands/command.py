"""What a command is: one function, with all that bindings, palette, slash commands and help have to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode


class Scope(StrEnum):
    """Where a command's keys count."""

    APP = "app"
    CHAT = "chat"
    COMPOSER = "composer"
    LOG = "log"
    """While a message is selected."""
    DIALOG = "dialog"
    """In everything that opens over the chat."""
    VIEW = "view"
    """In dialogs that are only read."""
    LINK = "link"
    LIST = "list"
    CHATS = "chats"
    SERVERS = "servers"
    FORM = "form"
    FIND = "find"


_IN_TURN: Final = (Scope.COMPOSER, Scope.LOG, Scope.DIALOG, Scope.VIEW, Scope.LINK)
"""Keys of these wait until the keys before them are in the text; all others go before a focused widget's."""
_UNBOUND: Final = 24
"""A function key that no keyboard has stands for no key: a binding cannot be without one."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What may follow a slash command; left out, it is asked for or not needed."""

    name: str
    completer: Callable[[Any], Iterable[str]] = lambda _: ()
    """Takes the screen; gives all values there are to choose from."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can ask for."""

    function: Callable[..., object]
    """Takes what its scope says (app, chat screen or dialog) and, as text, its argument if it has one."""
    id: str
    """Its name in the config."""
    title: str
    help: str
    keys: str = ""
    """Default keys, comma-separated, by Textual's names."""
    scope: Scope = Scope.CHAT
    footer: str = ""
    """A word for the status bar, if it stands there."""
    slash: str = ""
    """Its name as a slash command, with the slash."""
    argument: Argument | None = None

    @property
    def binding(self) -> Binding:
        """Its keys, changeable by its id; they start it at the node that has them."""
        keys, urgent = self.keys or f"f{_UNBOUND}", self.scope not in _IN_TURN
        return Binding(keys, f"command('{self.id}')", self.title, show=False, priority=urgent, id=self.id)


def command(  # noqa: PLR0913  a record's fields
    id: str,
    title: str,
    help: str,
    keys: str = "",
    scope: Scope = Scope.CHAT,
    *,
    footer: str = "",
    slash: str = "",
    argument: Argument | None = None,
) -> Callable[[Callable[..., object]], Command]:
    """Make a command of a function."""
    return lambda function: Command(function, id, title, help, keys, scope, footer, slash, argument)


def commands_of(module: ModuleType) -> tuple[Command, ...]:
    """The commands of a module, in the order in which they are written."""
    return tuple(value for value in vars(module).values() if isinstance(value, Command))


def carry_out(command: Command, owner: DOMNode, argument: str = "") -> None:
    """Start a command, unless it takes its time and is still at it."""
    arguments = (owner, argument) if command.argument else (owner,)
    if not iscoroutinefunction(command.function):
        command.function(*arguments)
    elif all(work.is_finished for work in owner.workers if (work.group, work.node) == (command.id, owner)):
        begun: Any = partial(command.function, *arguments)
        owner.run_worker(begun, group=command.id)
