"""Writing a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.errors import ConfigError
from tui_chat.terminal.editor import edited, editor_of
from tui_chat.text.sanitize import clean
from tui_chat.ui.commands.command import Scope, command

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen
    from tui_chat.ui.widgets.composer import Composer


@command("send", "Send", "Send what is written", "enter", Scope.COMPOSER)
def send(composer: Composer) -> None:
    """Send the prompt."""
    composer.send()


@command(
    "new-line", "New line", "Start a new line", "ctrl+j,alt+enter,shift+enter", Scope.COMPOSER, footer="new line"
)
def new_line(composer: Composer) -> None:
    """Break the line at the cursor."""
    composer.insert("\n")


@command("editor", "Editor", "Write in the editor that VISUAL or EDITOR names", "ctrl+g", slash="/editor")
async def editor(screen: ChatScreen) -> None:
    """Go on writing in an editor; a reply on its way is received meanwhile."""
    composer = screen.composer
    try:
        program = editor_of(screen.services.environ)
        with screen.lend_terminal():
            text = await edited(composer.text, program)
    except ConfigError as error:
        screen.status.say_error(error)
    else:
        composer.replace(clean(text).rstrip("\n"), (0, 0), composer.document.end)
        composer.move_cursor(composer.document.end)
