"""Slash commands and earlier prompts in the whole program, by the bytes of a plain terminal."""

from __future__ import annotations

from pathlib import Path

from tests.program.kit import ESCAPE, Home
from tests.server import ScriptedServer, reply

TAB, UP, F10 = "\t", "\x1b[A", "\x1b[21~"


async def test_commands_are_completed_carried_out_and_leave_the_program(
    tmp_path: Path, server: ScriptedServer
) -> None:
    server.script(*reply("First answer."))
    home = Home(tmp_path)
    async with home.running("--url", server.url) as program:
        await program.until_shows("tiny")
        program.type(f"/set par{TAB}top_k{TAB}7\r")  # in one piece, faster than anything is painted
        await program.until_shows("top_k: 7.")
        program.type('"""one\rtwo"""\r')
        await program.until_shows("First answer.")
        asked = next(request.body.replace(b" ", b"") for request in server.requests if request.path == "/api/chat")
        assert b'"one\\ntwo"' in asked
        assert b'"top_k":7' in asked
        program.type("/nwe\r")
        await program.until_shows("did you mean /new?")
        program.type("\x15/ne")
        await program.until_shows("/new", "Start a new chat")
        program.type("\r")
        await program.until(lambda: not program.shows("First answer."))
        program.type(f"on{UP}")
        await program.until(lambda: program.shows("❯ one") and program.shows("two"))
        program.type(f"\x15\x15{F10}")
        await program.until_shows("Earlier prompts", "one two")
        program.type(ESCAPE)
        await program.until(lambda: not program.shows("Earlier prompts"))
        program.type("\x15" * 3 + "/exit\r")
        assert await program.ended() == 0
        assert program.unrestored() == []
