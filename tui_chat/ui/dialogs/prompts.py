"""Earlier prompts of all chats, narrowed as one types."""

from __future__ import annotations

import time

from textual import work

from tui_chat.chat.summary import SUM_UP
from tui_chat.errors import StoreError
from tui_chat.store.store import Store
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.chats import age
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice

_SHOWN = 500
"""Characters of a prompt that a row has at most."""


class PromptsScreen(Picker[str]):
    """Answers a prompt that was sent before."""

    def __init__(self, keys: Keymap, store: Store) -> None:
        super().__init__(keys, "Earlier prompts", (), hint="{accept} edit it in the composer · {close} close")
        self._store = store

    def filter(self, typed: str) -> None:
        """Show the prompts with all words that are typed."""
        self.list.outdate()
        self._find(typed)

    @work(exclusive=True, group="search")
    async def _find(self, typed: str) -> None:
        try:
            found = await self._store.prompts(typed)
        except StoreError as error:
            self.list.show([], error.told)
            return
        if found is not None:  # else a newer search is running
            now = time.time()
            rows = [
                Choice(each.text, clean_line(each.text, _SHOWN), (age(now - each.created),))
                for each in found
                if each.text != SUM_UP  # nobody typed that
            ]
            self.list.show(rows, "Nothing found." if typed.strip() else "No prompts yet.")
