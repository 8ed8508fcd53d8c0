"""The Textual app: theme, keys, and the way out."""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from rich.console import Console
from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ChatError, ConfigError
from tui_chat.server import DEMO
from tui_chat.servers.catalog import ModelCatalog
from tui_chat.tasks import start_task
from tui_chat.terminal.clipboard import BY_TMUX, copy_sequences, copy_way, load_buffer
from tui_chat.terminal.colours import ASK_BACKGROUND, Depth, is_dark_by
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.keys import BackgroundTold, GraphicsTold
from tui_chat.terminal.notices import NoticeKind
from tui_chat.terminal.passthrough import multiplexer
from tui_chat.terminal.stock import StockDriver
from tui_chat.terminal.textual_private import driver_of, end_with, set_clipboard
from tui_chat.text.sanitize import clean
from tui_chat.typed import nearest
from tui_chat.ui.attention import Attention
from tui_chat.ui.commands.command import Scope, carry_out
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import COMMANDS, GROUPS
from tui_chat.ui.palettes import DARK, LIGHT, add_roles, own_themes
from tui_chat.ui.screen import ChatScreen
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.divider import Divider

_REPORT: Final = "Your chats are saved: continue with tui-chat --continue, and please report the lines above."


class ChatApp(App[None], inherit_bindings=False):
    """tui-chat, full screen."""

    TITLE = "tui-chat"
    CSS_PATH = "chat.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [each.binding for each in COMMANDS if each.scope is Scope.APP]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        services: Services,
        workspace: Workspace,
        catalog: ModelCatalog,
        driver: type[Driver] | None = None,
        *,
        depth: Depth = Depth.TRUE,
    ) -> None:
        """`depth`: the colours that the terminal has; `driver` reduces all others to them."""
        self._depth = depth
        super().__init__(driver_class=driver)
        self.console = Console(file=self.console.file, color_system="truecolor", legacy_windows=False)
        self.animation_level = "none"
        for theme in own_themes(depth):
            self.register_theme(theme)
        self.services = services
        self.workspace = workspace
        self.catalog = catalog
        self._is_dark = is_dark_by(services.environ)
        """Whether the terminal's background is dark; None if it has not told."""
        self.use_theme("")
        self._leaving = False
        self._code = 0
        self._lent = False
        """Whether another program has the terminal."""
        self._endings: list[asyncio.Task[None]] = []
        config = services.config
        self.attention: Attention | None = None
        """Tells the terminal how replies are; None where that is switched off."""
        if config.notify != "off":
            self.attention = Attention(workspace, self._control, services.environ, NoticeKind(config.notify))
        self.keys = Keymap(GROUPS, config.keys)
        self.set_keymap(self.keys.own)
        if config.theme:
            if config.theme not in (themes := self.available_themes):
                raise ConfigError(f"There is no theme {config.theme!r}", nearest(config.theme, themes))
            self.use_theme(config.theme)

    def get_css_variables(self) -> dict[str, str]:
        """The colours of the present theme, and those that only ours have."""
        add_roles(variables := super().get_css_variables(), self._depth)
        return variables

    def use_theme(self, name: str) -> None:
        """Use a theme; without a name ours, dark or light like the terminal's background."""
        self.follows_background = not name
        self.theme = name or (LIGHT if self._is_dark is False else DARK)

    def on_app_focus(self) -> None:
        """The terminal has the focus."""
        if self.attention is not None:
            self.attention.focused = True

    def on_app_blur(self) -> None:
        """The terminal has lost the focus."""
        if self.attention is not None:
            self.attention.focused = False

    def on_mount(self) -> None:
        """Ask for the terminal's background before the first frame; do not wait for the answer."""
        silent = self.services.environ.get("TERM", "linux") == "linux"
        if self.follows_background and self._is_dark is None and not silent:
            self._control(ASK_BACKGROUND)
        if self.attention is not None:
            self.set_interval(1.0, self.attention.look)

    @on(BackgroundTold)
    def _told_background(self, event: BackgroundTold) -> None:
        self._is_dark = event.dark
        if self.follows_background:
            self.use_theme("")

    @on(GraphicsTold)
    def _told_graphics(self, event: GraphicsTold) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ChatScreen):
                screen.pictures.told(event)

    def _control(self, sequence: str) -> None:
        """Send the terminal a control sequence."""
        if sequence and (driver := driver_of(self)) is not None:
            driver.write(sequence)

    def get_default_screen(self) -> ChatScreen:
        """The chat; everything else opens over it."""
        return ChatScreen(self)

    async def on_load(self) -> None:
        """Begin with the demo where that was asked for."""
        if self.services.demo:
            await self.workspace.start_demo(DEMO)

    def on_ready(self) -> None:
        """Send the command line's prompt."""
        assert isinstance(self.screen, ChatScreen)
        if self.services.question:
            self.screen.replies.send(self.services.question)

    def action_command(self, id: str) -> None:
        """Carry out a command whose key was pressed."""
        carry_out(self.keys.commands[id], self)

    async def leave(self, code: int = 0, *, patience: float = 0.0) -> None:
        """Save everything and end with an exit code. Running replies have `patience` seconds to finish."""
        self._code = max(self._code, code)
        if self._leaving:
            return
        self._leaving = True
        for screen in self.screen_stack:
            if isinstance(screen, ChatScreen):
                screen.shell.stop()
                screen.navigation.leave_chat()
        await self.workspace.rest(patience)
        await self.workspace.aclose()
        self.exit(return_code=self._code)

    def on_signal(self, number: int) -> None:
        """Act on a signal: a lost terminal lets replies finish, any other signal ends at once."""
        if number == signal.SIGINT and self._lent:
            return  # it was meant for the program that has the terminal
        if number == signal.SIGHUP:
            if isinstance(driver := driver_of(self), StockDriver):
                driver.detach()
            self._endings.append(start_task(self.leave(patience=60 * self.services.config.hang_up_minutes)))
        else:
            self._leaving = False  # a kill does not wait for what a lost terminal waits for
            self._endings.append(start_task(self.leave(128 + number)))

    @contextmanager
    def lend_terminal(self) -> Iterator[None]:
        """Inside the context another program has the terminal; replies continue.

        Raises:
            ConfigError: another program has it already.
        """
        if self._lent:
            raise ConfigError("An editor has the terminal already.")
        trouble: ChatError | None = None
        self._lent = True
        try:
            with self.suspend():  # does not take the terminal back if it is left by an error
                try:
                    yield
                except ChatError as error:
                    trouble = error
        finally:
            self._lent = False
        if trouble is not None:
            raise trouble

    def notify(
        self, message: str, *, severity: SeverityLevel = "information", timeout: float | None = None, **_: Any
    ) -> None:
        """Show a notice on the composer's rule or, in a dialog, instead of its keys. It covers nothing."""
        seconds, hints = timeout or self.NOTIFICATION_TIMEOUT, self.screen.query(Hint)
        if hints:
            hints.last().tell(message, seconds)
        for divider in () if hints else self.screen_stack[0].query(Divider):
            divider.say(message, severity, seconds)

    def copy_to_clipboard(self, text: str, told: Callable[[str], object] = lambda _: None) -> None:
        """Put text on the terminal's clipboard; `told` is called with the way, as `copy_way` says it."""
        set_clipboard(self, text)
        environ = self.services.environ
        way = copy_way(text, environ)

        async def copy() -> None:
            if await load_buffer(text, environ):
                told(BY_TMUX)
            else:
                send()

        def send() -> None:
            self._control(copy_sequences(text, environ))
            told(way)

        if way and multiplexer(environ) == "tmux":
            self.run_worker(copy(), group="copy", exclusive=True)
        else:
            send()

    def _fatal_error(self) -> None:
        """Print a traceback without local values, which may be keys; Textual's own shows them."""
        lines = traceback.format_exception(*sys.exc_info())
        end_with(self, Text(f"{clean(''.join(lines))}\ntui-chat has failed. {_REPORT}"))

    def redraw(self) -> None:
        """Redraw the screen."""
        if isinstance(driver := driver_of(self), DiffDriver):
            driver.redraw()
        self.refresh(repaint=True, layout=True)
