"""How it looks. A snapshot changes only when the look was meant to change, and somebody looked at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tui_chat.terminal.colours import Depth
from tui_chat.ui.palettes import DARK, LIGHT

from tests.ui.scenes import SCENES, Play

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
THEMES = {"dark": DARK, "light": LIGHT}
SnapCompare = Callable[..., bool]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES)
def test_it_looks_as_it_did(snap_compare: SnapCompare, scene: str, size: str, theme: str) -> None:
    play = Play(SCENES[scene], THEMES[theme])
    assert snap_compare(play.app(), terminal_size=SIZES[size], run_before=play.run)


TINY = (
    "empty",
    "finished",
    "error",
    "picker",
    "pulling",
    "details",
    "no models",
    "context",
    "history",
    "command",
    "completion",
    "settings",
    "files",
)


@pytest.mark.parametrize("scene", TINY)
def test_it_is_usable_in_a_tiny_terminal(snap_compare: SnapCompare, scene: str) -> None:
    play = Play(SCENES[scene])
    assert snap_compare(play.app(), terminal_size=(40, 10), run_before=play.run)


@pytest.mark.parametrize("scene", ["finished", "error"])
@pytest.mark.parametrize(
    ("theme", "depth"),
    [
        ("ansi-dark", Depth.TRUE),
        (DARK, Depth.INDEXED),
        (LIGHT, Depth.INDEXED),
        (DARK, Depth.SIXTEEN),
        (LIGHT, Depth.SIXTEEN),
    ],
)
def test_it_looks_right_in_fewer_colours(snap_compare: SnapCompare, scene: str, theme: str, depth: Depth) -> None:
    play = Play(SCENES[scene], theme, depth)
    assert snap_compare(play.app(), terminal_size=(80, 24), run_before=play.run)


def test_a_wide_screen_has_its_column_in_the_middle(snap_compare: SnapCompare) -> None:
    play = Play(SCENES["finished"])
    assert snap_compare(play.app(), terminal_size=(200, 60), run_before=play.run)
