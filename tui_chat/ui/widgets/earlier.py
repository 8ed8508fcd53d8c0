"""Earlier prompts, one at a time, in place of what is typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from tui_chat.chat.summary import SUM_UP
from tui_chat.chat.workspace import Workspace
from tui_chat.errors import StoreError
from tui_chat.store.values import Prompt
from tui_chat.text.fold import fold
from tui_chat.ui.commands.slash import prompt_of, typed_as


class EarlierPrompts:
    """The prompts of the open chat, then those of all others, which begin with what is typed; the newest first."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._own: tuple[str, ...] = ()
        self._rows: list[str] = [""]
        """What is typed, then the prompts found for it."""
        self._at = 0

    def remember(self, prompts: Iterable[str]) -> None:
        """Offer these prompts of the open chat, the oldest first."""
        self._own = tuple(map(typed_as, prompts))
        if not self._at:
            self.begin("")

    def shows(self, text: str) -> bool:
        """Whether a text is the one that was shown last, or what was typed before."""
        return text == self._rows[self._at]

    def recalled(self, text: str) -> bool:
        """Whether a text is a prompt that is shown instead of what was typed."""
        return self._at > 0 and self.shows(text)

    def begin(self, typed: str, others: Iterable[str] = ()) -> None:
        """Find the prompts that begin with what is typed, except the one for a summary, which nobody typed."""
        wanted = fold(typed)
        found = [text for text in (*reversed(self._own), *others) if fold(text[: len(wanted)]) == wanted]
        self._rows, self._at = [typed, *(text for text in dict.fromkeys(found) if text not in (typed, SUM_UP))], 0

    async def search(self, typed: str) -> None:
        """Find the prompts of all chats that begin with what is typed."""
        others: Sequence[Prompt] = ()
        with suppress(StoreError):  # then those of this chat have to do
            others = await self._workspace.store.prompts(prompt_of(typed), beginning=True) or ()
        self.begin(typed, (typed_as(prompt.text) for prompt in others))

    def step(self, step: int) -> str | None:
        """The prompt before (-1) the one that is shown, or after it (1), at last what was typed; None beyond."""
        if not 0 <= self._at - step < len(self._rows):
            return None
        self._at -= step
        return self._rows[self._at]
