"""Drawing without colours."""

from __future__ import annotations

import re

import pytest
from rich.color import Color
from rich.style import Style
from tui_chat.terminal.cells import restyle
from tui_chat.terminal.colours import XTERM_16, XTERM_256, Depth, depth_of, in_depth, is_dark, is_dark_by
from tui_chat.terminal.frames import row_cells


def without_colours(text: str) -> str:
    return in_depth(text, Depth.NONE)


COLOURS = (None, "default", "red", "bright_blue", "color(233)", "#010203", "#ff3839")


@pytest.mark.parametrize("fore", COLOURS)
@pytest.mark.parametrize("back", COLOURS)
@pytest.mark.parametrize("attributes", ["none", "bold", "dim italic underline reverse strike", "frame overline"])
def test_of_a_style_the_attributes_alone_are_left(fore: str | None, back: str | None, attributes: str) -> None:
    plain = Style.parse(attributes)
    style = plain + Style(color=fore and Color.parse(fore), bgcolor=back and Color.parse(back))
    text = "38;5;1m31"  # no sequence, though it looks like half of one
    assert row_cells(without_colours(style.render(text))) == row_cells(plain.render(text))


def test_colours_between_and_before_attributes_go_too() -> None:
    assert without_colours("\x1b[31;1;48;2;3;4;5;4;97;59m") == "\x1b[1;4m"
    assert without_colours("\x1b[0m\x1b[38;5;3m\x1b[m") == "\x1b[0m\x1b[m"


def test_a_frame_keeps_its_cells() -> None:
    chunk = "\x1b[1;38;5;233;48;2;1;31;41mbold\x1b[0m \x1b[7;90;49mrev\x1b[0m"
    coloured, plain = row_cells(chunk), row_cells(without_colours(chunk))
    assert [cell.text for cell in plain] == [cell.text for cell in coloured]
    assert [cell.style for cell in plain[:4]] == [restyle(plain[4].style, "1")] * 4
    assert plain[-1].style.attributes == (7,)


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color"}, Depth.INDEXED),
        ({"TERM": "tmux-256color"}, Depth.INDEXED),
        ({"TERM": "screen-256color"}, Depth.INDEXED),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.TRUE),
        ({"TERM": "xterm-direct"}, Depth.TRUE),
        ({"TERM": "xterm-kitty"}, Depth.TRUE),
        ({"TERM": "xterm"}, Depth.SIXTEEN),
        ({"TERM": "screen"}, Depth.SIXTEEN),
        ({"TERM": "linux"}, Depth.SIXTEEN),
        ({"TERM": "vt100"}, Depth.NONE),
        ({}, Depth.NONE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": ""}, Depth.NONE),
    ],
)
def test_how_many_colours_a_terminal_has(environ: dict[str, str], depth: Depth) -> None:
    assert depth_of(environ) is depth


@pytest.mark.parametrize("number", range(256))
def test_a_colour_that_the_terminal_has_is_sent_as_it_is(number: int) -> None:
    r, g, b = XTERM_16[number] if number < 16 else XTERM_256[number - 16]
    text = f"\x1b[4;38;2;{r};{g};{b};48;2;{r};{g};{b}mx"
    assert in_depth(text, Depth.TRUE) == text
    if number < 16:
        code = 30 + number if number < 8 else 82 + number
        assert in_depth(text, Depth.SIXTEEN) == f"\x1b[4;{code};{code + 10}mx"
    else:
        (fore,) = re.findall(r"38;5;(\d+)", in_depth(text, Depth.INDEXED))
        assert XTERM_256[int(fore) - 16] == (r, g, b)


def test_another_colour_becomes_the_one_that_looks_most_like_it() -> None:
    assert in_depth("\x1b[48;2;46;52;64m", Depth.INDEXED) == "\x1b[48;5;237m"  # a grey, and no teal
    assert in_depth("\x1b[38;2;20;20;20m", Depth.SIXTEEN) == "\x1b[30m"
    assert in_depth("\x1b[31;38;5;9m38;2;1;2;3m", Depth.SIXTEEN) == "\x1b[31;38;5;9m38;2;1;2;3m"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("3", "4"),
        ("1;3;38;2;3;3;3", "1;4;38;2;3;3;3"),
        ("38;2;3;3;3", "38;2;3;3;3"),
        ("31", "31"),
        ("3;31;48;5;3", "4;31;48;5;3"),
    ],
)
def test_where_there_are_no_italics_text_is_underlined(told: str, shown: str) -> None:
    assert in_depth(f"\x1b[{told}m", Depth.TRUE, italic=False) == f"\x1b[{shown}m"


@pytest.mark.parametrize(
    ("answer", "dark"),
    [("rgb:1c1c/1c1c/1c1c", True), ("rgb:ff/ff/f0", False), ("rgba:fdfd/fcfc/fafa/ffff", False), ("?", None)],
)
def test_what_a_terminal_says_of_its_background(answer: str, dark: bool | None) -> None:
    assert is_dark(answer) is dark


@pytest.mark.parametrize(("said", "dark"), [("15;0", True), ("0;15", False), ("0;default;7", False), ("", None)])
def test_what_a_variable_says_of_it(said: str, dark: bool | None) -> None:
    assert is_dark_by({"COLORFGBG": said}) is dark
