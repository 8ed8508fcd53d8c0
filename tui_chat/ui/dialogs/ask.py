"""Small boxes: a yes or no, a line of text, what to do with a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_chat.errors import ConfigError
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.dialog import Dialog, or_cancel
from tui_chat.ui.widgets.clickable import Hint
from tui_chat.ui.widgets.field import Field

LinkAction = Literal["copy", "open"]


class ConfirmScreen(Dialog[bool]):
    """Asks before something that cannot be undone, or costs something."""

    def __init__(self, keys: Keymap, title: str, hint: str | Content, text: str = "") -> None:
        """`text`: what it means, in a few sentences."""
        super().__init__(keys, title, hint)
        self._text = text

    def body(self) -> Iterable[Widget]:
        """What it means."""
        return (Static(Content(self._text), id="ask-text"),) if self._text else ()

    def accept(self) -> None:
        """Say yes."""
        self.dismiss(True)


class AskScreen(Dialog[str]):
    """Asks for a line of text; an empty one answers nothing."""

    def __init__(
        self,
        keys: Keymap,
        question: str,
        hint: str | Content,
        suggestion: str = "",
        check: Callable[[str], object] = str,
    ) -> None:
        """`check` raises a `ConfigError` for a line that will not do: the box stays and tells it."""
        super().__init__(keys, question, hint)
        self._suggestion = suggestion
        self._check = check

    def body(self) -> Iterable[Widget]:
        """The line."""
        yield Field(self._suggestion, select_on_focus=False)

    def accept(self) -> None:
        """Answer, if the line will do."""
        text = self.query_one(Input).value.strip()
        try:
            if text:
                self._check(text)
        except ConfigError as error:
            self.query_one(Hint).say(Content.assemble(f"{error.told}\n", self.hint))
        else:
            self.dismiss(text or None)


class LinkScreen(Dialog[LinkAction]):
    """Shows a link's whole address; copies it, or opens it where there is a desktop."""

    BINDINGS = bindings(Scope.VIEW, Scope.LINK)

    def __init__(self, keys: Keymap, href: str, *, can_open: bool) -> None:
        super().__init__(keys, "Link", "{link-copy} copy · " + "{link-open} open · " * can_open + "{close} close")
        self._href = href
        self._can_open = can_open

    def body(self) -> Iterable[Widget]:
        """The address."""
        yield Static(Content(self._href), id="link-address")

    def accept(self) -> None:
        """Copy it."""
        self.choose("copy")

    def choose(self, action: LinkAction) -> None:
        """Copy or open it, if that can be done here."""
        if action == "copy" or self._can_open:
            self.dismiss(action)


def title_screen(keys: Keymap, title: str) -> AskScreen:
    """Asks for the new title of a chat."""
    return AskScreen(keys, "Rename this chat", or_cancel("rename"), title)
