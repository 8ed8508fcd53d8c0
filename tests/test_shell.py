"""The subcommands, through the command line's own front door."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tui_chat.cli import main
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat

PROMPT = Message(Role.USER, parts_of("What is a bounded queue?"), id="p")
REPLY = Message(
    Role.ASSISTANT, parts_of("A queue that *blocks*."), id="r", parent="p", model="tiny", state=State.STOPPED
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two chats; the home is empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "TUI_CHAT_DATA_DIR", "TUI_CHAT_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "data"

    async def fill() -> None:
        store = await Store.open(folder / "chats.db")
        await store.save("aaa1", new=Chat("aaa1", model="tiny"))
        await store.save("aaa1", PROMPT, REPLY)
        await store.save("bbb2", new=Chat("bbb2", title="About stacks", model="tiny"))
        await store.save("bbb2", Message(Role.USER, parts_of("And a stack?"), id="s"))
        await store.aclose()

    asyncio.run(fill())
    return folder


def run(data: Path, *arguments: str) -> int:
    return main(["--data-dir", str(data), *arguments])


def test_chats_are_listed_newest_first_and_which_are_unfinished(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "chats") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("bbb2")
    assert "About stacks  (1 message, tiny)" in first
    assert second.startswith("aaa1")
    assert "What is a bounded queue?  (unfinished, " in second


def test_a_chat_that_is_being_answered_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def stream() -> Store:
        store = await Store.open(data / "chats.db")
        await store.save("aaa1", replace(REPLY, state=State.STREAMING))
        return store

    store = asyncio.run(stream())
    try:
        assert run(data, "chats", "bounded") == 0
    finally:
        assert store.close()
    assert "What is a bounded queue?  (being answered, " in capsys.readouterr().out


def test_chats_as_json_are_filtered_and_limited(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "chats", "--json", "--limit", "1") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["id"] == "bbb2"
    assert run(data, "chats", "--json", "queue") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["unfinished"] is True


def test_a_chat_is_told_of_by_what_there_is_to_tell(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def change() -> None:
        store = await Store.open(data / "chats.db")
        await store.save("ccc3", new=Chat("ccc3", title="Alone", pinned=True))
        await store.save("ccc3", Message(Role.USER, parts_of("Alone")))
        await store.aclose()

    asyncio.run(change())
    assert run(data, "chats", "alone") == 0
    assert capsys.readouterr().out.endswith("  Alone  (pinned, 1 message)\n")


def test_a_draft_is_called_one_by_its_first_words(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def write() -> None:
        store = await Store.open(data / "chats.db")
        await store.save("ccc3", new=Chat("ccc3", model="tiny", draft="# How does a trie\nwork?"))
        assert await store.aclose()

    asyncio.run(write())
    assert run(data, "chats", "--limit", "1") == 0
    assert "  How does a trie  (draft, tiny)" in capsys.readouterr().out


def test_search_finds_messages_and_titles(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "search", "blocks") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ["aaa1", "assistant"]
    assert "A queue that *blocks*." in line
    assert "\x1b" not in line
    assert run(data, "search", "--json", "stack") == 0
    hits = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {hit["chat"] for hit in hits} == {"bbb2"}
    assert run(data, "search", "nothing-like-it") == 0
    assert capsys.readouterr().out == ""


def test_a_chat_is_exported_as_markdown_or_json_to_the_screen_or_a_new_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "export", "aaa") == 0
    text = capsys.readouterr().out
    assert text.startswith("# What is a bounded queue?\n")
    assert "A queue that *blocks*." in text
    target = tmp_path / "chat.json"
    assert run(data, "export", "aaa", "--json", "-o", str(target)) == 0
    assert json.loads(target.read_text())["chats"][0]["id"] == "aaa1"
    assert target.stat().st_mode & 0o077 == 0
    assert run(data, "export", "aaa", "-o", str(target)) == 1
    assert "already exists" in capsys.readouterr().err


def test_what_was_exported_is_imported_elsewhere_and_only_once(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, elsewhere = tmp_path / "all.json", tmp_path / "elsewhere"
    assert run(data, "export", "all", "-o", str(target)) == 0
    assert run(elsewhere, "import", str(target)) == 0
    assert "Chats added or updated: 2. Already there: 0." in capsys.readouterr().out
    assert run(elsewhere, "import", str(target)) == 0
    assert "Chats added or updated: 0. Already there: 2." in capsys.readouterr().out
    assert run(elsewhere, "import", "--json", str(target)) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted((line["id"], line["new"]) for line in told) == [("aaa1", False), ("bbb2", False)]
    assert run(elsewhere, "export", "aaa") == 0
    assert "A queue that *blocks*." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"\xff\xfe\x00", "is not text"), (b"{}", ""), (b"no JSON", "")],
)
def test_what_cannot_be_imported_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
) -> None:
    file = tmp_path / "file.json"
    if content is not None:
        file.write_bytes(content)
    assert run(data, "import", str(file)) == 1
    error = capsys.readouterr().err
    assert error.startswith("tui-chat: ")
    assert words in error


def test_the_data_folder_counts_before_the_command_and_after_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "--data-dir", str(data)]) == 0
    assert "bbb2" in capsys.readouterr().out


async def fill_with(data: Path, count: int) -> None:
    store = await Store.open(data / "chats.db")
    for number in range(count):
        await store.save(f"many{number}", new=Chat(f"many{number}", title=f"many words {number} " * 20))
        await store.save(f"many{number}", Message(Role.USER, parts_of(f"many words {number}")))
    await store.aclose()


COMMANDS = ["chats", "chats --json", "search stack", "search --json stack", "export all", "export aaa1", "--help"]


def in_a_shell(data: Path, line: str) -> tuple[int, str, str]:
    """The exit code of tui-chat in a line of a shell, and what the line gave and said. Nothing is flushed early."""
    command = f"{shlex.quote(sys.executable)} -m tui_chat --data-dir {shlex.quote(str(data))} {line}"
    environ = {**os.environ, "PYTHONUNBUFFERED": "", "COLUMNS": "80"}
    bash = ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(bash, capture_output=True, text=True, env=environ, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_standard_output_is_said_once(data: Path, command: str) -> None:
    code, _, error = in_a_shell(data, f"{command} > /dev/full")
    assert code == 1
    assert error.count("\n") == 2, error  # what it is, and what to do
    assert error.startswith("tui-chat: Cannot write to standard output: No space left on device.\n")


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_a_closed_standard_output_is_said_once(data: Path, command: str) -> None:
    code, _, error = in_a_shell(data, f"{command} >&-")
    assert code == 1
    assert error.startswith("tui-chat: Standard output is closed.\n")
    assert error.count("\n") == 2, error


@pytest.mark.parametrize("command", ["chats", "search many --limit 1000", "export all"])
def test_a_reader_who_has_seen_enough_ends_it_quietly(data: Path, command: str) -> None:
    asyncio.run(fill_with(data, 300))  # more than a pipe takes
    code, output, error = in_a_shell(data, f"{command} | head -1")
    assert (code, error) == (128 + signal.SIGPIPE, "")
    assert output.count("\n") == 1


def test_what_a_terminal_cannot_write_is_written_as_it_can(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(fill_with(data, 1))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    asyncio.run(rename(data, "Größe"))
    code, output, error = in_a_shell(data, "chats")
    assert (code, error) == (0, "")
    assert "Gr\\xf6\\xdfe" in output


async def rename(data: Path, title: str) -> None:
    store = await Store.open(data / "chats.db")
    await store.save("aaa1", fields={"title": title})
    await store.aclose()


@pytest.mark.parametrize("limit", ["-1", "9" * 20, "x"])
@pytest.mark.parametrize("command", ["chats", "search"])
def test_a_limit_that_is_none_is_said(
    data: Path, capsys: pytest.CaptureFixture[str], command: str, limit: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(data, command, "word", f"--limit={limit}")
    assert caught.value.code == 2
    assert "--limit" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["chats", "search", "export"])
def test_words_that_are_no_text_are_looked_for_in_vain(data: Path, command: str) -> None:
    assert run(data, command, "\udcff") == (1 if command == "export" else 0)


def test_an_unknown_chat_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "export", "zzz") == 1
    assert "There is no chat 'zzz'" in capsys.readouterr().err
