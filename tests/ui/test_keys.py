"""Every key can be changed, works then, and no hint on the screen names the one before."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from tui_chat.config import Config
from tui_chat.server import Server
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import COMMANDS, GROUPS
from tui_chat.ui.dialogs.text import _EDITING

from tests.server import ScriptedServer, answer, head, line, reply, stall, token
from tests.ui.kit import AppDriver, driven

NEW: Final[Mapping[str, str]] = {
    command.id: f"{modifier}+f{number}"
    for command, (modifier, number) in zip(
        [command for command in COMMANDS if command.keys],
        product(("alt", "ctrl", "shift", "alt+ctrl", "alt+shift", "ctrl+shift", "super"), range(1, 13)),
        strict=False,
    )
}
OLD: Final = sorted({label for command in COMMANDS for label in Keymap(GROUPS, {}).labels(command.id)})
LETTERS: Final = {"c", "e", "r", "q", "o", "s", "g"}
"""Old keys that are words too; the hints where they stood are checked by what stands before them."""
TEXT: Final = "words\n\n```\ncode\n```\n\n[link](http://example.org/)"


class Looker:
    """Presses the new keys, and remembers all that is on the screen meanwhile."""

    def __init__(self, run: AppDriver) -> None:
        self.run = run
        self.seen: list[str] = []

    async def look(self, expected: str = "") -> None:
        """Wait until this is shown, and remember what is."""
        run = self.run
        await run.until(lambda: run.shows(expected) or any(expected in notice for notice in run.notices))
        await run.pilot.pause()
        self.seen += [*run.rows(), *run.notices]
        run.app.clear_notifications()

    async def press(self, *ids: str, until: str = "") -> None:
        """Carry out commands by their new keys."""
        await self.run.pilot.press(*(NEW[id] for id in ids))
        await self.look(until)

    def offences(self) -> list[str]:
        """Rows with an old key in them."""
        marks = "|".join(re.escape(label) for label in OLD if label not in LETTERS)
        letters = "|".join(sorted(LETTERS))
        old = re.compile(rf"(?<![\w+\\^-])(?:{marks})(?![\w+])|· (?:{letters}) \w| (?:{letters}) (?:copy|open)\b")
        own = [words[:40] for _, words in _EDITING] + [
            "scroll ·"
        ]  # readline's keys, and those of a text that scrolls
        own += ["F3 chooses another"]  # an error's own hint
        return sorted({row for row in self.seen if old.search(row) and not any(words in row for words in own)})


@asynccontextmanager
async def looking(server: ScriptedServer | Server, **settings: object) -> AsyncIterator[Looker]:
    async with driven(server, size=(150, 40), config=Config(keys=dict(NEW)), **settings) as run:  # type: ignore[arg-type]
        looker = Looker(run)
        yield looker
        assert looker.offences() == []


def test_every_command_has_a_new_key() -> None:
    assert set(NEW) == {command.id for command in COMMANDS if command.keys}
    assert Keymap(GROUPS, NEW).own == NEW


def test_an_old_key_would_be_found() -> None:
    looker = Looker.__new__(Looker)
    hints = ["Esc close", "x · ^R tries again.", "(F1)", "↑↓ select · c copy", "Press ^C again", "c copy · Esc"]
    looker.seen = hints
    assert looker.offences() == sorted(hints)


async def test_without_a_server_all_hints_name_the_new_keys() -> None:
    async with looking(Server("http://127.0.0.1:9", named=False), ready=False) as looker:
        await looker.look("No model server was found")
        await looker.press("demo", until="DEMO")
        await looker.press("help", until="Write")
        await looker.press("close")


async def test_a_server_without_models_is_told_of_with_the_new_keys() -> None:
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": []}), path="/api/tags")
        async with looking(server, ready=False) as looker:
            await looker.look("has no models")
            await looker.run.pilot.press("x", NEW["send"])
            await looker.look("Not sent")


async def test_all_that_is_done_with_a_chat_names_the_new_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with ScriptedServer() as server, looking(server, database=tmp_path / "chats.db") as looker:
        run = looker.run
        await looker.look("Ask tiny")
        await run.pilot.press(*"/the", NEW["completion-down"], NEW["completion-take"])
        await looker.look("atom-one-light")
        await looker.press("completion-up", "stop")
        run.chat.composer.clear()
        await run.pilot.press(*"/modle", NEW["send"])
        await looker.look("no command /modle")
        run.chat.composer.clear()
        await run.pilot.press("h", "i")
        await looker.look("new line")
        await looker.press("new-line")
        assert run.chat.composer.text == "hi\n"
        server.script(*reply(TEXT))
        await looker.press("send", until="code")
        await run.idle()
        await looker.look("regenerate")
        for id in ("select-up", "selected-up", "selected-up", "selected-down", "selected-top", "selected-end"):
            await looker.press(id, until=" selected")
        await looker.press("selected-down", until=" show")
        await looker.press("show-link", until="http://example.org/")
        await looker.press("link-copy", until="Copied the address")
        await looker.press("selected-up", "selected-up", "selected-copy", until="Copied the message")
        await looker.press("version-before", until="no version before")
        await looker.press("edit", until="Editing an earlier prompt")
        await looker.press("stop")
        assert run.chat.composer.text == ""
        await looker.press("save", until="Save the message as")
        await looker.press("accept", until="Saved")
        await looker.press("find", until="Find")
        await run.pilot.press(*"words")
        await looker.press("find-next", "find-previous", until="1 of 1")
        await looker.press("close")
        run.chat.composer.text = "x" * 80_000
        run.chat.composer.select_all()
        await looker.press("interrupt", until="copied.txt")
        run.chat.composer.clear()
        await looker.press("interrupt", until="again to quit")


async def test_a_reply_on_its_way_and_what_waits_for_it_name_the_new_keys() -> None:
    async with ScriptedServer() as server, looking(server) as looker:
        run = looker.run
        server.script(head(), token("begin"), stall())
        for prompt in ("first", "two", "three"):
            await run.pilot.press(*prompt, NEW["send"])
            await looker.look("begin")
        await looker.press("again", until="Still replying")
        await looker.press("quit", until="still running")
        await looker.press("close")
        await looker.press("stop", until="2 prompts are waiting")
        await looker.press("command-palette", until="Take back a waiting")
        await run.pilot.press(*"take back")
        await looker.press("accept", until="1 two")
        await looker.press("list-down", "list-up", "accept")
        await run.until(lambda: run.chat.composer.text == "two")
        assert run.app.workspace.current.queue == ("three",)
        server._scripts.pop("/api/chat")
        server.script(head(), line({"error": "it broke"}))
        await looker.press("send-next", until="it broke")


async def test_lists_and_forms_name_the_new_keys(tmp_path: Path) -> None:
    async with ScriptedServer() as server, looking(server, database=tmp_path / "chats.db") as looker:
        run = looker.run
        server.script(*reply("words"))
        await run.pilot.press(*"question", NEW["send"])
        await run.idle()
        await looker.press("models", until="tiny")
        await looker.press("close")
        await looker.press("prompts", until="edit it in the composer")
        await looker.press("close")
        await looker.press("context", until="larger")
        await looker.press("context-raise", until="use it")
        await looker.press("close")
        await looker.press("chats", until="2 msg")
        await looker.press("chats-rename", until="Rename this chat")
        await run.pilot.press("s")
        await looker.press("accept", until="questions")
        await looker.press("chats-pin", until="★")
        await looker.press("chats-delete", until="Deleted.")
        await looker.press("chats-undo", until="questions")
        await looker.press("close")
        await looker.press("servers", until="Add a server")
        await looker.press("servers-test", until="model")
        await looker.press("servers-edit", until="CA file")
        await looker.press("close")
        await looker.press("servers-remove", until="Only servers that were added")
        await looker.press("list-page-down", "accept", until="CA file")
        await run.pilot.press(*server.url)
        await looker.press("form-next", "form-previous", "form-test")
        await looker.press("form-save", until="added")
        await looker.press("servers-remove", until="Removed.")
        await looker.press("servers-undo")
        await looker.press("close")
        for title, shown in (("rename", "Rename this chat"), ("delete", "Delete questions"), ("theme", "nord")):
            await looker.press("command-palette", until="Commands")
            await run.pilot.press(*title)
            await looker.press("accept", until=shown)
            await looker.press("close")
