"""Files that a prompt mentions: said above the composer, read when it is sent, asked about, refused with the reason."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual import events
from tui_chat.attachments import prompt
from tui_chat.ui.widgets.notes import AttachmentRows

from tests.server import MODEL, ScriptedServer, answer, done, end, head, reply, token, wait
from tests.ui.kit import AppDriver, driven

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
"""A whole picture of one pixel."""
MAIN = "print('hello')\n"


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with some files."""
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a = 1\n")
    (folder / "src" / "b c.py").write_text("b = 2\n")
    (folder / "src" / ".hidden").write_text("x")
    (folder / "main.py").write_text(MAIN)
    (folder / "data.bin").write_bytes(b"\x7fELF\0\0")
    (folder / "dot.png").write_bytes(PNG)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.script(*reply("It greets."))
        yield server


@pytest.fixture
async def run(server: ScriptedServer) -> AsyncIterator[AppDriver]:
    async with driven(server) as run:
        yield run


def shown(run: AppDriver) -> str:
    rows = run.chat.query_one(AttachmentRows)
    return "\n".join(row.plain for row in rows.rows)


def sent(server: ScriptedServer) -> str:
    """The last prompt that the server got."""
    message = server.asked()[-1]["messages"][-1]  # type: ignore[index]
    assert message["role"] == "user"
    return str(message["content"])


async def paste(run: AppDriver, text: str) -> None:
    run.chat.composer.post_message(events.Paste(text))
    await run.pilot.pause()


async def test_a_mentioned_file_is_said_before_it_is_sent_and_goes_in_a_fence(
    run: AppDriver, server: ScriptedServer
) -> None:
    await run.pilot.press(*"see @main.py")
    await run.until(lambda: shown(run) == "▪ main.py · 15 B · about 4 tokens")
    await run.until(lambda: run.shows("▪ main.py · 15 B"))
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    await run.idle()
    assert shown(run) == ""
    assert sent(server) == f"see @main.py\n\nmain.py:\n```\n{MAIN}```"
    await run.until(lambda: run.shows("▪ main.py · text/plain · 15 B"))


async def test_a_file_is_read_when_it_is_sent(run: AppDriver, server: ScriptedServer, work: Path) -> None:
    run.chat.composer.text = "see @main.py"
    await run.until(lambda: bool(shown(run)))
    (work / "main.py").write_text("changed")
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    assert "changed" in sent(server)


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        ("@data.bin", "✗ data.bin is binary, not text.", "data.bin is binary"),
        ("@src/", "▪ src/ · 2 files · 12 B · about 3 tokens · 1 left out", ""),
        ("@main.py, me@main.py, @nobody and @src", "▪ main.py · 15 B", ""),
    ],
)
async def test_what_goes_and_what_does_not(run: AppDriver, text: str, row: str, reason: str) -> None:
    run.chat.composer.text = text
    await run.until(lambda: shown(run).startswith(row))
    assert "\n" not in shown(run)
    await run.pilot.press("enter")
    if reason:
        await run.until(lambda: run.status.error)
        assert reason in run.status.text
        await run.until(lambda: run.chat.composer.text == text)
        assert not run.transcript.entries
    else:
        await run.until(lambda: run.shows("It greets."))


async def test_a_path_without_a_file_is_said_before_and_after_it_goes_as_text(
    run: AppDriver, server: ScriptedServer
) -> None:
    await run.pilot.press(*"see @gone.py")
    await run.pilot.pause(0.3)
    assert shown(run) == "", "it may be typed further"
    await run.pilot.press(*" now")
    await run.until(lambda: shown(run) == "✗ There is no file gone.py. It goes as text.")
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    assert sent(server) == "see @gone.py now"
    await run.until(lambda: "There is no file gone.py: it was sent as text." in run.notices)


async def test_an_escaped_path_goes_without_its_backslash_and_is_not_attached_when_it_is_edited(
    run: AppDriver, server: ScriptedServer
) -> None:
    await run.say("see \\@main.py")
    await run.until(lambda: run.shows("It greets."))
    assert sent(server) == "see @main.py"
    await run.idle()
    for count, keys in enumerate((["alt+up", "alt+up", "e"], ["ctrl+r"]), 2):
        await run.pilot.press(*keys)
        if "e" in keys:
            await run.until(lambda: run.chat.composer.text == "see \\@main.py")
            await run.pilot.press("!", "enter")
        await run.until(lambda count=count: len(server.asked()) == count)  # type: ignore[misc]
        await run.idle()
        assert sent(server) == "see @main.py!"


