"""Reading: scrolling, finding, copying, saving, links."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, cast

from textual.content import Content

from tui_chat.errors import ChatError, ConfigError, StoreError
from tui_chat.files import replace_text, unused_name, working_folder, write_new
from tui_chat.text.figures import size
from tui_chat.text.sanitize import clean_line
from tui_chat.typed import user_path
from tui_chat.ui.dialogs.ask import AskScreen, ConfirmScreen, LinkScreen
from tui_chat.ui.dialogs.dialog import or_cancel
from tui_chat.ui.dialogs.find import FindScreen
from tui_chat.ui.widgets.cursor import Step

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp
    from tui_chat.ui.screen import ChatScreen


def toggle_thinking(screen: ChatScreen) -> None:
    """Show all thinking if the last one is hidden, else hide it."""
    log = screen.transcript
    thoughtful = [entry for entry in log.entries if entry.has_thoughts]
    if not thoughtful:
        screen.notify("There is no thinking in this chat.", timeout=3)
        return
    unfolded = not thoughtful[-1].unfolded
    for entry in thoughtful:
        log.fold(entry, unfolded=unfolded)
    screen.status.say_aside("thinking shown" if unfolded else "thinking hidden")


def to_top(screen: ChatScreen) -> None:
    """Scroll to the start of the chat."""
    screen.transcript.scroll_to(y=0, animate=False)


def scroll(screen: ChatScreen, *, pages: int = 0, rows: int = 0) -> None:
    """Scroll down by pages, each less one row of context, and rows."""
    log = screen.transcript
    log.scroll_relative(y=pages * (log.size.height - 1) + rows, animate=False)


async def find(screen: ChatScreen, words: str) -> None:
    """Find words in this chat."""
    if screen.transcript.entries:
        await screen.ask(FindScreen(screen.keys, screen.transcript.finding, words))
    else:
        screen.notify("There is nothing to find yet.", timeout=3)


def copy(screen: ChatScreen, number: str = "") -> None:
    """Copy a code block of the chat by its number; without one, what is selected, else the last reply."""
    if number:
        chosen = screen.transcript.steps.code_block(int(number)) if number.isdecimal() else None
        if chosen is None:
            hint = "The first row of each has its number."
            raise ConfigError(f"There is no code block {clean_line(number, 20)}.", hint)
    else:
        chosen = _chosen(screen, "copy")
    if chosen is not None:
        copy_out(screen, chosen.what, chosen.text)


async def save(screen: ChatScreen) -> None:
    """Save what is selected, else the last reply, to a file."""
    if (chosen := _chosen(screen, "save")) is not None:
        await save_text(screen, chosen.what, chosen.text, f"{chosen.name}{chosen.suffix}")


def _chosen(screen: ChatScreen, purpose: str) -> Step | None:
    """What is selected, else the last reply; None, with a notice, if it is empty."""
    chosen = screen.transcript.steps.chosen()
    if chosen is not None and chosen.text.strip():
        return chosen
    empty = "There is nothing" if chosen is None else f"{chosen.what.capitalize()} is empty: there is nothing"
    screen.notify(f"{empty} to {purpose}.", timeout=3)
    return None


def copy_out(screen: ChatScreen, what: str, text: str) -> None:
    """Copy text to the terminal's clipboard, or to a file if that cannot take it, and say which."""

    def told(way: str) -> None:
        if way:
            tmux = " If it does not arrive, set in tmux: set -g set-clipboard on" * way.endswith("through tmux")
            # A terminal never tells whether it took it.
            screen.notify(f"Copied {what}: {size(len(text.encode()))} {way}.{tmux}", timeout=4, markup=False)
        else:
            screen.start(_copy_to_file, "copy", screen, what, text)

    cast("ChatApp", screen.app).copy_to_clipboard(text, told)


async def _copy_to_file(screen: ChatScreen, what: str, text: str) -> None:
    """Write text that the clipboard cannot take to one file, which the next such text replaces."""
    file = screen.services.config.data_dir / "copied.txt"
    try:
        await _replace(file, text)
    except StoreError as error:
        screen.status.say_error(error)
    else:
        words = f"{what.capitalize()}, {size(len(text.encode()))}, is in {file}: the clipboard cannot take it."
        screen.notify(words, timeout=10, markup=False)


async def _replace(path: Path, text: str) -> None:
    """Replace the content of a file.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        await asyncio.to_thread(replace_text, path, text)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}", "Check the path.") from error


async def save_text(screen: ChatScreen, what: str, text: str, suggestion: str) -> None:
    """Ask for a file name until `text` can be written to a new file of that name."""
    proposed = PurePath(suggestion)
    name: str | None = await asyncio.to_thread(unused_name, proposed.stem, proposed.suffix)
    hint = f"{screen.keys['accept']} save in {working_folder()} · {screen.keys['close']} cancel"
    while name := await screen.ask(AskScreen(screen.keys, f"Save {what} as", Content(hint), name or "")):
        try:
            path = user_path(name)
            await asyncio.to_thread(write_new, path, text)
        except ChatError as error:
            hint = error.told
        else:
            screen.notify(f"Saved {what} as {path}.", timeout=4, markup=False)
            return


async def save_as(screen: ChatScreen, what: str, text: str, name: str) -> None:
    """Write `text` to a file of this name; ask before one that exists is replaced.

    Raises:
        StoreError: it cannot be written.
        ConfigError: no file can have that name.
    """
    path = user_path(name)
    if not await asyncio.to_thread(os.path.lexists, path):
        await asyncio.to_thread(write_new, path, text)
    elif await screen.ask(ConfirmScreen(screen.keys, f"Replace {path}?", or_cancel("replace"))):
        await _replace(path, text)
    else:
        return
    screen.notify(f"Saved {what} as {path}.", timeout=4, markup=False)


async def show_link(screen: ChatScreen) -> None:
    """Show the address of the selected link."""
    if (step := screen.transcript.steps.chosen()) is not None and step.href:
        await ask_about_link(screen, step.href)


async def ask_about_link(screen: ChatScreen, href: str) -> None:
    """Show a link's address; copy or open it if the user says so."""
    opener = screen.services.open_link
    action = await screen.ask(LinkScreen(screen.keys, href, can_open=opener is not None))
    if action == "copy":
        copy_out(screen, "the address", href)
    elif action == "open" and opener is not None:
        opener(href)
