"""Shell commands that the user types (`!command`): live above the composer, then as a block in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from tui_chat.errors import ConfigError
from tui_chat.terminal.shell_command import ShellCommand, quoted_block
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.paint import PaintClock
from tui_chat.ui.phrases import shortened

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_ROWS: Final = 8
"""Lines of output that are shown at most; fewer on a low screen."""


class Shell:
    """Runs one command at a time. Only the composer starts one, when the user presses Enter."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.running: ShellCommand | None = None
        self._last = ""
        """The last command."""
        self._clock = PaintClock(screen, self.paint, screen.replies.interval)

    def run(self, text: str) -> None:
        """Run a command as it was typed (`!ls`); `!!` runs the last one again."""
        screen, command = self._screen, text[1:].strip()
        command = self._last if command == "!" else command
        if self.running is not None:
            screen.composer.insert(text)
            screen.notify(screen.keys.hint("A command still runs: {stop} ends it."), timeout=3)
        elif not command:
            screen.composer.insert(text)
            screen.notify("Write a command after the !, or \\! to send one.", timeout=3)
        else:
            self._last = command
            self.running = ShellCommand(command, screen.services.environ, screen.services.clock)
            screen.start(self._run, "shell", self.running, exclusive=False)

    async def _run(self, running: ShellCommand) -> None:
        screen, command = self._screen, running.command
        self.paint()
        try:
            end = await running.run(self._clock.request)
        except ConfigError as error:
            screen.status.say_error(error)
        else:
            screen.composer.quotes.add(quoted_block(command, running.output.text, end))
            screen.status.say_aside(f"{clean_line(command.split()[0], 40)}: {end}")
        finally:
            self.running = None
            self.paint()

    def stop(self) -> bool:
        """End the command that runs; whether there is one."""
        if self.running is not None:
            self.running.stop()
        return self.running is not None

    def paint(self) -> None:
        """Show the command that runs."""
        screen, running = self._screen, self.running
        if running is None:
            screen.command_view.rows = ()
            return
        told = screen.keys.hint(f" · {running.seconds:.0f} s · {{stop}} ends it")
        command = shortened(clean_line(running.command), max(8, screen.command_view.size.width - len(told) - 2))
        lines = running.output.last_lines(max(1, min(_ROWS, screen.size.height // 4 - 2)))
        output = (Content.styled(line, "$text-muted") for line in lines)
        screen.command_view.rows = (Content.styled(f"$ {command}{told}", "$you"), *output)
