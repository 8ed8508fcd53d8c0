"""Keys as terminals send them, in one read or in several."""

from __future__ import annotations

import pytest
from textual import constants, events
from tui_chat.terminal.keys import KeyParser


def keys_of(*reads: str) -> list[str]:
    """The keys that these reads are, without what only time would tell."""
    parser = KeyParser()
    return [event.key for read in reads for event in parser.feed(read) if isinstance(event, events.Key)]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b\r", ["alt+enter"]),
        ("a\x1b\rb\r", ["a", "alt+enter", "b", "enter"]),
        ("\x1b[13;3u", ["alt+enter"]),
        ("\x1b[27;3;13~", ["alt+enter"]),
        ("\x1b[13;2u", ["shift+enter"]),
        ("\x1b[27;2;13~", ["shift+enter"]),
        ("\x1b[1;3A", ["alt+up"]),
        ("\t", ["tab"]),
        ("\x1b[Z", ["shift+tab"]),
        ("\x1b[15~", ["f5"]),
        ("\x1b[[E", ["f5"]),
    ],
)
def test_a_key_is_known_however_it_is_split(sent: str, keys: list[str]) -> None:
    assert keys_of(sent) == keys
    assert keys_of(*sent) == keys


def test_an_escape_by_itself_is_no_part_of_the_key_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.0)
    parser = KeyParser()
    messages = [*parser.feed("\r\x1b"), *parser.tick(), *parser.feed("\r")]
    assert [event.key for event in messages if isinstance(event, events.Key)] == ["enter", "escape", "enter"]
