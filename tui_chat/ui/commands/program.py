"""Demo, palette, help, themes, quitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tui_chat.errors import ConfigError
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.textual_private import driver_of
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import nearest
from tui_chat.ui import phrases
from tui_chat.ui.commands.command import Command, Scope
from tui_chat.ui.dialogs.ask import ConfirmScreen
from tui_chat.ui.dialogs.dialog import or_cancel
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.text import HelpScreen
from tui_chat.ui.dialogs.themes import ThemesScreen
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp
    from tui_chat.ui.screen import ChatScreen


async def palette(screen: ChatScreen) -> None:
    """Choose from all commands except those that are only keys, or that need an argument."""
    rows = [
        Choice(
            command,
            command.title,
            (next(iter(screen.keys.labels(command.id)), ""),),
            also=f"{command.id} {command.help} {command.slash}",
        )
        for command in screen.keys.commands.values()
        if command.scope in (Scope.APP, Scope.CHAT, Scope.SELECT)
        and command.id != "command-palette"
        and not (command.argument and command.argument.required)
        and command.offered(screen)
    ]
    dialog: Picker[Command] = Picker(screen.keys, "Commands", rows)
    if (chosen := await screen.ask(dialog)) is not None:
        screen.carry_out(chosen)


def show_help(app: ChatApp) -> None:
    """Show the keys, or close them."""
    if isinstance(app.screen, HelpScreen):
        app.screen.dismiss()
    else:
        app.push_screen(HelpScreen(app.keys))


def lend_mouse(screen: ChatScreen) -> None:
    """Leave the mouse to the terminal, which then selects text itself; the second time, take it back."""
    if isinstance(driver := driver_of(screen.app), DiffDriver):
        driver.lend_mouse(not driver.mouse_lent)
        screen.status.show()
    else:
        screen.notify("The mouse cannot be lent here. In most terminals, Shift and dragging selects.", timeout=5)


async def theme(screen: ChatScreen, name: str) -> None:
    """Choose a theme, and keep it for the next start."""
    app = cast("ChatApp", screen.app)
    chosen = name or await screen.ask(ThemesScreen(app))
    if chosen is None:
        return
    if chosen and chosen not in app.available_themes:
        raise ConfigError(f"There is no theme {clean_line(chosen, 80)}.", nearest(chosen, app.available_themes))
    app.use_theme(chosen)
    await screen.workspace.choices.keep_theme(chosen)


async def quit(app: ChatApp) -> None:
    """Save everything and quit; ask first if replies or pulls are still running."""
    pulls = [job for job in app.workspace.jobs.running if job.kind == "pull"]
    if running := phrases.still_running(len(app.workspace.replying), len(pulls)):
        hint = or_cancel("stop, keep and quit")
        if pulls:
            hint = f"The server keeps what was pulled; pulling again goes on from there.\n{hint}"
        if not await app.push_screen_wait(ConfirmScreen(app.keys, running, hint)):
            return
    await app.leave()
