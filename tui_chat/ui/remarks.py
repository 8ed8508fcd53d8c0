"""What is said about the text in the composer, as why it was refused: it goes when the text changes or is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.notifications import SeverityLevel

from tui_chat.errors import ChatError
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.status import Status

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


class Remarks:
    """The present remarks: an error in the status bar, a notice, or both."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._error: Status | None = None
        self._notice = ""
        self._text = ""
        """The text that they are about; it may come back into the composer only after they were made."""

    def say_error(self, error: ChatError) -> None:
        """Show an error in the status bar."""
        self._screen.status.say_error(error)
        self.own(self._screen.status.said)

    def own(self, error: Status) -> None:
        """Count an error that the status bar shows among the remarks."""
        self._error, self._text = error, self._screen.composer.text

    def tell(self, notice: str, seconds: float = 10, severity: SeverityLevel = "warning") -> None:
        """Show a notice, instead of the one before."""
        self._withdraw()
        self._screen.notify(notice, severity=severity, timeout=seconds, markup=False)
        self._notice, self._text = notice, self._screen.composer.text

    def written(self, text: str) -> None:
        """The composer's text has changed."""
        if text == self._screen.composer.returned:
            self._text = text
        elif text != self._text:
            self.drop()

    def drop(self) -> None:
        """Remove the remarks: a command is carried out, or a prompt sent."""
        self._withdraw()
        if self._error is not None and self._screen.status.said is self._error:
            self._screen.status.say_state()
        self._error = None

    def _withdraw(self) -> None:
        if self._notice:
            self._screen.query_one(Divider).withdraw(self._notice)
        self._notice = ""
