"""The reply of the chat on screen, and the prompts that wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.text.sanitize import clean_line
from tui_chat.ui.commands.command import command
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


@command("stop", "Stop the reply", "Stop the reply; what came stays", "escape", footer="stop", slash="/stop")
def stop(screen: ChatScreen) -> None:
    """Leave what can be left, else stop the reply."""
    screen.escape()


@command(
    "interrupt", "Copy, stop or quit", "Copy the selection, else stop, else quit at the second press", "ctrl+c"
)
def interrupt(screen: ChatScreen) -> None:
    """Do what Ctrl+C is expected to do."""
    screen.interrupt()


@command(
    "again",
    "Continue, retry or regenerate",
    "Continue a cut reply, try a failed one again, or make a new version of a whole one",
    "ctrl+r",
    footer="again",
    slash="/retry",
)
def again(screen: ChatScreen) -> None:
    """Continue, retry or regenerate the last reply, whichever it needs; or the one that is selected."""
    message = screen.transcript.steps.message
    screen.leave_selection()
    screen.replies.again(message)


@command(
    "send-next",
    "Send the next waiting prompt",
    "Send the next waiting prompt now; a reply on its way is stopped",
    "f4",
    footer="send next",
)
async def send_next(screen: ChatScreen) -> None:
    """Send the prompt that waits longest."""
    if not screen.workspace.current.queue:
        screen.notify("No prompt is waiting.", timeout=3)
        return
    await screen.workspace.current.send_next()
    screen.replies.watch()


@command("unqueue", "Take back a waiting prompt", "Take a waiting prompt back into the composer", slash="/unqueue")
async def unqueue(screen: ChatScreen) -> None:
    """Take the waiting prompt back, or one of several."""
    waiting = screen.workspace.current.queue
    if not waiting:
        screen.notify("No prompt is waiting.", timeout=3)
        return
    chosen: str | None = waiting[-1]
    if len(waiting) > 1:
        rows = [Choice(text, f"{number} {clean_line(text, 500)}") for number, text in enumerate(waiting, 1)]
        chosen = await screen.ask(Picker(screen.keys, "Take back", rows, empty=""))
    if chosen in (waiting := screen.workspace.current.queue):  # it may have been sent meanwhile
        screen.replies.unqueue(waiting.index(chosen))
