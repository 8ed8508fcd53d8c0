"""Reading: scrolling, selecting, finding, copying, saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.terminal.clipboard import LIMIT, route
from tui_chat.ui.commands.command import Argument, command
from tui_chat.ui.dialogs.find import FindScreen
from tui_chat.ui.dialogs.save import save_text
from tui_chat.ui.widgets.cursor import Step

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


@command("toggle-thinking", "Fold thinking", "Show or hide what the model thought", "ctrl+t", slash="/thinking")
def toggle_thinking(screen: ChatScreen) -> None:
    """Fold or unfold all thinking: the opposite of how the last one is."""
    log = screen.transcript
    thoughtful = [entry for entry in log.entries if entry.has_thoughts]
    if not thoughtful:
        screen.notify("There is no thinking in this chat.", timeout=3)
        return
    unfolded = not thoughtful[-1].unfolded
    for entry in thoughtful:
        log.fold(entry, unfolded=unfolded)
    screen.status.say_aside("thinking is shown" if unfolded else "thinking is folded")


def _scroll(pages: int = 0, rows: int = 0) -> Callable[[ChatScreen], None]:
    """Scroll down by so many pages, less a row of context each, and rows."""

    def scroll(screen: ChatScreen) -> None:
        log = screen.transcript
        log.scroll_relative(y=pages * (log.size.height - 1) + rows, animate=False)

    return scroll


follow = command("follow", "To the end", "Go to the end and follow the reply", "ctrl+end")(
    lambda screen: screen.transcript.follow()
)
top = command("top", "To the top", "Go to the beginning of the chat", "ctrl+home")(
    lambda screen: screen.transcript.scroll_to(y=0, animate=False)
)
page_up = command("page-up", "Page up", "Scroll up by a page", "pageup")(_scroll(pages=-1))
page_down = command("page-down", "Page down", "Scroll down by a page", "pagedown")(_scroll(pages=1))
line_up = command("line-up", "Line up", "Scroll up by a line", "shift+up")(_scroll(rows=-1))
line_down = command("line-down", "Line down", "Scroll down by a line", "shift+down")(_scroll(rows=1))
step_up = command("step-up", "Step up", "Select the message, code block or link above", "alt+up,shift+tab")(
    lambda screen: screen.select(-1)
)
step_down = command("step-down", "Step down", "Select the message, code block or link below", "alt+down,tab")(
    lambda screen: screen.select(1)
)


@command("find", "Find", "Find in this chat", "ctrl+f", slash="/find", argument=Argument("words"))
async def find(screen: ChatScreen, words: str) -> None:
    """Find something in this chat."""
    if screen.transcript.entries:
        await screen.ask(FindScreen(screen.keys, screen.transcript.finding, words))
    else:
        screen.notify("There is nothing to find yet.", timeout=3)


@command(
    "copy", "Copy", "Copy the selected message, code block or link, else the last reply", "alt+c,f5", slash="/copy"
)
def copy(screen: ChatScreen) -> None:
    """Copy what is selected, else the last reply."""
    if (chosen := _chosen(screen, "copy")) is not None:
        copy_out(screen, chosen.what, chosen.text)


@command("save", "Save", "Write the selected message or code block, else the last reply, to a file", "ctrl+s")
async def save(screen: ChatScreen) -> None:
    """Write what is selected, else the last reply, to a file."""
    if (chosen := _chosen(screen, "save")) is not None:
        await save_text(screen, chosen.what, chosen.text, f"{chosen.name}{chosen.suffix}")


def _chosen(screen: ChatScreen, purpose: str) -> Step | None:
    """What is selected, else the last reply; says so where there is nothing in it."""
    chosen = screen.transcript.steps.chosen()
    if chosen is not None and chosen.text.strip():
        return chosen
    empty = "There is nothing" if chosen is None else f"{chosen.what.capitalize()} is empty: there is nothing"
    screen.notify(f"{empty} to {purpose}.", timeout=3)
    return None


def copy_out(screen: ChatScreen, what: str, text: str) -> None:
    """Send text to the clipboard, and say by which way: a terminal never tells whether it took it."""
    if len(text.encode()) > LIMIT:
        long = screen.keys.hint("is too long for a terminal's clipboard: {save} writes it to a file.")
        screen.notify(f"{what.capitalize()} {long}", severity="warning")
    else:
        screen.app.copy_to_clipboard(text)
        way = route(screen.services.environ)
        screen.notify(f"Sent {what}, {len(text):,} characters, {way}.", timeout=4)
