"""What the terminal sends: pastes with anything in them, letters of every script, bytes that are no text; and what
is sent to a terminal without colours."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest
from tui_chat.terminal.colours import Depth
from tui_chat.ui.palettes import own_themes

from tests.program.kit import ANSWERS, CTRL_C, CTRL_HOME, ESCAPE, Home, Program
from tests.server import ScriptedServer, reply, stall, token, wait
from tests.terminal.emulator import Glyph

PASTE, PASTED = "\x1b[200~", "\x1b[201~"
CTRL_P = "\x10"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")
PASTE_SECONDS = 5.0
"""Of the processor, for a long paste; without escapes in it, it takes a fifth of one."""


async def send(program: Program, data: bytes, piece: int = 1000) -> None:
    """The bytes, as fast as the program reads them."""
    while data:
        try:
            data = data[os.write(program._master, data[:piece]) :]
        except BlockingIOError:
            await asyncio.sleep(0.001)


async def draft_of(home: Home, program: Program) -> str:
    """Leave; what was in the composer then."""
    assert await program.quit() == 0
    assert "Traceback" not in program.output
    (thread,) = await home.threads()
    assert thread.messages == ()
    return thread.chat.draft


def inks_of(program: Program, text: str) -> set[str]:
    """The colours of the letters in the first row that has a text."""
    return {cell.fg for cell in row_of(program, text) if cell.data.isalpha()}


def row_of(program: Program, text: str) -> list[Glyph]:
    """The cells of the first row that has a text; none where it is not there, as in the middle of a repaint."""
    return next((row for row in program.screen.snapshot() if text in "".join(cell.data for cell in row)), [])


@pytest.mark.parametrize("typed", ["typed ahead", f"{PASTE}pasted ahead{PASTED}"], ids=["typed", "pasted"])
async def test_what_comes_while_the_program_starts_is_in_the_composer(
    home: Home, server: ScriptedServer, typed: str
) -> None:
    async with home.running("--url", server.url) as program:
        await program.until(lambda: bool(program.output))  # it has the terminal, and shows nothing yet
        await send(program, typed.encode(), 1000)
        await program.until_shows("tiny")
        assert await draft_of(home, program) == typed.removeprefix(PASTE).removesuffix(PASTED)


@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_a_paste_with_escapes_stays_whole_and_is_not_sent(
    home: Home, server: ScriptedServer, piece: int
) -> None:
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny", "Ask anything")
        text = "one \x1b[1mbold\x1b[0m\rtwo\x1b\r\nthree\x1b]0;x\x07 漢"
        await send(program, f"{PASTE}{text}{PASTED}!".encode(), piece)
        await program.until_shows("one ␛[1mbold␛[0m", "two␛", "three␛]0;x␇ 漢!")
        assert await draft_of(home, program) == "one ␛[1mbold␛[0m\ntwo␛\nthree␛]0;x␇ 漢!"


async def test_a_long_paste_full_of_escapes_is_there_at_once(home: Home, server: ScriptedServer) -> None:
    lines = [f"{number:03} {'x' * 110} \x1b[31mred\x1b[0m" for number in range(400)]
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny", "Ask anything")
        before = program.cpu_seconds()
        await send(program, f"{PASTE}{chr(13).join(lines)}{PASTED}the end".encode())
        await program.until_shows("the end")
        assert program.cpu_seconds() - before < PASTE_SECONDS
        assert await draft_of(home, program) == "\n".join(lines).replace("\x1b", "␛") + "the end"


async def test_a_paste_without_an_end_does_not_take_the_keys_for_ever(home: Home, server: ScriptedServer) -> None:
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny", "Ask anything")
        program.type(f"{PASTE}begun \x1b[20")
        await program.until_shows("begun ␛[20")
        program.type(" typed")
        await program.until_shows("begun ␛[20 typed")
        assert await draft_of(home, program) == "begun ␛[20 typed"


@pytest.mark.parametrize("driver", ["stock", ""])
async def test_what_is_pasted_into_a_field_does_not_act_on_the_terminal(
    tmp_path: Path, server: ScriptedServer, driver: str
) -> None:
    async with Home(tmp_path, {"TUI_CHAT_DRIVER": driver}).running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type(CTRL_P)
        await program.until_shows("Type to filter")
        program.type(f"{PASTE}a\x1b]0;evil\x07b\x9b31mc{PASTED}")
        await program.until_shows("a␛]0;evil␇b")
        assert "\x1b]0;evil" not in program.output
        assert "\x9b" not in program.output
        program.type(ESCAPE)
        await program.until(lambda: not program.shows("Commands"))
        assert await program.quit() == 0


async def test_joiners_and_wide_blanks_are_typed_as_they_are_pasted(home: Home, server: ScriptedServer) -> None:
    text = "می\u200cخواهم 👩\u200d🚀 ❤\ufe0f क्\u200dष a\u00a0b\u3000c \U0001fadf end"
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny", "Ask anything")
        program.type(text)
        await program.until_shows(" end")
        assert await draft_of(home, program) == text


async def test_bytes_that_are_not_text_end_nothing(home: Home, server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script(*reply("It goes ")[:-2], wait(gate), token("on."), *reply("")[-2:])
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("go")
        await program.until_shows("It goes")
        await send(program, b"caf\xe9 \xff\xc3(")
        await send(program, b"\x1b[99999999u\x1b[200~x\xe9y\x1b[201~")
        await send(program, b"ok")
        await program.until_shows("caf� ��(x�yok")
        gate.set()
        await program.until_shows("It goes on.", "○ done")
        assert await program.quit() == 0
        assert "Traceback" not in program.output


@pytest.mark.parametrize(
    "environ",
    [
        {"NO_COLOR": "1"},
        {"NO_COLOR": "1", "TUI_CHAT_DRIVER": "stock"},
        {"NO_COLOR": "1", "COLORTERM": "", "TERM": "linux"},
        {"TERM": "unknown", "COLORTERM": ""},
    ],
)
async def test_without_colours_attributes_tell_everything(
    tmp_path: Path, server: ScriptedServer, environ: dict[str, str]
) -> None:
    server.script(*reply("# A head\n\nwith `code` and **weight**.\n\n```python\nreturn None\n```\n"))
    async with Home(tmp_path, environ).running("--url", server.url) as program:
        await program.until_shows("tiny")
        await program.say("Hello")
        await program.until_shows("A head", "o done" if environ.get("TERM") == "linux" else "○ done")
        assert any(cell.bold for cell in row_of(program, "weight"))
        assert any(cell.dim for cell in row_of(program, "────────"))
        program.type("draft")
        await program.until_shows("draft")
        assert [cell.data for cell in row_of(program, " draft") if cell.reverse] == [" "]  # the cursor
        program.type(CTRL_P)
        await program.until_shows("Type to filter")
        program.type("chat")
        await program.until_shows("New chat")
        program.type("\x1b[B")
        await program.until(lambda: sum(cell.reverse for row in program.screen.snapshot() for cell in row) > 40)
        program.type(ESCAPE)
        await program.until(lambda: not program.shows("Commands"))
        program.type(CTRL_HOME + CTRL_C)
        assert await program.quit() == 0
        assert COLOUR.findall(program.output) == []


async def test_a_terminal_of_an_unknown_kind_that_is_said_to_have_colours_gets_them(
    tmp_path: Path, server: ScriptedServer
) -> None:
    async with Home(tmp_path, {"TERM": "unknown", "COLORTERM": "truecolor"}).running(
        "--url", server.url
    ) as program:
        await program.until_shows("tiny")
        assert await program.quit() == 0
        assert COLOUR.findall(program.output)


@pytest.mark.parametrize("new_line", ["\x1b\r", "\\\r", "\n", "\x1b[27;2;13~", "\x1b[13;3u"])
async def test_a_new_line_is_begun_by_each_of_its_keys(home: Home, server: ScriptedServer, new_line: str) -> None:
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny", "Ask anything")
        program.type(f"one{new_line}")
        await program.until_shows("one", "^J new line")
        program.type("two")
        await program.until_shows("two")
        assert await draft_of(home, program) == "one\ntwo"


async def test_an_escape_beside_an_enter_stays_a_key_of_its_own(home: Home, server: ScriptedServer) -> None:
    server.script(*reply("It goes ")[:-2], stall())
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type("first\r\x1b")
        await program.until_shows("■ stopped")
        await program.say("second")
        await program.until_shows("Esc stop")
        program.type("third")
        await program.until_shows("third")
        program.type(ESCAPE)
        await program.until(lambda: not program.shows("Esc stop"))
        program.type("\r")
        await program.until(lambda: "third" in str(server.asked()[-1]["messages"]))
        assert await program.quit() == 0


@pytest.mark.parametrize("driver", ["", "stock"])
async def test_it_is_light_where_the_terminal_is_and_its_answer_is_no_text(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    server.script(*reply("so light"))
    monkeypatch.setitem(ANSWERS, "\x1b]11;?", "typed\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\ early")
    async with Home(tmp_path, {"TUI_CHAT_DRIVER": driver}).running("--url", server.url) as program:
        await program.until_shows("tiny", "typed early")
        light = own_themes(Depth.TRUE)[1]
        ground, ink = str(light.background)[1:], str(light.foreground)[1:]
        await program.until(lambda: {cell.bg for cell in row_of(program, "Ask tiny")[-1:]} == {ground})
        await program.say("")
        await program.until_shows("so light", "○ done")
        await program.until(lambda: inks_of(program, "so light") == {ink})
        assert await program.quit() == 0
