"""Slash commands in the composer: carried out, refused where there is none, and completed as one types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from tui_chat.errors import ChatError, ConfigError, StoreError
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import near
from tui_chat.ui.commands.command import Command, Values
from tui_chat.ui.commands.slash import incomplete, is_command, prompt_of, split
from tui_chat.ui.commands.table import BY_SLASH, COMMANDS
from tui_chat.ui.completion import Candidate, Completion, ranked

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Slash:
    """Sends what is typed: commands to their functions, all else as prompts."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._refused = ""
        """The text that was not sent last, since it names no command."""

    def send(self, text: str) -> None:
        """Carry out a command, or send a prompt. What cannot be done stays in the composer."""
        self._screen.remarks.drop()
        if not is_command(text) or text == self._refused:
            self._refused = ""
            if (prompt := prompt_of(text).strip("\n")).strip():
                self._screen.replies.send(prompt)
            return
        name, rest = split(text, BY_SLASH)
        command, argument = BY_SLASH.get(name), rest.strip()
        if command is None:
            self._refuse(text, name)
        elif argument and command.argument is None:
            self._failed(text, ConfigError(f"Nothing can follow {name}.", "Remove the rest of the line."))
        elif not argument and command.argument is not None and command.argument.required:
            needed = command.argument.name
            self._failed(text, ConfigError(f"{name} needs more: {name} {needed}.", "Add it."))
        elif not self._screen.carry_out(command, argument, partial(self._failed, text)):
            self._screen.composer.put_back(text)  # the same command is still at work

    def _failed(self, text: str, error: ChatError) -> None:
        self._screen.composer.put_back(text)
        self._screen.remarks.say_error(error)

    def _refuse(self, text: str, name: str) -> None:
        """Name the nearest command, and the way to send the text as a prompt."""
        if error := incomplete(name, BY_SLASH):
            self._failed(text, error)
            return
        self._refused = text
        self._screen.composer.put_back(text)
        meant = near(name, BY_SLASH)
        hint = f"did you mean {meant}?" if meant else "/ lists all commands."
        again = self._screen.keys.hint("{send} again, or // in front, sends it as a prompt.")
        self._screen.remarks.tell(f"There is no command {clean_line(name, 40)}: {hint} {again}")

    def complete(self, text: str, cursor: int) -> Completion | None:
        """Complete the name of a command, or its argument."""
        if not is_command(text) or cursor < len(text):
            return None
        if names := _names(text.lower(), (each for each in COMMANDS if each.offered(self._screen))):
            return Completion(0, cursor, names, free=text == "/")
        name, rest = split(text, BY_SLASH)
        command, typed = BY_SLASH.get(name), rest.lstrip()
        if command is None or command.argument is None or rest == typed:
            return None
        values: Any = partial(command.argument.completer, self._screen)
        is_awaited = iscoroutinefunction(command.argument.completer)
        found = partial(_ranked, typed, values) if is_awaited else ranked(typed, values())
        return Completion(cursor - len(typed), cursor, found, command.argument.free)


def _names(typed: str, commands: Iterable[Command]) -> list[Candidate]:
    """The names that begin with what is typed, one of each command."""
    names = (next((name for name in each.slashes if name.startswith(typed)), "") for each in commands)
    found = [(name, BY_SLASH[name].argument, BY_SLASH[name].help) for name in sorted(filter(None, names))]
    return [
        Candidate(f"{name} " if argument else name, help, more=argument is not None and argument.required)
        for name, argument, help in found
    ]


async def _ranked(typed: str, values: Callable[[], Awaitable[Values]]) -> Sequence[Candidate]:
    try:
        return ranked(typed, await values())
    except StoreError:
        return ()
