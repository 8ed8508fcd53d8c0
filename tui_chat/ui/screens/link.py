"""What to do with a link: nothing opens by itself, and the whole address is shown first."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.screens.dialog import Dialog

LinkAction = Literal["copy", "open"]


class LinkScreen(Dialog[LinkAction | None]):
    """Shows an address; `c` copies it, `o` opens it where there is a desktop to open it on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+c", "dismiss(None)", "Close", show=False),
        Binding("c,enter", "choose('copy')", "Copy", show=False),
        Binding("o", "choose('open')", "Open", show=False),
    ]

    def __init__(self, href: str, *, can_open: bool) -> None:
        super().__init__()
        self._href = href
        self._can_open = can_open

    def compose(self) -> ComposeResult:
        """The address and the keys."""
        keys = "c copies · o opens · Esc closes" if self._can_open else "c copies · Esc closes"
        with Vertical(id="link"):
            yield Static(Content("Link"), id="link-title")
            yield Static(Content(self._href), id="link-address")
            yield Static(Content(keys), id="link-keys")

    def action_choose(self, action: LinkAction) -> None:
        """Do it, if it can be done here."""
        if action == "copy" or self._can_open:
            self.dismiss(action)
