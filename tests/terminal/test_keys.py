"""Keys as terminals send them, in one read or in several."""

from __future__ import annotations

import pytest
from textual import constants, events
from tui_chat.terminal import keys
from tui_chat.terminal.keys import BackgroundTold, GraphicsTold, KeyParser


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


ANSWERS = ["\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\", "\x1b]11;rgb:1c/1c/1c\x07", "\x1b]11;rgba:0/0/0/f\x1b\\"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_the_terminal_says_of_its_background_is_no_key_wherever_it_is_split(answer: str) -> None:
    for cut in range(len(answer) + 1):
        parser = KeyParser()
        messages = [message for read in (f"a{answer[:cut]}", f"{answer[cut:]}b") for message in parser.feed(read)]
        typed = [message.key for message in messages if isinstance(message, events.Key)]
        assert [key for key in typed if key not in ("escape", "alt+b")][:1] == ["a"]
        assert cut == 1 or typed == ["a", "b"]
        assert [message.dark for message in messages if isinstance(message, BackgroundTold)] == [True]


@pytest.mark.parametrize(
    ("answer", "sixel", "cell"),
    [
        ("\x1b[6;20;10t\x1b[?62;4;22c", True, (10, 20)),
        ("\x1b[?63;1;2;4;6;9;15;16;22;28;29c", True, None),
        ("\x1b[6;0;10t\x1b[?62;4c", True, None),  # nonsense
        ("\x1b[6;9999;9999t\x1b[?62;4c", True, None),
        ("\x1b[?1;2c", False, None),
        ("\x1b[?4c", False, None),  # a VT132, which has none
    ],
)
def test_what_the_terminal_says_of_its_graphics_is_no_key_wherever_it_is_split(
    answer: str, sixel: bool, cell: tuple[int, int] | None
) -> None:
    escapes = [place for place, character in enumerate(answer) if character == "\x1b"]
    for cut in range(len(answer) + 1):
        if cut - 1 in escapes:
            continue  # there it cannot be told from the key
        parser = KeyParser()
        messages = [message for read in (f"a{answer[:cut]}", f"{answer[cut:]}b") for message in parser.feed(read)]
        assert [message.key for message in messages if isinstance(message, events.Key)] == ["a", "b"]
        told = [message for message in messages if isinstance(message, GraphicsTold)]
        assert [(message.sixel, message.cell) for message in told] == [(sixel, cell)]


@pytest.mark.parametrize(("keys", "name"), [("\x1b[6~", "pagedown"), ("\x1b[A", "up"), ("\x1b[1;3A", "alt+up")])
def test_keys_that_begin_as_an_answer_does_are_keys_wherever_they_are_split(keys: str, name: str) -> None:
    for cut in range(2, len(keys)):
        parser = KeyParser()
        messages = [message for read in (keys[:cut], keys[cut:]) for message in parser.feed(read)]
        assert [message.key for message in messages if isinstance(message, events.Key)] == [name]


def test_the_beginning_of_an_answer_that_has_no_end_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_HALF_SECONDS", -1.0)
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.0)
    parser = KeyParser()
    assert [*parser.feed("]")]  # a bracket waits for nothing
    assert not [*parser.feed("\x1b]")]
    typed = [*parser.tick(), *parser.tick(), *parser.feed("x")]
    assert [event.key for event in typed if isinstance(event, events.Key)][-1] == "x"
