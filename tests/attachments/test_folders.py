"""Candidates for a path that is typed, and what of a folder would be attached: in order, bounded, cut with a word."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.attachments import folders
from tui_chat.attachments.folders import FolderListing, candidates, list_folder, rules_for
from tui_chat.attachments.threads import DiskThreads
from tui_chat.errors import FileError


def still() -> float:
    """A clock that stands: no test is cut by a slow machine."""
    return 0.0


def made(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text("text")
    return folder


def found(typed: str, folder: Path, limit: int = 50) -> list[str]:
    return list(candidates(typed, str(folder), limit, Event(), still))


def test_folders_come_first_and_what_is_hidden_or_ignored_last(tmp_path: Path) -> None:
    made(tmp_path, "b.py", "A.py", "src/", "a.o", ".env", ".git/", "build/", "Docs/")
    (tmp_path / ".gitignore").write_text("*.o\n/build/\n")
    assert found("", tmp_path) == ["Docs/", "src/", "A.py", "b.py", ".git/", "build/", ".env", ".gitignore", "a.o"]
    assert found("", tmp_path, 2) == ["Docs/", "src/"]
    assert found("a", tmp_path) == ["A.py", "a.o"]


def test_what_was_typed_stays_as_it_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    made(tmp_path, "src/main.py", "src/map.py", "other")
    assert found("./src/../src/ma", tmp_path) == ["./src/../src/main.py", "./src/../src/map.py"]
    assert found("~/o", tmp_path / "src") == ["~/other"]
    assert found(f"{tmp_path}/src/map", Path("/")) == [f"{tmp_path}/src/map.py"]
    assert found("/", tmp_path)
    assert found("nowhere/x", tmp_path) == found("other/x", tmp_path) == found("\0/x", tmp_path) == []


def test_a_large_folder_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, *(f"file{number}" for number in range(30)))
    assert len(found("file", tmp_path)) == 30
    assert len(found("file", tmp_path, 29)) == 29
    monkeypatch.setattr(folders, "_FILES", 10)
    assert len(found("file", tmp_path)) == 10
    monkeypatch.setattr(folders, "_ENTRIES", 5)
    assert len(found("file", tmp_path)) == 5


def test_a_slow_folder_is_cut_and_one_that_nobody_waits_for_is_left(tmp_path: Path) -> None:
    made(tmp_path, *"abcdef")
    ticks: Iterator[int] = count()
    assert len(candidates("", str(tmp_path), 50, Event(), lambda: next(ticks) * 0.4)) == 2
    stop = Event()
    stop.set()
    assert candidates("", str(tmp_path), 50, stop, still) == ()
    assert list_folder(tmp_path, stop, still) == FolderListing(cut=True)


def test_a_link_to_itself_does_not_hide_the_other_files(tmp_path: Path) -> None:
    made(tmp_path, "a", "c")
    (tmp_path / "b").symlink_to("b")
    assert found("", tmp_path) == ["a", "c"]


@settings(deadline=None)
@given(st.lists(st.text("ab*?[]!/#\\ .", max_size=12), max_size=5))
def test_any_gitignore_can_be_read(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("ignoring")
    made(folder, ".git/", "a", "b/a")
    (folder / ".gitignore").write_text("\n".join(lines))
    rules = rules_for(str(folder / "b"))
    assert rules.ignores(str(folder / "b" / "a"), False) in (True, False)


def test_what_is_ignored_is_what_git_ignores(tmp_path: Path) -> None:
    names = (
        "a.o",
        "keep.o",
        "src/a.o",
        "src/keep.o",
        "src/x.log",
        "src/out/y",
        "out/y",
        "docs/out",
        "src/deep/x.log",
    )
    made(tmp_path, *names)
    (tmp_path / ".gitignore").write_text("*.o\n!keep.o\nout/\n# no\n")
    (tmp_path / "src" / ".gitignore").write_text("!a.o\n/*.log\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files", "-o", "--exclude-standard"], check=True, capture_output=True
    ).stdout.decode()
    visible = {name for name in listed.split() if ".git" not in name}
    listing = list_folder(tmp_path, Event(), still)
    assert {str(file.relative_to(tmp_path)) for file in listing.files} == visible


def test_patterns_that_are_costly_or_invalid_are_left_out(tmp_path: Path) -> None:
    made(tmp_path, ".git/")
    (tmp_path / ".gitignore").write_text("*a" * 30 + "b\n!\n[z-a]\n*.o\n")
    rules = rules_for(str(tmp_path))
    assert not rules.ignores(str(tmp_path / ("a" * 250)), False)
    assert rules.ignores(str(tmp_path / "x.o"), False)


def test_a_folder_lists_what_would_go_and_counts_what_would_not(tmp_path: Path) -> None:
    made(tmp_path, "a.py", "sub/b.py", ".env", ".git/config", "cache/x")
    (tmp_path / ".gitignore").write_text("cache/\n")
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (tmp_path / "large").write_text("x" * 1_000_001)
    (tmp_path / "loop").symlink_to(tmp_path)
    files = (tmp_path / "a.py", tmp_path / "sub" / "b.py")
    assert list_folder(tmp_path, Event(), still) == FolderListing(files, size=8, left_out=7)


def test_a_large_tree_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, *(f"{folder}/{file}" for folder in "abc" for file in "abc"))
    assert list_folder(tmp_path, Event(), still).cut is False
    monkeypatch.setattr(folders, "_FILES", 4)
    listing = list_folder(tmp_path, Event(), still)
    assert (len(listing.files), listing.cut) == (4, True)


async def test_a_disk_that_does_not_answer_holds_nobody_up() -> None:
    disk, stuck, stops = DiskThreads(), Event(), list[Event]()

    def hang(stop: Event) -> None:
        stops.append(stop)
        stuck.wait(60)

    try:
        for _ in range(4):
            waiting = asyncio.create_task(disk.run(hang))
            while not stops:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert stops.pop().wait(10)
        with pytest.raises(FileError, match="does not answer"):
            await disk.run(hang)
    finally:
        stuck.set()
    async with asyncio.timeout(30):
        while True:
            try:
                assert await disk.run(lambda stop: 5) == 5
                break
            except FileError:
                await asyncio.sleep(0.01)


async def test_what_the_work_raises_is_raised() -> None:
    def fail(stop: Event) -> None:
        raise FileError("no")

    with pytest.raises(FileError, match="no"):
        await DiskThreads().run(fail)


def test_odd_patterns_print_no_warning() -> None:
    program = (
        "import sys; from tui_chat.__main__ import run; sys.argv[1:] = ['--version']\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "from pathspec import GitIgnoreSpec; GitIgnoreSpec.from_lines(['[[a]'])"
    )
    environ = {**os.environ, "PYTHONWARNINGS": ""}
    told = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=True)
    assert told.stderr == b""
