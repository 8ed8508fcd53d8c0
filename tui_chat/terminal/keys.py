"""Keys that Textual's parser does not know, or takes for others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from textual import events

from tui_chat.terminal.textual_private import Parser

_KEYS: Final[Mapping[str, str]] = {
    "\x1b\r": "alt+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;2;13~": "shift+enter",
}
"""By what a terminal sends: Escape before the key (xterm's `metaSendsEscape`), or its `modifyOtherKeys`."""


class KeyParser(Parser):
    """Textual's parser with these keys. An Escape that is followed by nothing for 0.1 s is a key of its own."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if (key := _KEYS.get(sequence)) is not None:
            return [events.Key(key, None)]
        return super()._sequence_to_key_events(sequence, alt)
