"""The program itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from tui_chat.ui.commands.command import Argument, Scope, command
from tui_chat.ui.dialogs.confirm import ConfirmScreen
from tui_chat.ui.dialogs.help import HelpScreen
from tui_chat.ui.dialogs.palette import PaletteScreen
from tui_chat.ui.dialogs.themes import ThemesScreen

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp
    from tui_chat.ui.screen import ChatScreen


@command("demo", "Start the demo", "Talk to a built-in scripted server", "f2", slash="/demo")
async def demo(screen: ChatScreen) -> None:
    """Talk to the built-in scripted server instead, or go back from it."""
    await screen.navigation.toggle_demo()


@command("command-palette", "Commands", "Search all commands", "ctrl+p", footer="commands")
async def palette(screen: ChatScreen) -> None:
    """Choose from all commands."""
    if (chosen := await screen.ask(PaletteScreen(screen.keys))) is not None:
        screen.carry_out(chosen)


@command("help", "Help", "Show the keys", "f1", Scope.APP, footer="help", slash="/help")
def show_help(app: ChatApp) -> None:
    """Show the keys, or show them no longer."""
    if isinstance(app.screen, HelpScreen):
        app.screen.dismiss()
    else:
        app.push_screen(HelpScreen(app.keys))


def _themes(screen: Any) -> Iterable[str]:
    return sorted(screen.app.available_themes)


@command("theme", "Theme", "Choose the colours", slash="/theme", argument=Argument("theme", _themes))
async def theme(screen: ChatScreen, name: str) -> None:
    """Choose the colours; they are kept for the next start."""
    app = cast("ChatApp", screen.app)
    present = "" if app.follows_background else app.theme
    chosen = name or await screen.ask(ThemesScreen(screen.keys, app.available_themes, present, app.use_theme))
    if chosen == "" or chosen in app.available_themes:
        app.use_theme(chosen)
        await screen.workspace.choices.keep_theme(chosen)


@command("redraw", "Redraw", "Paint the whole screen anew", "", Scope.APP)
def redraw(app: ChatApp) -> None:
    """Paint everything anew."""
    app.redraw()


@command("quit", "Quit", "Save everything and leave", "ctrl+q", Scope.APP, slash="/bye")
async def quit(app: ChatApp) -> None:
    """Write everything and leave; where replies are on their way, after asking."""
    if count := len(app.workspace.replying):
        replies = "A reply is" if count == 1 else f"{count} replies are"
        hint = app.keys.hint("{accept} stops, keeps and quits · {close} goes on")
        if not await app.push_screen_wait(ConfirmScreen(app.keys, f"{replies} still coming.", hint)):
            return
    await app.leave()
