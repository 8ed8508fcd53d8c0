"""Every pair of colours of our own themes that is used can be read, in each depth (WCAG 2.1: 4.5 for text)."""

from __future__ import annotations

import re

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import Theme
from tui_chat.terminal.colours import XTERM_16, XTERM_256, Depth, in_depth
from tui_chat.ui.palettes import own_themes

DEPTHS = (Depth.TRUE, Depth.INDEXED, Depth.SIXTEEN)
THEMES = [
    pytest.param(theme, depth, id=f"{theme.name}-{depth.name}") for depth in DEPTHS for theme in own_themes(depth)
]
HUES = ("text-primary", "text-secondary", "text-accent", "text-success", "text-warning", "text-error")
TEXTS = ("foreground", "text-muted", "text-disabled", "you", "model", *HUES)
GROUNDS = ("background", "surface", "panel")
"""The log; code and what opens over the chat; prompts, and where one writes."""
OTHERS = (
    ("error-words", "error-ground"),
    ("block-cursor-foreground", "block-cursor-background"),
    ("screen-selection-foreground", "screen-selection-background"),
    ("input-selection-foreground", "input-selection-background"),
    ("input-cursor-foreground", "input-cursor-background"),
)
MARKS = (
    ("rule", "background"),
    ("rule", "surface"),
    ("scrollbar", "background"),
    ("scrollbar-hover", "background"),
)


def variables_of(theme: Theme) -> dict[str, str]:
    return theme.to_color_system().generate() | theme.variables


def luminance(colour: str) -> float:
    parts = (part / 255 for part in Color.parse(colour).rgb)
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def pairs_of() -> list[tuple[str, str, float]]:
    pairs = [(text, ground, 4.5) for ground in GROUNDS for text in TEXTS]
    return pairs + [(*pair, 4.5) for pair in OTHERS] + [(*pair, 3.0) for pair in MARKS]


@pytest.mark.parametrize(("theme", "depth"), THEMES)
def test_every_pair_that_is_used_can_be_read(theme: Theme, depth: Depth) -> None:
    have = variables_of(theme)
    assert not [
        (text, ground, round(found, 2))
        for text, ground, least in pairs_of()
        if (found := contrast(have[text], have[ground])) < least
    ]


@pytest.mark.parametrize(("theme", "depth"), THEMES)
def test_what_was_chosen_for_a_depth_is_there_in_it(theme: Theme, depth: Depth) -> None:
    there = {Depth.INDEXED: XTERM_256, Depth.SIXTEEN: XTERM_16}.get(depth)
    have = variables_of(theme)
    used = {*TEXTS, *GROUNDS, *(name for pair in (*OTHERS, *MARKS) for name in pair)}
    assert there is None or not [name for name in used if Color.parse(have[name]).rgb not in there]


@pytest.mark.parametrize("theme", own_themes(Depth.SIXTEEN), ids=lambda theme: theme.name)
@pytest.mark.parametrize("attributes", ["bold", "bold italic", "bold reverse"])
def test_a_pair_can_be_read_where_bold_brightens_its_colour(theme: Theme, attributes: str) -> None:
    """xterm, the Linux console and others show the first eight colours as the second eight where they are bold."""
    have = variables_of(theme)
    unread = []
    for text, ground, least in pairs_of():
        style = Style.parse(f"{attributes} {have[text]} on {have[ground]}")
        sent = re.search(r"\x1b\[([\d;]+)m", in_depth(style.render("x"), Depth.SIXTEEN))
        assert sent is not None
        codes = list(map(int, sent[1].split(";")))
        number = next(code - 30 for code in codes if 30 <= code <= 37 or 90 <= code <= 97)
        number -= 52 if number > 7 else 0
        shown = number + 8 if 1 in codes and number < 8 else number
        if contrast(Color(*XTERM_16[shown]).hex, have[ground]) < least:
            unread.append((text, ground))
    assert not unread