async def test_of_many_files_the_first_and_their_sum_are_said(run: AppDriver) -> None:
    run.app.workspace.connection.window = 5
    run.chat.composer.text = '@main.py @src/a.py @"src/b c.py" @dot.png'
    await run.until(lambda: "and 2 more files" in shown(run))
    assert shown(run).splitlines()[2:] == [
        "… and 2 more files · together 97 B · about 7 tokens",
        "More than the context window of 5 tokens: not all of it will be read.",
    ]


async def test_of_many_pictures_the_bytes_are_summed_and_what_cannot_go_comes_first(
    run: AppDriver, work: Path
) -> None:
    for number in range(4):
        (work / f"{number}.png").write_bytes(PNG)
    run.chat.composer.text = "@0.png @1.png @2.png @3.png @dot.png"
    await run.until(lambda: "and 3 more files" in shown(run))
    assert shown(run).splitlines()[2] == "… and 3 more files · together 350 B"
    for number in range(3):
        (work / f"{number}.bin").write_bytes(b"\0")
    run.chat.composer.text += " @0.bin @1.bin @2.bin"
    await run.until(lambda: "and 6 more files" in shown(run))
    first, second, rest = shown(run).splitlines()
    assert first.startswith("✗ 0.bin is binary") and second.startswith("✗ 1.bin is binary")  # noqa: PT018
    assert rest == "… and 6 more files · together 350 B · 1 of them cannot go"


async def test_a_blank_after_a_backslash_belongs_to_a_typed_path(run: AppDriver, work: Path) -> None:
    (work / "my notes.txt").write_text("buy milk")
    await run.pilot.press(*"see @my\\ notes.txt now")
    await run.until(lambda: shown(run).startswith("▪ my notes.txt"))


@pytest.mark.parametrize("quoted", ["{}", "'{}'", "file://{}", "{} "])
async def test_a_dropped_path_is_attached_and_undo_makes_it_the_path_again(
    run: AppDriver, work: Path, quoted: str
) -> None:
    dropped = quoted.format(work / "main.py")
    await run.pilot.press(*"see ")
    await paste(run, dropped)
    await run.until(lambda: run.chat.composer.text == "see @main.py ")
    await run.until(lambda: "▪ main.py" in shown(run))
    assert any("^Z makes it the path again" in notice for notice in run.notices)
    await run.pilot.press("ctrl+z")
    assert run.chat.composer.text == f"see {dropped}"
    await run.until(lambda: shown(run) == "")


@pytest.mark.parametrize("text", ["/no/such/file", "look at {}/main.py", "main.py", "x{}"])
async def test_other_pastes_stay_what_they_are(run: AppDriver, work: Path, text: str) -> None:
    text = text.format(work)
    await paste(run, text)
    await run.pilot.pause(0.3)
    assert run.chat.composer.text == text
    await run.pilot.press("a")
    await paste(run, str(work / "main.py"))  # within a word
    await run.pilot.pause(0.3)
    assert run.chat.composer.text == f"{text}a{work}/main.py"


