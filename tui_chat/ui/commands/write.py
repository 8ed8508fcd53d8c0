"""Writing prompts, and the prompts that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.terminal.editor import edited, editor_of
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.dialogs.prompts import PromptsScreen
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


async def editor(screen: ChatScreen) -> None:
    """Edit the prompt in an editor; replies continue meanwhile.

    Raises:
        ConfigError: there is no editor, it failed, or another program has the terminal.
    """
    composer = screen.composer
    program = editor_of(screen.services.environ)
    with screen.lend_terminal():
        text = await edited(composer.text, program)
    composer.replace(clean(text).rstrip("\n"), (0, 0), composer.document.end)
    composer.move_cursor(composer.document.end)


async def attach(screen: ChatScreen, path: str) -> None:
    """Mention a file in the prompt, which attaches it; without a path, begin a mention."""
    if path:
        await screen.attachments.add(path)
    else:
        screen.composer.insert("@")


def again(screen: ChatScreen) -> None:
    """Continue, retry or regenerate the selected reply, else the last one."""
    message = screen.transcript.steps.message
    screen.leave_selection()
    screen.replies.again(message)


async def send_next(screen: ChatScreen) -> None:
    """Stop the reply and send the oldest waiting prompt."""
    if not screen.workspace.current.queue:
        screen.notify("No prompt is waiting.", timeout=3)
        return
    if await screen.consent.given(screen.workspace.connection.model, screen.consent.lacking):
        await screen.workspace.current.send_next()
        screen.replies.watch()


async def unqueue(screen: ChatScreen) -> None:
    """Move a waiting prompt to the composer; with several, ask which."""
    waiting = screen.workspace.current.queue
    if not waiting:
        screen.notify("No prompt is waiting.", timeout=3)
        return
    chosen: str | None = waiting[-1]
    if len(waiting) > 1:
        rows = [Choice(text, f"{number} {clean_line(text, 500)}") for number, text in enumerate(waiting, 1)]
        chosen = await screen.ask(Picker(screen.keys, "Take back", rows))
    if chosen in (waiting := screen.workspace.current.queue):  # it may have been sent meanwhile
        screen.replies.unqueue(waiting.index(chosen))


async def earlier(screen: ChatScreen) -> None:
    """Put an earlier prompt of any chat into the composer, where the cursor is."""
    chosen = await screen.ask(PromptsScreen(screen.keys, screen.workspace.store))
    if chosen is not None:
        screen.composer.recall(chosen)
