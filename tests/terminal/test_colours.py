"""Drawing without colours."""

from __future__ import annotations

import pytest
from rich.color import Color
from rich.style import Style
from tui_chat.terminal.cells import restyle
from tui_chat.terminal.colours import without_colours
from tui_chat.terminal.frames import row_cells

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
