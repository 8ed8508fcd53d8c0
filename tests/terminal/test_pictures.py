"""Kitty's pictures: sent once, drawn as cells, so that the driver treats them as the text they are."""

from __future__ import annotations

import base64
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tui_chat.terminal.cells import disputed_width
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.outbox import Outbox
from tui_chat.terminal.painter import Painter
from tui_chat.terminal.pictures import (
    MOST_CELLS,
    has_placeholders,
    picture_number,
    placeholder_colour,
    placeholders,
    send_picture,
)
from tui_chat.text.clusters import clusters
from tui_chat.text.sanitize import clean, clean_line

KITTY, TMUX = {"TERM": "xterm-kitty"}, {"TERM": "tmux-256color", "TMUX": "x"}
CELL = "\U0010eeee"


@settings(deadline=None)
@given(st.binary(max_size=20_000), st.integers(1, 2**24 - 1), st.integers(1, 80), st.integers(1, 80))
def test_the_picture_arrives_whole_in_pieces_that_are_not_answered(
    png: bytes, number: int, columns: int, rows: int
) -> None:
    pieces = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", send_picture(png, number, columns, rows, KITTY))
    assert base64.b64decode("".join(data for _, data in pieces)) == png
    keys = [dict(key.split("=") for key in controls.split(",")) for controls, _ in pieces]
    assert (
        keys[0] | {"a": "T", "U": "1", "f": "100", "i": str(number), "c": str(columns), "r": str(rows)} == keys[0]
    )
    assert [key["m"] for key in keys] == ["1"] * (len(keys) - 1) + ["0"]
    assert all(key["q"] == "2" for key in keys)
    assert all(
        len(data) <= 4096 and (len(data) % 4 == 0 or not key["m"])
        for key, (_, data) in zip(keys, pieces, strict=True)
    )


@settings(deadline=None)
@given(st.binary(max_size=9_000))
def test_tmux_passes_on_what_kitty_gets(png: bytes) -> None:
    wrapped = re.findall("\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\\\", send_picture(png, 7, 3, 2, TMUX))
    assert "".join(wrapped).replace("\x1b\x1b", "\x1b") == send_picture(png, 7, 3, 2, KITTY)


def test_sending_a_picture_makes_the_driver_paint_nothing_anew() -> None:
    outbox = Outbox(Painter(erases_in_colour=True))
    outbox.open()
    frame = parse_frame(f"\x1b[1;1H{'text':<20}\n\x1b[2;1H{'more':<20}\x1b[1;1H")
    assert frame is not None
    outbox.show(frame, 20, 2)
    assert outbox.take()
    for environ in (KITTY, TMUX):
        outbox.control(send_picture(b"x" * 9000, 7, 3, 2, environ))
        assert b"Ga=T" in outbox.take()
        assert outbox.take() == b""


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 90), st.integers(1, 90))
def test_every_cell_says_which_part_it_shows(columns: int, rows: int) -> None:
    drawn = placeholders(columns, rows)
    assert len(drawn) == min(rows, MOST_CELLS)
    assert {cell_len(row) for row in drawn} == {min(columns, MOST_CELLS)}
    cells = [row[start:end] for row in drawn for start, end, _ in clusters(row)]
    assert len(set(cells)) == len(cells)
    assert all(len(cell) == 3 and cell[0] == CELL for cell in cells)
    assert not any(map(disputed_width, cells))  # no terminal that gets one measures it otherwise


def test_the_marks_are_those_of_the_protocol() -> None:
    first, *_, last = placeholders(80, 80)
    assert first.startswith(f"{CELL}\u0305\u0305{CELL}\u0305\u030d{CELL}\u0305\u030e{CELL}\u0305\u0310")
    assert last.endswith(f"{CELL}\u06e2\u06e2")


def test_a_picture_scrolls_as_text_does() -> None:
    """It is not sent anew: only the row that comes is, and that of the picture which comes back."""
    painter = Painter(erases_in_colour=True)
    red, green, blue = placeholder_colour(0x123456)
    picture = [f"\x1b[38;2;{red};{green};{blue}m{row}\x1b[0m" for row in placeholders(80, 12)]
    log = [f"{line:<80}" for line in "abcdefghijkl"] + picture + [f"{line:<80}" for line in "mnopqrstuvwx"]
    costs = []
    for top in range(8):
        rows = "\n".join(f"\x1b[{y + 1};1H{row}" for y, row in enumerate(log[top : top + 24]))
        frame = parse_frame(f"{rows}\x1b[1;1H")
        assert frame is not None
        painter.show(frame, 80, 24)
        costs.append(len(painter.paint().encode()))
    assert costs[0] > 80 * 12 * 8
    assert max(costs[1:]) < 100


@settings(deadline=None)
@given(st.text())
def test_nobody_but_us_writes_a_placeholder(text: str) -> None:
    assert CELL not in clean(f"{text}{CELL}\u0305\u0305")
    assert CELL not in clean_line(f"{CELL}{text}")


def test_terminals_that_are_known() -> None:
    assert has_placeholders(KITTY)
    assert has_placeholders({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"})
    assert not has_placeholders({"TERM": "xterm-256color", "KONSOLE_VERSION": "1"})
    assert not has_placeholders({**TMUX, "TERM_PROGRAM": "ghostty"})


def test_a_number_is_a_colour() -> None:
    assert picture_number("0a0b0cffff") == 0x0A0B0C
    assert picture_number("000000ffff") == 1
    assert placeholder_colour(0x0A0B0C) == (10, 11, 12)
