"""Every letter that a scene shows can be read, and every mark can be seen, in each of our themes and depths."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from tui_chat.terminal.colours import XTERM_16, Depth, in_depth
from tui_chat.ui.app import ChatApp
from tui_chat.ui.palettes import DARK, LIGHT

from tests.ui.scenes import SCENES, Play
from tests.ui.test_contrast import contrast

_SGR = re.compile(r"\x1b\[([\d;]*)m")
_CODE = re.compile(r"([34])8;2;(\d+);(\d+);(\d+)|([34])8;5;(\d+)|\d+")


_FAINT = "─│▀"
"""Rules in tables, which are meant to be faint, and pictures."""


def shown(app: ChatApp) -> Iterator[Segment]:
    """What is on the screen, or of the dialog on it: what lies below one is veiled."""
    within = app.screen.children[0].region if len(app.screen_stack) > 1 else app.screen.region
    for strip in app.screen._compositor.render_strips()[within.y : within.bottom]:
        yield from strip.crop(within.x, within.right)


def colours(style: Style, depth: Depth) -> tuple[str, str, str]:
    """The text's colour, its ground, and the colours as they were chosen."""
    sent = _SGR.match(in_depth(style.render("x"), depth))
    found, bold, reverse = {"3": "", "4": ""}, False, False
    for code in _CODE.finditer(sent[1] if sent else ""):
        if code[1]:
            found[code[1]] = "#{:02x}{:02x}{:02x}".format(*map(int, code.group(2, 3, 4)))
        elif code[5]:
            triplet = Color.from_ansi(int(code[6])).get_truecolor()
            found[code[5]] = triplet.hex
        else:
            number = int(code[0])
            bold, reverse = bold or number == 1, reverse or number == 7
            for place, base, bright in (("3", 30, 90), ("4", 40, 100)):
                if base <= number < base + 8:
                    index = number - base + (8 if bold and place == "3" else 0)
                    found[place] = "#{:02x}{:02x}{:02x}".format(*XTERM_16[index])
                elif bright <= number < bright + 8:
                    found[place] = "#{:02x}{:02x}{:02x}".format(*XTERM_16[number - bright + 8])
    text, ground = found["3"], found["4"]
    return (ground, text, str(style)) if reverse else (text, ground, str(style))


@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.INDEXED, Depth.SIXTEEN], ids=lambda depth: depth.name)
@pytest.mark.parametrize("theme", [DARK, LIGHT])
@pytest.mark.parametrize("scene", SCENES)
def test_what_a_scene_shows_can_be_read(scene: str, theme: str, depth: Depth) -> None:
    play = Play(SCENES[scene], theme, depth)
    app = play.app()

    async def look() -> list[Segment]:
        async with app.run_test(size=(100, 30)) as pilot:
            await play.run(pilot)
            return list(shown(app))

    unread = set[str]()
    for segment in asyncio.run(look()):
        text, style = segment.text.strip(f" {_FAINT}"), segment.style
        if not text or style is None:
            continue
        letter, ground, chosen = colours(style, depth)
        least = 4.5 if any(character.isalnum() for character in text) else 3.0
        if not letter or not ground:
            unread.add(f"{chosen}: {text}")
        elif (found := contrast(letter, ground)) < least:
            unread.add(f"{found:.1f} {letter} {ground} {chosen}: {text}")
    assert not unread
