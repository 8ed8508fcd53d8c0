"""Dialogs that show something to be scrolled: the help, and texts below their headings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Final

from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog
from tui_chat.ui.widgets.scrolling import ThinScroll

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


class View(Dialog[None]):
    """Shows something to be scrolled."""

    BINDINGS = bindings(Scope.VIEW)
    BOX = "help"

    def __init__(self, keys: Keymap, title: str = "") -> None:
        super().__init__(keys, title, "↑ ↓ scroll · {close} close")

    @abstractmethod
    def lines(self) -> Iterable[Widget]:
        """What is scrolled."""

    def body(self) -> Iterable[Widget]:
        """One text that scrolls."""
        with ThinScroll():
            yield from self.lines()

    def accept(self) -> None:
        """Close it."""
        self.dismiss()


class TextScreen(View):
    """Texts below their headings."""

    def __init__(self, keys: Keymap, title: str, texts: Mapping[str, str]) -> None:
        """`texts`: by their headings; empty ones are left out."""
        super().__init__(keys, title)
        self._texts = texts

    def lines(self) -> Iterable[Widget]:
        """Each text below its heading."""
        for heading, text in self._texts.items():
            if text.strip():
                yield Static(Content.assemble("\n", (heading, "bold underline"), "\n", text.strip("\n")))


class HelpScreen(View):
    """All keys, from the table of commands."""

    def lines(self) -> Iterable[Widget]:
        """The keys in their groups, then the names of all commands."""
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


def _line(key: str, words: str) -> Horizontal:
    return Horizontal(Static(Content.styled(key, "bold"), classes="help-key"), Static(Content(words)))
