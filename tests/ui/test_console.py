"""The Linux console: every mark of ours has a glyph in its fonts."""

from __future__ import annotations

import asyncio

import pytest
from tui_chat.terminal.choose import choose_driver
from tui_chat.terminal.colours import Depth

from tests.ui.scenes import SCENES, Play

FONTS = frozenset("¡¢£¥§¨©ª«¬®°±²´µ¶·¸º»¼½¿×÷ƒ•←↑→↓∈∞∩≈≡≤≥─│┌┐└┘├┤┬┴┼═║╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬█░▒■▲▶▼◀♦\u00a0")
"""Signs beyond ASCII that Debian's Uni2-Fixed16 and Lat15-Fixed16 have, and the kernel's own font."""
SAID = frozenset("🙂👩🚀\u200d∑₌")
"""Signs of the demo's model, which are not ours."""


@pytest.mark.parametrize(
    "scene", ["finished", "error", "streaming", "chats", "pulling", "settings", "help", "files"]
)
def test_each_mark_of_a_scene_has_a_glyph(scene: str) -> None:
    play = Play(SCENES[scene], "tui-chat-dark", Depth.SIXTEEN)
    app = play.app()

    async def shown() -> list[str]:
        async with app.run_test(size=(80, 40)) as pilot:
            await play.run(pilot)
            return [strip.text for strip in app.screen._compositor.render_strips()]

    rows = asyncio.run(shown())
    glyphs = choose_driver({"TERM": "linux"}).glyphs
    marks = {sign for row in rows for sign in row if not (sign.isascii() or sign.isalnum())} - SAID
    assert any(ord(mark) in glyphs for mark in marks)
    assert {mark.translate(glyphs) for mark in marks} - FONTS <= set(map(chr, range(127)))


def test_other_terminals_get_the_marks_as_they_are() -> None:
    assert not choose_driver({"TERM": "xterm-256color"}).glyphs
    assert not choose_driver({"TERM": "tmux-256color"}).glyphs
