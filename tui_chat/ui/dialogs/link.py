"""What to do with a link: nothing opens by itself, and the whole address is shown first."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.commands import dialogs
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog

LinkAction = Literal["copy", "open"]


class LinkScreen(Dialog[LinkAction]):
    """Shows an address, which can be copied, and opened where there is a desktop to open it on."""

    BINDINGS: ClassVar[list[BindingType]] = dialogs.bindings(Scope.VIEW, Scope.LINK)

    def __init__(self, keys: Keymap, href: str, *, can_open: bool) -> None:
        super().__init__(keys)
        self._href = href
        self._can_open = can_open

    def compose(self) -> ComposeResult:
        """The address and the keys."""
        hint = "{link-copy} copies · " + "{link-open} opens · " * self._can_open + "{close} closes"
        with Vertical(id="link"):
            yield Static(Content("Link"), id="link-title")
            yield Static(Content(self._href), id="link-address")
            yield Static(Content(self.keys.hint(hint)), id="link-keys")

    def accept(self) -> None:
        """Copy it."""
        self.choose("copy")

    def choose(self, action: LinkAction) -> None:
        """Do it, if it can be done here."""
        if action == "copy" or self._can_open:
            self.dismiss(action)
