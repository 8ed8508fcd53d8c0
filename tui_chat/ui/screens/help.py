"""The keys, by what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.commands import COMMANDS, key_labels
from tui_chat.ui.screens.dialog import Dialog

_WRITING = (
    ("^A ^E", "Start and end of the line"),
    ("^U ^K", "Delete to the start, to the end of the line"),
    ("^W", "Delete the word before the cursor"),
    ("^Z ^Y", "Undo, redo"),
    ("↑", "In an empty line: what was sent before"),
    ("\\ Enter", "At the end of a line: start a new line"),
)
_SELECTED = (
    ("↑ ↓", "Select what is above, below"),
    ("c", "Copy it"),
    ("e", "Edit the prompt; the earlier version is kept"),
    ("r", "Continue, retry or regenerate the reply"),
    ("← →", "Show the previous, the next version"),
    ("Enter", "Show a link's address"),
    ("Esc", "Go back to writing"),
)


class HelpScreen(Dialog[None]):
    """All keys, from the table of commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter,ctrl+c", "dismiss(None)", "Close", show=False)
    ]

    def __init__(self, own: Mapping[str, str]) -> None:
        super().__init__()
        self._own = own

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(id="help"):
            with VerticalScroll():
                for title, keys in self._groups():
                    yield Static(Content.styled(title, "bold underline"))
                    yield from (_line(key, words) for key, words in keys)
                    yield Static()
                yield Static(Content("Keys can be changed in the config file, under [keys], by these names:"))
                yield Static(Content(", ".join(command.id for command in COMMANDS)))
            yield Static(Content("↑ ↓ scroll · Esc closes"), id="help-hint")

    def on_mount(self) -> None:
        """Keys scroll the text."""
        self.query_one(VerticalScroll).focus()

    def _groups(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        for group in ("Chat", "Write", "Read", "Program"):
            keys = [
                (" ".join(key_labels(own)), command.help)
                for command in COMMANDS
                if command.group == group and (own := self._own.get(command.id, command.keys))
            ]
            yield group, keys + list(_WRITING if group == "Write" else ())
            if group == "Read":
                yield "On a selected message", list(_SELECTED)


def _line(key: str, words: str) -> Horizontal:
    return Horizontal(Static(Content.styled(key, "bold"), classes="help-key"), Static(Content(words)))