async def test_what_is_typed_while_the_disk_is_asked_stays(
    run: AppDriver, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    as_mentions = prompt.as_mentions
    monkeypatch.setattr("tui_chat.ui.attachments.as_mentions", lambda text: gate.wait(10) and as_mentions(text))
    await paste(run, str(work / "main.py"))
    await run.pilot.press(*" is it")
    gate.set()
    await run.until(lambda: run.chat.composer.text == "@main.py  is it")
    await run.pilot.press("!")
    assert run.chat.composer.text == "@main.py  is it!"


async def test_a_dropped_folder_lists_what_would_go_and_asks(run: AppDriver, work: Path) -> None:
    for answer_, becomes in (("escape", str(work / "src")), ("enter", "@src/ ")):
        run.chat.composer.text = ""
        await paste(run, str(work / "src"))
        await run.until(lambda: run.shows("Attach 2 files of src/?"))
        await run.until(lambda: run.shows("a.py, b c.py"))
        assert run.shows("2 files · 12 B · about 3 tokens")
        await run.pilot.press(answer_)
        await run.until(lambda becomes=becomes: run.chat.composer.text == becomes)  # type: ignore[misc]


async def test_the_command_attaches_a_file_and_says_what_it_cannot(run: AppDriver) -> None:
    await run.say("/file ./src/../src/b c.py")
    await run.until(lambda: run.chat.composer.text == '@"src/b c.py" ')
    for path, words in (("gone", "There is no file gone"), ("data.bin", "data.bin is binary")):
        await run.say(f"/image {path}")
        await run.until(lambda words=words: run.status.text.startswith(words))  # type: ignore[misc]
        assert run.chat.composer.text == f"/image {path}"
    await run.say("/file")
    await run.until(lambda: run.chat.composer.text == "@")


def candidates(run: AppDriver) -> list[str]:
    """What the list above the composer offers."""
    completions = run.chat.composer.completions
    return [str(choice.value.text) for choice in completions.list.choices] if completions.display else []


async def test_a_path_is_completed_as_it_is_typed(run: AppDriver, server: ScriptedServer) -> None:
    await run.pilot.press(*"see @")
    await run.until(lambda: candidates(run) == ["@src/", "@data.bin", "@dot.png", "@main.py"])
    await run.pilot.press(*"sr")
    await run.until(lambda: candidates(run) == ["@src/"])
    await run.pilot.press("enter")
    await run.until(lambda: candidates(run) == ["@src/a.py", '@"src/b c.py"', "@src/.hidden"])
    await run.pilot.press("b")
    await run.until(lambda: candidates(run) == ['@"src/b c.py"'])
    await run.pilot.press("enter")
    await run.until(lambda: run.chat.composer.text == 'see @"src/b c.py"')
    await run.until(lambda: "▪ src/b c.py" in shown(run) and not candidates(run))
    assert not server.asked()
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    run.chat.composer.text = ""
    await run.pilot.press(*"/file ma")
    await run.until(lambda: candidates(run) == ["main.py"])
    await run.pilot.press("enter")
    await run.until(lambda: run.chat.composer.text == "@main.py ")


async def test_a_folder_that_is_whole_is_sent_by_enter_once_it_was_said_what_would_go(
    run: AppDriver, server: ScriptedServer
) -> None:
    await run.pilot.press(*"@src/")
    await run.until(lambda: len(candidates(run)) == 3)
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("▪ src/ · 2 files · 12 B · about 3 tokens"))
    assert not server.asked()
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    assert "src/a.py:" in sent(server)
    assert "src/b c.py:" in sent(server)


async def test_a_waiting_prompt_takes_its_files_along_and_stays_where_one_is_gone(work: Path) -> None:
    gate = asyncio.Event()
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), token("begin"), wait(gate), done(), end())
        server.script(*reply("two"))
        await run.say("first")
        await run.until(lambda: run.shows("begin"))
        await run.say("see @main.py")
        await run.say("and @src/a.py")
        (work / "src" / "a.py").unlink()
        (work / "src" / "a.py").mkdir()
        (work / "src" / "a.py").rmdir()
        (work / "src" / "a.py").write_bytes(b"\0")
        gate.set()
        await run.until(lambda: run.status.error)
        assert "src/a.py is binary" in run.status.text
        assert "main.py:\n```" in sent(server)
        assert run.app.workspace.current.queue == ("and @src/a.py",)


async def test_an_edited_prompt_reads_its_files_again(run: AppDriver, server: ScriptedServer, work: Path) -> None:
    await run.say("see @main.py and @src/a.py")
    await run.until(lambda: run.shows("It greets."))
    await run.idle()
    (work / "main.py").write_text("changed")
    server._scripts.clear()
    server.script(*reply("It changed."))
    await run.pilot.press("alt+up", "alt+up", "e")
    await run.until(lambda: run.chat.composer.text.startswith("see"))
    run.chat.composer.text = "and @main.py?"
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It changed."))
    assert sent(server) == "and @main.py?\n\nmain.py:\n```\nchanged\n```"


