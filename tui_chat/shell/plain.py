"""`tui-chat --plain`: a chat line by line, for screen readers, dumb terminals, pipes and logs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui_chat.chat.generation import Generation, Hear
from tui_chat.chat.retry import plan_again
from tui_chat.chat.workspace import Workspace, find_chat
from tui_chat.config import Config
from tui_chat.errors import ChatError, ConfigError, OutputError, Remedy, ReplyError
from tui_chat.files import unused_name, write_new
from tui_chat.output import Outflow, is_terminal, put
from tui_chat.servers.connection import find
from tui_chat.shell.receiving import opened, receive
from tui_chat.shell.replies import Aside, Plain
from tui_chat.shell.words import complain, warn
from tui_chat.store.export import to_markdown
from tui_chat.tasks import start_task
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.typed import nearest, user_path
from tui_chat.ui.commands.slash import is_command, is_open, prompt_of, split

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_LISTED: Final = 20
"""Chats that are listed."""


async def run(config: Config, *, chat: str | None, resume: bool, question: str = "") -> int:
    """Chat until the input ends or the user leaves. Returns the exit code.

    Raises:
        StoreError: there is no such chat.
        OutputError: standard output takes no more. What arrived is saved.
    """
    async with opened(config, chat, resume=resume, interactive=True) as workspace:
        return await PlainChat(workspace).run(question)


@dataclass(frozen=True, slots=True)
class PlainCommand:
    """A command of plain mode, named as on the screen."""

    function: Callable[[PlainChat, str], Awaitable[None]]
    help: str


class PlainChat:
    """Reads lines and prints replies. Nothing that was printed is changed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._out = Outflow()
        self._code: int | None = None
        """The exit code, once the user leaves."""

    async def run(self, question: str) -> int:
        """Chat to the end; `question` is the first prompt. Returns the exit code."""
        if sys.stdin is not None:
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        if is_terminal(sys.stdin) and os.environ.get("TERM") != "dumb":
            with suppress(ImportError):
                import readline  # noqa: F401  gives `input` its keys
        await self._attempt(self._begin())
        text: str | None = question
        while self._code is None and text is not None:
            if text.strip():
                await self._attempt(self._take(text))
            if self._code is None:
                text = self._read()
        chat = self._workspace.conversation.chat
        if chat.leaf and is_terminal(sys.stdout):
            put(f"Continue with: tui-chat --plain --chat {chat.id}")
        return self._code or 0

    def _read(self) -> str | None:
        """What the user types, over several lines after three quotes; None at the end of the input."""
        text = ""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio's own would not end `input`
        try:
            while not text or is_open(text):
                sign = "> " if not text else ". "
                line = clean(input(sign if is_terminal(sys.stdin) else "")).strip("\n")
                text = f"{text}\n{line}" if text else line
                if not text.strip():
                    return ""
        except EOFError:
            return text or None
        except KeyboardInterrupt:
            put("", "Ctrl+D or /bye leaves.")
            return ""
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # until `_attempt` listens
        return text

    async def _attempt(self, work: Awaitable[None]) -> None:
        """Do something that Ctrl+C stops, and say why it cannot be done.

        Raises:
            OutputError: standard output takes no more.
            BrokenPipeError: nobody reads standard output any more.
        """
        task, loop = start_task(_result_of(work)), asyncio.get_running_loop()

        def stop(number: int) -> None:
            if number != signal.SIGINT:
                self._code = 128 + number
            task.cancel()

        for number in (signal.SIGINT, *_ENDING):
            loop.add_signal_handler(number, stop, number)
        try:
            await task
        except asyncio.CancelledError:
            put("(stopped)")
        except OutputError:
            raise
        except ChatError as error:
            self._complain(error)
        finally:
            for number in _ENDING:
                loop.remove_signal_handler(number)

    def _complain(self, error: ChatError) -> None:
        if error.remedy in (Remedy.CONTINUE, Remedy.RETRY):
            warn(f"{error}\n  /retry continues or repeats it.")
        else:
            complain(error)

    async def _begin(self) -> None:
        connection, conversation = self._workspace.connection, self._workspace.conversation
        for message in conversation.branch[-2:]:
            put(f"{message.model or 'you'}: {message.text.strip()}")
        await connection.look(closely=False)
        if connection.error or connection.obstacle:
            raise connection.error or connection.obstacle or ReplyError("")
        warn(f"{connection.model} at {connection.server.label}. /help lists the commands.")

    async def _take(self, text: str) -> None:
        """Carry out a command, or send a prompt."""
        if not is_command(text):
            prompt = prompt_of(text)
            await self._show(lambda hear: self._workspace.current.send(prompt, hear=hear))
            return
        name, rest = split(text, COMMANDS)
        if (command := COMMANDS.get(name)) is None:
            hint = f"{nearest(name, COMMANDS)} /help lists all; // in front sends it as a prompt."
            raise ConfigError(f"There is no command {clean_line(name, 40)} without the screen.", hint)
        await command.function(self, rest.strip())

    async def _show(self, start: Callable[[Hear], Generation]) -> None:
        """Print a reply as it arrives."""
        workspace = self._workspace
        message, error = await receive(workspace, start, Plain(safe=True), Aside(plain=True), self._out)
        if error is not None:
            self._complain(error)
        elif message.finish == "length":
            warn("The reply was cut off at the length limit. /retry continues it.")
        if workspace.conversation.trouble:
            warn(f"The chat is not saved. {workspace.conversation.trouble}")

    async def new(self, _: str) -> None:
        """Start a new chat."""
        self._workspace.new_chat()
        put("A new chat.")

    async def chats(self, wanted: str) -> None:
        """List the chats, or open one by the beginning of its ID."""
        store = self._workspace.store
        if not wanted:
            put(*(f"{chat.id[:12]}  {chat.title or 'Untitled'}" for chat in await store.chats("", _LISTED)))
            return
        await self._workspace.open_chat(await find_chat(store, wanted))
        await self._begin()

    async def model(self, name: str) -> None:
        """List the models, or use one."""
        connection = self._workspace.connection
        if not name:
            marks = {True: "*", False: " "}
            put(*(f"{marks[each.name == connection.model]} {each.name}" for each in connection.models))
        elif (known := find(name, connection.models)) is None:
            names = [each.name for each in connection.models]
            raise ConfigError(f"There is no model {clean_line(name, 80)} here.", nearest(name, names))
        else:
            await self._workspace.use_model(known.name)
            put(f"{known.name} answers from now on.")

    async def retry(self, _: str) -> None:
        """Continue a cut reply, retry a failed one, regenerate a whole one."""
        if plan_again(self._workspace.conversation) is None:
            raise ConfigError("There is no reply yet.", "Ask something.")
        await self._show(lambda hear: self._workspace.current.again(hear=hear))

    async def rename(self, title: str) -> None:
        """Change the title of this chat."""
        if not title:
            raise ConfigError("/rename needs more: /rename title.", "Add it.")
        await self._workspace.conversation.note(title=clean_line(title, 80))

    async def export(self, name: str) -> None:
        """Save this chat to a Markdown file."""
        conversation = self._workspace.conversation
        await conversation.settle()
        path: Path = user_path(name or unused_name("chat", ".md"))
        write_new(path, to_markdown(await self._workspace.store.load(conversation.chat.id)))
        put(f"Saved this chat as {path}.")

    async def help(self, _: str) -> None:
        """List the commands."""
        names = {
            command: [name for name in COMMANDS if COMMANDS[name] is command] for command in COMMANDS.values()
        }
        put(*(f"{', '.join(each)}: {command.help}" for command, each in names.items()))
        put('@path in a prompt attaches a file. """ begins a prompt of several lines and ends it.')
        put("Ctrl+C stops a reply, Ctrl+D leaves.")

    async def bye(self, _: str) -> None:
        """Leave; all is saved."""
        self._code = 0


async def _result_of(work: Awaitable[None]) -> None:
    await work


def _commands() -> Mapping[str, PlainCommand]:
    kinds = {
        ("/new", "/clear"): PlainChat.new,
        ("/chats",): PlainChat.chats,
        ("/model", "/load"): PlainChat.model,
        ("/retry", "/regenerate"): PlainChat.retry,
        ("/rename",): PlainChat.rename,
        ("/export",): PlainChat.export,
        ("/help", "/?"): PlainChat.help,
        ("/bye", "/exit", "/quit"): PlainChat.bye,
    }
    made = [(names, PlainCommand(function, (function.__doc__ or "").strip())) for names, function in kinds.items()]
    return {name: command for names, command in made for name in names}


COMMANDS: Final = _commands()
"""By their slash names, which are those of the screen's table."""
