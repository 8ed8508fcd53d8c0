"""What every screen that opens over the chat has in common."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Closes once, and only itself: keys that were pressed before it was gone do nothing."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close with an answer. Textual raises at the second time, or closes what is below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