async def test_a_disk_that_does_not_answer_holds_nothing_up_and_loses_nothing(
    run: AppDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr("tui_chat.chat.open_chat.attach_mentioned", lambda text, stop: gate.wait(30) and ())
    try:
        conversation = run.app.workspace.conversation
        await run.say("see @main.py")
        await run.pilot.press(*"more")
        assert run.chat.composer.text == "more"
        run.chat.navigation._keep_draft()
        assert conversation.chat.draft == "see @main.py\nmore"
        await run.pilot.press("escape")
        await run.until(lambda: run.chat.composer.text == "see @main.py\nmore")
        assert not conversation.branch
        run.chat.composer.text = ""
        await run.say("again @main.py")
        await run.pilot.press(*"typed", "ctrl+n")
        assert conversation.chat.draft == "again @main.py\ntyped"
        gate.set()
        await run.until(lambda: len(conversation.branch) == 2)
        assert conversation.chat.draft == "typed"
    finally:
        gate.set()


async def test_a_picture_goes_to_models_that_see(server: ScriptedServer) -> None:
    sees = {**MODEL, "capabilities": ["completion", "vision"]}
    server.script(answer(200, {"models": [sees]}), path="/api/tags")
    server.script(answer(200, {**sees, "model_info": {}}), path="/api/show")
    async with driven(server) as run:
        run.chat.composer.text = "what is @dot.png?"
        await run.until(lambda: "▪ dot.png" in shown(run))
        assert "cannot see" not in shown(run)
        await run.pilot.press("enter")
        await run.until(lambda: run.shows("It greets."))
        await run.until(lambda: run.shows("▪ dot.png · image/png"))
    assert server.asked()[-1]["messages"][-1]["images"] == [base64.b64encode(PNG).decode()]  # type: ignore[index]


async def test_a_model_that_does_not_see_is_said_before_and_may_be_sent_to_anyway() -> None:
    async with ScriptedServer() as server:
        shows = {"capabilities": ["completion"], "details": {}, "model_info": {}}
        server.script(answer(200, shows), path="/api/show")
        lists = {key: value for key, value in MODEL.items() if key != "capabilities"}  # as older servers
        server.script(answer(200, {"models": [lists]}), path="/api/tags")
        server.script(*reply("I see nothing."))
        async with driven(server) as run:
            assert not any(model.capabilities for model in run.app.workspace.connection.models)
            run.chat.composer.text = "what is @dot.png?"
            await run.until(lambda: "cannot see pictures" in shown(run))
            await run.pilot.press("enter")
            await run.until(lambda: any("again sends it anyway" in notice for notice in run.notices))
            assert run.chat.composer.text == "what is @dot.png?"
            assert not server.asked()
            await run.pilot.press("enter")
            await run.until(lambda: run.shows("I see nothing."))


async def test_a_paste_with_escape_sequences_runs_nothing(run: AppDriver, work: Path) -> None:
    (work / "a\x1b[31m").write_text("x")
    await paste(run, f"'{work}/a\x1b[31m'")
    await run.pilot.pause(0.3)
    assert "\x1b" not in run.chat.composer.text
    assert "\x1b" not in shown(run)


@pytest.mark.parametrize("text", ["look: @main.py.", "@main.py", "see\n(@main.py)\n" * 30])
async def test_what_a_paste_mentions_is_attached_only_when_that_was_asked(
    run: AppDriver, server: ScriptedServer, text: str
) -> None:
    await paste(run, text)
    await run.until(lambda: "Not typed here: @main.py. You are asked" in shown(run))
    await run.pilot.pause(0.1)
    await run.pilot.press("enter")
    await run.until(lambda: any("again attaches" in notice for notice in run.notices))
    assert not run.transcript.entries
    assert run.chat.composer.text == text.strip("\n")
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    assert MAIN in sent(server)


async def test_a_paste_that_only_looks_like_it_mentions_files_is_sent_at_once(
    run: AppDriver, server: ScriptedServer
) -> None:
    await paste(run, text := "@property\ndef main(self): ...")
    await run.pilot.pause(0.2)
    await run.pilot.press("enter")
    await run.until(lambda: run.shows("It greets."))
    assert sent(server) == text


async def test_a_waiting_prompt_does_not_attach_what_was_pasted_without_asking() -> None:
    gate = asyncio.Event()
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), token("begin"), wait(gate), done(), end())
        server.script(*reply("It greets."))
        await run.say("hello")
        await run.until(lambda: run.chat.replies.busy)
        await paste(run, "look: @main.py")
        await run.pilot.pause(0.1)
        await run.pilot.press("enter")
        assert run.app.workspace.current.queue == ()
        await run.pilot.press("enter")
        await run.until(lambda: run.app.workspace.current.queue == ("look: @main.py",))
        gate.set()
        await run.until(lambda: run.shows("It greets."))
        await run.idle()


@pytest.mark.parametrize(("path", "asked"), [("src/.hidden", True), ("main.py", False)])
async def test_a_draft_asks_before_it_attaches_a_hidden_file(
    server: ScriptedServer, tmp_path: Path, path: str, asked: bool
) -> None:
    async with driven(server, database=tmp_path / "chats.db") as run:
        await run.pilot.press(*f"see @{path} ", "ctrl+q")
    async with driven(server, database=tmp_path / "chats.db", resume=True) as run:
        await run.until(lambda: path in shown(run))
        await run.pilot.press("enter")
        if asked:
            assert not run.transcript.entries
            await run.pilot.press("enter")
        await run.until(lambda: run.shows("It greets."))
