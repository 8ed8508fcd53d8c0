"""The bench sees what the terminal shows: its fast screen against the emulator, for stock and thrifty output."""

from __future__ import annotations

import random

import pytest
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.painter import Painter

from tests.bench.content import KINDS, MARK_EVERY, is_marked, mark, tokens
from tests.bench.programs import Marks
from tests.bench.screen import Screen
from tests.terminal.emulator import Emulator

SIZE = (40, 12)
WORDS = ("queue", "漢字", "é", "│ box ─", " ", "a b  c", "\x1b[1mbold\x1b[0m", "\x1b[38;2;1;2;3mred\x1b[m")


def frames(seed: random.Random) -> list[str]:
    """Frames as Textual writes them: a log that scrolls, and a row that changes."""
    log = [seed.choice(WORDS) + f" {number}" for number in range(60)]
    return [
        "".join(f"\x1b[{y + 1};1H{log[top + y]}\x1b[0m" + " " * 12 for y in range(10))
        + f"\x1b[11;3H{seed.choice(WORDS)} {top}   \x1b[12;1H"
        for top in range(0, 50, seed.choice((1, 2, 3)))
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("thrifty", [False, True])
def test_it_shows_what_the_emulator_shows(seed: int, thrifty: bool) -> None:
    screen, emulator = Screen(*SIZE), Emulator(*SIZE)
    painter = Painter(erases_in_colour=True)
    for data in ["\x1b[?1049h\x1b[?7l\x1b[2J\x1b[H", *frames(random.Random(seed))]:
        frame = parse_frame(data) if thrifty else None
        if frame is not None:
            painter.show(frame, *SIZE)
            data = painter.paint()
        emulator.feed(data)
        for byte in data.encode():  # in the worst of all pieces
            screen.feed(bytes([byte]))
        assert screen.text() == [row.rstrip() for row in emulator.text]
    assert screen.alternate


@pytest.mark.parametrize("kind", KINDS)
def test_every_fourth_token_and_the_last_are_marks(kind: str) -> None:
    made = tokens(kind, 500, "ab")
    assert all(mark("ab", index) in made[index] for index in range(500) if is_marked(index, 500))
    assert is_marked(499, 500)
    assert sum("qab" in token for token in made) == 500 // MARK_EVERY + 1


def test_a_mark_is_noted_when_it_or_a_later_one_is_seen() -> None:
    screen, marks = Screen(40, 3), Marks("ab")
    for moment, text in enumerate([mark("ab", 0), " x", " " + mark("ab", 8)]):
        screen.feed(text.encode())
        marks(float(moment), screen)
        screen.dirty.clear()
    assert (marks.visible(0), marks.visible(4), marks.visible(8), marks.last) == (0.0, 2.0, 2.0, 8)
