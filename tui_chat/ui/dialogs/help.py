"""The help: all keys, in groups."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.scrollbar import ThinScroll

_EDITING: Final = (
    ("^A ^E", "Start and end of the line"),
    ("^U ^K", "Delete to the start, to the end of the line"),
    ("^W", "Delete the word before the cursor"),
    ("^Z ^Y", "Undo, redo"),
    ("↑", "The last waiting prompt, or the one before; after some text, one of any chat that begins so"),
    ("\\ Enter", "At the end of a line: start a new line"),
    ("!command", "Run it in your shell; its output comes into the prompt. !! again"),
    ("@path", "Attach a file or a folder"),
    ("\\! \\@", "A plain ! in front; an @path that attaches nothing; the \\ is not sent"),
)
"""Keys of the composer that are no commands."""


class HelpScreen(Dialog[None]):
    """All keys, from the table of commands."""

    BINDINGS = bindings(Scope.VIEW)

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(id="help"):
            with ThinScroll():
                for title, commands in self.keys.groups.items():
                    named = [(labels, each.help) for each in commands if (labels := self.keys.labels(each.id))]
                    if not named:
                        continue
                    yield Static(Content.styled(title, "bold underline"))
                    yield from (_line(" ".join(labels), help) for labels, help in named)
                    if title == "Write":
                        yield from (_line(key, words) for key, words in _EDITING)
                    yield Static()
                yield Static(Content("To change keys, use these names under [keys] in the config file:"))
                yield Static(Content(", ".join(self.keys.commands)))
            yield Hint(self.keys.line("↑ ↓ scroll · {close} close"), id="help-hint")

    def on_mount(self) -> None:
        """Focus the text, so that keys scroll it."""
        self.query_one(ThinScroll).focus()

    def accept(self) -> None:
        """Close it."""
        self.dismiss()


def _line(key: str, words: str) -> Horizontal:
    return Horizontal(Static(Content.styled(key, "bold"), classes="help-key"), Static(Content(words)))
