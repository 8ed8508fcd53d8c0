"""Pictures on a terminal that has Sixel, and on one that has not."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image as pil
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, Image, parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.program.kit import ANSWERS, CTRL_HOME, Home, Program
from tests.server import ScriptedServer
from tests.terminal.test_sixel import STRIP, decoded

ASKED = "\x1b[16t\x1b[c"
UP, DOWN = "\x1b[<64;10;10M", "\x1b[<65;10;10M"
"""The wheel."""


async def keep_a_picture(home: Home) -> None:
    """A chat with a picture of 40x40 pixels, red above blue, and an answer longer than the screen."""
    image, file = pil.new("RGB", (40, 40), (255, 0, 0)), BytesIO()
    image.paste((0, 0, 255), (0, 20, 40, 40))
    image.save(file, "PNG")
    prompt = Message(Role.USER, parts_of("Look.", files=[Image("p.png", "image/png", Blob.of(file.getvalue()))]))
    answer = Message(Role.ASSISTANT, parts_of("\n\n".join(f"line {n}" for n in range(40))), parent=prompt.id)
    store = await Store.open(home.database)
    await store.adopt(Thread(Chat("chat", leaf=answer.id), (prompt, answer)))
    await store.aclose()


async def show(program: Program) -> None:
    """Go to the picture and press its key."""
    program.type(CTRL_HOME)
    await program.until_shows("p.png")
    program.type("\x1b[1;3A")
    await program.until_shows("message selected")
    program.type("\x1b[1;3A")
    await program.until_shows("▎ you")
    program.type("p")


def strips(output: str) -> list[str]:
    return [match[0] for match in STRIP.finditer(output)]


async def test_a_terminal_with_sixel_gets_each_row_once(home: Home, server: ScriptedServer) -> None:
    await keep_a_picture(home)
    async with home.running("--url", server.url, "--chat", "chat") as program:
        program.answers = {**ANSWERS, ASKED: "\x1b[6;20;10t\x1b[?62;4;22c"}
        await program.until_shows("ready", "line 39")
        assert ASKED not in program.output  # nobody has asked for a picture
        await show(program)
        await program.until(lambda: len(strips(program.output)) == 2)
        above, below = (decoded(strip) for strip in strips(program.output))
        assert {len(above), len(below)} == {20}
        assert {pixel for line in above for pixel in line} == {(100, 0, 0)}
        assert {pixel for line in below for pixel in line} == {(0, 0, 100)}
        assert len(above[0]) == 40
        program.type(DOWN)
        await program.until(lambda: not program.shows("you"))
        program.type(UP)
        await program.until_shows("you")
        assert len(strips(program.output)) == 2  # it moved with the lines
        assert program.output.count(ASKED) == 1
        assert await program.quit() == 0


@pytest.mark.parametrize("answer", ["\x1b[?1;2c", "\x1b[?62;4;22c", ""])
async def test_one_without_sixel_or_that_does_not_tell_its_cells_gets_half_blocks(
    home: Home, server: ScriptedServer, answer: str
) -> None:
    await keep_a_picture(home)
    async with home.running("--url", server.url, "--chat", "chat") as program:
        program.answers = {**ANSWERS, ASKED: answer}
        await program.until_shows("ready", "line 39")
        await show(program)
        blocks: Callable[[], bool] = lambda: bool(re.search("▀▀", "".join(program.rows)))  # noqa: E731
        await program.until(blocks)
        assert not strips(program.output)
        assert await program.quit() == 0
