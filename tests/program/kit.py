"""The installed tui-chat in a real pseudo-terminal, and the person in front of it.

    async with home.running("--url", server.url) as program:
        await program.until_shows("ready")
        program.type("Hello\\r")

The terminal is a modern one in what it answers, and a plain xterm in its keys. A test waits for what it wants to
see; nothing sleeps for luck.
"""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import re
import struct
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui_chat.messages import Message, Role
from tui_chat.store.store import Store
from tui_chat.store.values import Thread

from tests.terminal.emulator import Emulator

PATIENCE: Final = 20.0
"""Seconds until a test gives up waiting."""
ESCAPE, CTRL_C, CTRL_G, CTRL_J, CTRL_L, CTRL_N, CTRL_O, CTRL_Q, CTRL_R = (
    "\x1b", "\x03", "\x07", "\n", "\x0c", "\x0e", "\x0f", "\x11", "\x12",
)  # fmt: skip
CTRL_HOME, PAGE_UP = "\x1b[1;5H", "\x1b[5~"
PROGRAM: Final = Path(sys.executable).with_name("tui-chat")
_LAUNCH: Final = Path(__file__).with_name("launch.py")
ANSWERS: Final = {
    "\x1b[?2026$p": "\x1b[?2026;2$y",
    "\x1b[?2048$p": "\x1b[?2048;0$y",
    "\x1b]11;?": "\x1b]11;rgb:0000/0000/0000\x1b\\",
}
"""What the terminal says to queries: synchronized output is known, resizes in band are not, it is dark."""
_HALF: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^][^\x07\x1b]*\x1b?)?\Z")
"""A sequence that is not whole yet."""
_MODE: Final = re.compile(r"\x1b\[\?(\d+)([hl])")
_PLAIN: Final = {1049: False, 25: True, 7: True, 2004: False, 1004: False}
"""Modes as a shell expects them: alternate screen, cursor, wrapping, bracketed paste, focus reports."""
_MOUSE: Final = (1000, 1002, 1003, 1006, 1015)


