"""What can be done with a selected message, code block or link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.ui.commands import read, reply
from tui_chat.ui.commands.command import Scope, command
from tui_chat.ui.dialogs.link import LinkScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

select_up = command("select-up", "Select above", "Select what is above", "up", Scope.LOG)(read.step_up.function)
select_down = command("select-down", "Select below", "Select what is below", "down", Scope.LOG)(
    read.step_down.function
)
to_top = command("selected-top", "To the top", "Go to the beginning", "home", Scope.LOG)(read.top.function)
to_end = command("selected-end", "To the end", "Go to the end", "end", Scope.LOG)(read.follow.function)
copy = command("selected-copy", "Copy", "Copy it", "c", Scope.LOG)(read.copy.function)


edit = command("edit", "Edit", "Edit the prompt; the earlier version is kept", "e", Scope.LOG)(
    lambda screen: screen.edit.begin(screen.transcript.steps.message)
)
again = command("selected-again", "Again", "Continue, retry or regenerate the reply", "r", Scope.LOG)(
    reply.again.function
)


before = command("version-before", "Version before", "Show the previous version", "left", Scope.LOG)(
    lambda screen: screen.edit.turn(-1)
)
after = command("version-after", "Version after", "Show the next version", "right", Scope.LOG)(
    lambda screen: screen.edit.turn(1)
)


@command("show-link", "Show link", "Show a link's address", "enter", Scope.LOG)
async def show_link(screen: ChatScreen) -> None:
    """Ask what to do with the selected link."""
    if (step := screen.transcript.steps.chosen()) is not None and step.href:
        await ask_about_link(screen, step.href)


async def ask_about_link(screen: ChatScreen, href: str) -> None:
    """Ask what to do with a link, and do it."""
    opener = screen.services.open_link
    action = await screen.ask(LinkScreen(screen.keys, href, can_open=opener is not None))
    if action == "copy":
        read.copy_out(screen, "the address", href)
    elif action == "open" and opener is not None:
        opener(href)
