"""`tui-chat --plain`: a chat line by line, for screen readers, dumb terminals, pipes and logs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from tui_chat.chat.generation import Generation, Hear
from tui_chat.chat.workspace import Workspace, way_back
from tui_chat.config import Config
from tui_chat.errors import ChatError, ConfigError, OutputError, Remedy, ReplyError
from tui_chat.output import Outflow, is_terminal, put
from tui_chat.parts import Blob, File
from tui_chat.shell.asking import check_consent
from tui_chat.shell.plain_commands import COMMANDS
from tui_chat.shell.receiving import opened, receive
from tui_chat.shell.replies import Aside, Plain
from tui_chat.shell.words import complain, warn
from tui_chat.tasks import start_task
from tui_chat.terminal.shell_command import TAIL, CommandOutput, ShellCommand, as_printed
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.typed import nearest
from tui_chat.ui.commands.slash import incomplete, is_command, is_open, prompt_of, split

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


async def run(config: Config, *, chat: str | None, resume: bool, question: str = "") -> int:
    """Chat until the input ends or the user leaves. Returns the exit code.

    Raises:
        StoreError: there is no such chat.
        OutputError: standard output takes no more. What arrived is saved.
    """
    async with opened(config, chat, resume=resume, interactive=True) as workspace:
        return await PlainChat(workspace).run(question)


class PlainChat:
    """Reads lines and prints replies. Nothing that was printed is changed."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._out = Outflow()
        self._ahead: list[File] = []
        """What goes along with the next prompt."""
        self.code: int | None = None
        """The exit code, once the user leaves."""

    async def run(self, question: str) -> int:
        """Chat to the end; `question` is the first prompt. Returns the exit code."""
        if sys.stdin is not None:
            sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        if is_terminal(sys.stdin) and os.environ.get("TERM") != "dumb":
            with suppress(ImportError):
                import readline  # noqa: F401  gives `input` its keys
        await self._attempt(self.begin())
        text: str | None = question
        while self.code is None and text is not None:
            if text.strip():
                await self._attempt(self._take(text))
            if self.code is None:
                text = self._read()
        if self.workspace.conversation.chat.leaf and is_terminal(sys.stdout):
            put(way_back(self.workspace, "--plain"))
        return self.code or 0

    def _read(self) -> str | None:
        """What the user types, over several lines after three quotes; None at the end of the input."""
        text = ""
        while not text or is_open(text):
            sign = "> " if not text else ". "
            try:
                line = clean(_line(sign if is_terminal(sys.stdin) else "")).strip("\n")
            except EOFError:
                return text or None
            except KeyboardInterrupt:
                put("", "Ctrl+D or /bye leaves.")
                return ""
            text = f"{text}\n{line}" if text else line
            if not text.strip():
                return ""
        return text

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that Ctrl+C stops, and say why it cannot be done.

        Raises:
            OutputError: standard output takes no more.
            BrokenPipeError: nobody reads standard output any more.
        """
        task, loop = start_task(work), asyncio.get_running_loop()

        def stop(number: int) -> None:
            if number != signal.SIGINT:
                self.code = 128 + number
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
            warn(f"{error.sentence}\n  /retry continues or repeats it.")
        else:
            complain(error)

    async def begin(self) -> None:
        """Show the end of the chat, and which model answers.

        Raises:
            ReplyError: none can be asked.
        """
        connection, conversation = self.workspace.connection, self.workspace.conversation
        for message in conversation.branch[-2:]:
            put(f"{message.model or 'you'}: {message.text.strip()}")
        await connection.look(closely=False)
        if connection.error or connection.obstacle:
            raise connection.error or connection.obstacle or ReplyError("")
        warn(f"{connection.model} at {connection.server.label}. /help lists the commands.")

    async def _take(self, text: str) -> None:
        """Carry out a command, or send a prompt."""
        if text.startswith("!") and "\n" not in text and is_terminal(sys.stdin):  # what is piped runs nothing
            await self._run(text[1:].strip())
            return
        if not is_command(text):
            prompt, before = prompt_of(text), self.workspace.conversation.last
            try:
                await self.show(lambda hear: self.workspace.current.send(prompt, attached=self._ahead, hear=hear))
            finally:
                if self.workspace.conversation.last is not before:  # else nothing was sent
                    self._ahead = []
            return
        name, rest = split(text, COMMANDS)
        if (command := COMMANDS.get(name)) is None:
            raise _unknown(text, name)
        if command.needs and not rest.strip():
            raise ConfigError(f"{name} needs more: {name} {command.needs}.", "Add it.")
        await command.function(self, rest.strip())

    async def show(self, start: Callable[[Hear], Generation]) -> None:
        """Print a reply as it arrives.

        Raises:
            ConfigError: the prompt would leave this machine, and the person does not want that.
        """
        await check_consent(self.workspace)
        workspace = self.workspace
        message, error = await receive(workspace, start, Plain(safe=True), Aside(plain=True), self._out)
        if error is not None:
            self._complain(error)
        elif message.finish == "length":
            warn("The reply was cut off at the length limit. /retry continues it.")
        if workspace.conversation.trouble:
            warn(f"The chat is not saved. {workspace.conversation.trouble}")

    async def _run(self, command: str) -> None:
        """Run a shell command and print its output, which goes along with the next prompt; none drops that."""
        if not command:
            self._ahead = []
            put("Nothing goes along with the next prompt. A command after the ! is run.")
            return
        running = ShellCommand(command, os.environ)
        running.output = output = _Printed()
        end = await running.run()
        if output.rest:
            output.feed(b"\n")
        self.attach(f"!{command}", f"{running.output.text.rstrip()}\n({end})")
        put(f"({end}. This goes along with your next prompt; ! alone drops it.)")

    def attach(self, name: str, text: str) -> None:
        """Let a text go along with the next prompt, as a file: no `@path` in it attaches anything."""
        self._ahead.append(File(clean_line(name, 200), "text/plain", Blob.of(text.encode())))


def _line(sign: str) -> str:
    """What the user types after `sign`.

    Raises:
        EOFError: the input has ended.
        KeyboardInterrupt: Ctrl+C was pressed before Enter.
    """
    lines: list[str] = []
    try:
        try:
            signal.signal(signal.SIGINT, _interrupt)  # asyncio's own would not end `input`
            lines.extend(map(input, [sign]))  # within C: a Ctrl+C that Python notices after Enter loses no line
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # until `_attempt` listens
    except KeyboardInterrupt:
        if not lines:
            raise
    return lines[0]


def _interrupt(_number: int, _frame: object) -> None:
    """End `input`, once: a second Ctrl+C would end the program while it says how to leave."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


class _Printed(CommandOutput):
    """Output that is printed line by line as it arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.rest = b""
        """The beginning of a line."""

    def feed(self, data: bytes) -> None:
        """Add what was printed next."""
        super().feed(data)
        text = self.rest + data
        whole = text.rfind(b"\n") + 1
        if len(text) - whole > TAIL:  # a line that may never end
            whole = len(text)
        self.rest = text[whole:]
        if whole:
            put(as_printed(text[:whole].removesuffix(b"\n")))


def _unknown(text: str, name: str) -> ConfigError:
    """Why a command cannot be carried out."""
    from tui_chat.ui.commands.table import BY_SLASH  # late: it loads Textual, which only a mistake needs

    if (known := split(text, BY_SLASH)[0]) in BY_SLASH:
        return ConfigError(f"{known} needs the full screen.", "/help lists what plain mode can do.")
    if error := incomplete(name, COMMANDS):
        return error
    hint = f"{nearest(name, COMMANDS)} /help lists all; // in front sends it as a prompt."
    return ConfigError(f"There is no command {clean_line(name, 40)}.", hint)