class Program:
    """A running tui-chat, what its terminal shows, and its keyboard."""

    def __init__(self, process: Process, master: int, slave: int, size: tuple[int, int]) -> None:
        self.process = process
        self.output = ""
        """All that was written to the terminal."""
        self.screen = Emulator(*size)
        self._before: list[Any] = termios.tcgetattr(slave)
        self._master, self._slave = master, slave
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self._changed = asyncio.Event()
        self.hung_up = False
        self.answers: Mapping[str, str] = ANSWERS
        asyncio.get_running_loop().add_reader(master, self._read)

    @property
    def rows(self) -> list[str]:
        """The screen as text."""
        return [row.rstrip() for row in self.screen.text]

    @property
    def said(self) -> str:
        """What it wrote after it left the alternate screen, or instead of it."""
        left = self.output.rpartition("\x1b[?1049l")[2]
        return re.sub(r"\x1b\[[0-?]*[@-~]", "", left).replace("\r\n", "\n")

    def shows(self, text: str) -> bool:
        """Whether the screen has this text, in a row or broken into two."""
        return any(text in row for row in self.rows) or text in " ".join(row.strip(" ─") for row in self.rows)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; it is looked at whenever the screen changes, and now and then."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    if self.process.returncode is not None:
                        raise TimeoutError  # nothing will change any more
                    self._changed.clear()
                    try:
                        await asyncio.wait_for(self._changed.wait(), 0.05)
                    except TimeoutError:
                        continue
        except TimeoutError:
            raise AssertionError("it did not become so; the terminal:\n" + "\n".join(self.rows)) from None

    async def until_shows(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: all(map(self.shows, texts)))

    def type(self, keys: str) -> None:
        """Press keys, as the bytes that a terminal sends."""
        os.write(self._master, keys.encode())

    async def say(self, text: str) -> None:
        """Write a prompt, see it in the composer, and send it."""
        self.type(text)
        await self.until_shows(text)
        self.type("\r")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the terminal, in cells."""
        _set_size(self._master, (width, height))
        self.screen = Emulator(width, height)

    def kill(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """The line drops: nobody is at the other end of the terminal any more."""
        if not self.hung_up:
            self.hung_up = True
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)

    async def ended(self) -> int:
        """Wait for the end: its exit code."""
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        if not self.hung_up:
            self._read()
        return code

    async def quit(self) -> int:
        """Leave by the key for it, replies or not: the exit code."""
        self.type(CTRL_Q)
        while self.process.returncode is None and not self.shows("still running."):
            await asyncio.sleep(0.01)
        if self.process.returncode is None:
            self.type("\r")
        return await self.ended()

    def unrestored(self) -> list[str]:
        """What of the terminal is not as it was before."""
        modes = {int(number): state == "h" for number, state in _MODE.findall(self.output)}
        wrong = [f"mode {mode}" for mode, wanted in _PLAIN.items() if modes.get(mode, wanted) is not wanted]
        wrong += [f"mouse mode {mode}" for mode in _MOUSE if modes.get(mode)]
        if len(re.findall(r"\x1b\[>\d+u", self.output)) != len(re.findall(r"\x1b\[<\d*u", self.output)):
            wrong.append("the keyboard protocol")
        if termios.tcgetattr(self._slave) != self._before:
            wrong.append("the line's attributes")
        return wrong

    def cpu_seconds(self) -> float:
        """How much processor time it has used (proc(5): fields 14 and 15 of `stat`)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def close(self) -> None:
        """Make sure that nothing is left of it."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        try:
            data = os.read(self._master, 1 << 16)
        except (BlockingIOError, OSError):
            return
        text = self._decode(data)
        self.output += text
        for query, answer in self.answers.items():
            if query in text:
                self.type(answer)
        text = self._pending + text
        half = _HALF.search(text)
        self._pending = text[half.start() :] if half else ""
        self.screen.feed(text[: half.start()] if half else text)
        self._changed.set()


@dataclass(frozen=True)
class Home:
    """A user's home, with nothing in it but what a test puts there."""

    path: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables beyond the few that a login sets."""

    @property
    def data(self) -> Path:
        """Where tui-chat keeps its chats."""
        return self.path / "data" / "tui-chat"

    @property
    def database(self) -> Path:
        """The file of the chats."""
        return self.data / "chats.db"

    @property
    def config(self) -> Path:
        """The config file, which need not be there."""
        return self.path / "config" / "tui-chat" / "config.toml"

    def configure(self, text: str) -> None:
        """Write the config file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def variables(self) -> dict[str, str]:
        """The environment of a program that is started here."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "XDG_CONFIG_HOME": str(self.path / "config"),
            "XDG_DATA_HOME": str(self.path / "data"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONWARNINGS": os.environ["PYTHONWARNINGS"],
            **self.environ,
        }

    @asynccontextmanager
    async def running(
        self, *arguments: str, size: tuple[int, int] = (80, 24), limit: int = 0, errors: int | None = None
    ) -> AsyncGenerator[Program, None]:
        """tui-chat in a terminal of its own; `limit` is how many bytes its files may have (0: any number).

        `errors` is the file descriptor of its standard error, if that is not the terminal.
        """
        master, slave = _terminal(size)
        process = await self._start(slave, slave if errors is None else errors, limit, arguments)
        program = Program(process, master, slave, size)
        try:
            yield program
        finally:
            await program.close()

    async def refused(self, *arguments: str) -> tuple[int, str]:
        """tui-chat in a terminal where it cannot start: its exit code and its standard error."""
        master, slave = _terminal((80, 24))
        try:
            process = await self._start(slave, PIPE, 0, arguments)
            async with asyncio.timeout(PATIENCE):
                _, error = await process.communicate()
        finally:
            os.close(master)
            os.close(slave)
        assert process.returncode is not None
        return process.returncode, error.decode()

    async def shell(self, *arguments: str) -> tuple[int, str, str]:
        """tui-chat between pipes: exit code, standard output and standard error."""
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self.variables()
        )
        async with asyncio.timeout(PATIENCE):
            output, error = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), error.decode()

    async def threads(self) -> list[Thread]:
        """All chats as they are on disk, the newest first."""
        store = await Store.open(self.database)
        try:
            return [await store.load(chat.id) for chat in await store.chats()]
        finally:
            await store.aclose()

    async def replies(self) -> list[Message]:
        """The replies of all chats, the newest chat's first."""
        found = [message for thread in await self.threads() for message in thread.messages]
        return [message for message in found if message.role is Role.ASSISTANT]

    async def _start(self, slave: int, stderr: int, limit: int, arguments: tuple[str, ...]) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-IS", _LAUNCH, str(limit), PROGRAM, *arguments,
            stdin=slave, stdout=slave, stderr=stderr, start_new_session=True, env=self.variables(), cwd=self.path,
        )  # fmt: skip


def _terminal(size: tuple[int, int]) -> tuple[int, int]:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    _set_size(master, size)
    return master, slave


def _set_size(fd: int, size: tuple[int, int]) -> None:
    width, height = size
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
