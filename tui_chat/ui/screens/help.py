"""The keys, by what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.ui.commands import COMMANDS, Command, key_label

_WRITING = (
    ("^A ^E", "Start and end of the line"),
    ("^U ^K", "Delete to the start, to the end of the line"),
    ("^W", "Delete the word before the cursor"),
    ("^Z ^Y", "Undo, redo"),
    ("↑", "In an empty line: what was sent before"),
)


class HelpScreen(ModalScreen[None]):
    """All keys, from the table of commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter,ctrl+c", "dismiss(None)", "Close", show=False)
    ]

    def __init__(self, own: Mapping[str, str]) -> None:
        super().__init__()
        self._own = own

    def compose(self) -> ComposeResult:
        """One scrollable text."""
        with VerticalScroll(id="help"):
            yield Static(Content("\n").join(self._lines()))

    def on_mount(self) -> None:
        """Keys scroll the text."""
        self.query_one(VerticalScroll).focus()

    def _lines(self) -> Iterator[Content]:
        order = ("Chat", "Write", "Read", "Program")
        commands = sorted(COMMANDS, key=lambda command: order.index(command.group))
        for group, members in groupby(commands, key=lambda command: command.group):
            yield Content.styled(group, "bold underline")
            for command in members:
                if keys := self._keys(command):
                    yield _line(keys, command.help)
            if group == "Write":
                yield from (_line(keys, words) for keys, words in _WRITING)
            yield Content("")
        yield Content("Keys can be changed in the config file, under [keys], by these names:")
        yield Content(", ".join(command.id for command in COMMANDS))
        yield Content("")
        yield Content("Esc closes this.")

    def _keys(self, command: Command) -> str:
        keys = self._own.get(command.id, command.keys)
        return key_label(keys) if keys else ""


def _line(keys: str, words: str) -> Content:
    return Content.assemble("  ", (f"{keys:<11}", "bold"), words)
