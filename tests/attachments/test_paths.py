"""Paths that are dropped, pasted or mentioned, however they are quoted; prose is never taken for one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.attachments.paths import (
    Mention,
    mention,
    mention_at,
    mentioned,
    mentions_in,
    missing,
    paths_in,
    unescaped,
)

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
LINE_NAMES = NAMES.filter(lambda name: len(name.splitlines()) == 1)
"""Names that can be written without a line break."""


def escaped(path: str) -> str:
    return "".join(char if char.isalnum() or char in "/._-" else f"\\{char}" for char in path)


def double_quoted(path: str) -> str:
    return '"' + "".join(f"\\{char}" if char in '\\"' else char for char in path) + '"'


def url(path: str) -> str:
    return f"file://{quote(path)}"


def host_url(path: str) -> str:
    return f"file://localhost{quote(path)}"


QUOTINGS: tuple[Callable[[str], str], ...] = (
    shlex.quote,
    escaped,
    double_quoted,
    url,
    host_url,
    lambda path: "'" + path.replace("'", "'\\''") + "'",
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def made(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch()
    return path


@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.sampled_from(QUOTINGS)), min_size=1, max_size=3), st.sampled_from(["", "\n", " "])
)
def test_any_path_quoted_any_way_comes_back(
    folder: Path, names: list[tuple[str, Callable[[str], str]]], end: str
) -> None:
    paths = tuple(made(folder, name) for name, _ in names)
    text = " ".join(quoting(str(path)) for path, (_, quoting) in zip(paths, names, strict=True))
    assert paths_in(text + end) == paths


@settings(deadline=None)
@given(st.lists(LINE_NAMES.filter(lambda name: name == name.strip()), min_size=1, max_size=3))
def test_paths_that_are_not_quoted_come_back_from_lines_of_their_own(folder: Path, names: list[str]) -> None:
    paths = tuple(made(folder, name) for name in names)
    assert paths_in("\n".join(map(str, paths)) + "\r\n") == paths


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["{path} {words}", "{words} {path}", "{path}\n{words}", "{words}"]))
def test_prose_is_never_taken_for_paths(folder: Path, words: str, order: str) -> None:
    path = made(folder, "there")
    text = order.format(path=path, words=f"see {words}")
    assert paths_in(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tests",
        "README.md",
        "/",
        "~",
        ".",
        "./",
        "..",
        "//",
        "'",
        '"/tmp',
        "/tmp\\",
        "/no/such/file",
        "/tmp\0x",
    ],
)
def test_words_are_no_paths(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])  # where tests and README.md exist
    assert paths_in(text) == ()


def test_urls_of_other_machines_and_with_more_than_a_path_are_no_paths(folder: Path) -> None:
    path = made(folder, "a b")
    assert paths_in(f"file://{quote(str(path))}") == (path,)
    assert paths_in(f"FILE://{quote(str(path))}") == (path,)
    for text in (f"file://elsewhere{quote(str(path))}", f"file://{quote(str(path))}?q", "file://[", "file:///%00"):
        assert paths_in(text) == ()


def test_home_and_relative_paths_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made(tmp_path, "my notes")
    assert paths_in("~/my\\ notes ./my\\ notes\n") == (tmp_path / "my notes", Path("my notes"))


def test_a_long_paste_and_many_words_are_not_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[str]()
    exists = os.path.lexists

    def counted(path: str) -> bool:
        looked.append(path)
        return exists(path)

    monkeypatch.setattr(os.path, "lexists", counted)
    assert paths_in("/etc " * 20_000) == ()
    assert paths_in(f"/nowhere/{'x' * 300} " + "/etc " * 100) == ()
    assert paths_in("the words " * 1000) == ()
    assert len(looked) <= 3


PATHS = st.text(
    st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda path: len(path.splitlines()) == 1)


@settings(deadline=None)
@given(PATHS, st.sampled_from(["", "see ", "(", "a\n"]), st.sampled_from(["", " and more", "\nmore"]))
def test_a_path_written_as_a_mention_is_found_again(path: str, before: str, after: str) -> None:
    text = f"{before}{mention(path)}{after}"
    found = next(mentions_in(text))
    assert (found.path, found.start) == (path, len(before))
    assert text[found.end :] == after


@settings(deadline=None)
@given(PATHS, st.data())
def test_the_mention_that_is_being_typed_is_what_stands_before_the_cursor(path: str, data: st.DataObject) -> None:
    text = f"see {mention(path)}"
    cursor = data.draw(st.integers(5, len(text)))
    found = mention_at(text, cursor)
    if text[cursor - 1 : cursor] == '"' and cursor == len(text) and text[5] == '"':
        assert found is None  # the closing quote ends it
    else:
        assert found is not None
        assert (found.start, found.end) == (4, cursor)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@", Mention(0, 1, "")),
        ("see @src/ma", Mention(4, 11, "src/ma")),
        ('see @"my fi', Mention(4, 11, "my fi")),
        ('see @"my file"', None),
        ("me@example.org", None),
        ("see @src ", None),
        ("@a\n", None),
    ],
)
def test_what_is_a_mention(text: str, found: Mention | None) -> None:
    assert mention_at(text, len(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "@property @app.route('/a.html') @media @types/node @user @example.org me@gone.py user@host @a.b.Test",
        'import x from "@/lib/x"; @patch("a/b.json") @a.py is there, @"a.py" too, \\@gone.py, @src',
    ],
)
def test_what_does_not_look_like_a_path_is_not_missed(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "src").mkdir()
    assert list(missing(text, tmp_path)) == []


def test_a_path_that_does_not_exist_is_missed(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    text = f'@gone.py, (@src/gone) @sr/main.TXT. @{tmp_path}/gone @"my notes.md" @~/gone.png'
    found = ["gone.py", "src/gone", "sr/main.TXT", f"{tmp_path}/gone", "my notes.md", "~/gone.png"]
    assert [each.path for each in missing(text, tmp_path)] == found


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (
            '\\@a.py (\\@src/) \\@"my file.md" \\@~/x\n\\@/etc/hosts',
            '@a.py (@src/) @"my file.md" @~/x\n@/etc/hosts',
        ),
        ("push(\\@list); me\\@a.py \\\\@a.py \\@ifnextchar @a.py", None),
    ],
)
def test_an_escaped_path_is_sent_as_text_without_its_backslash(text: str, sent: str | None) -> None:
    assert unescaped(text) == (text if sent is None else sent)


def test_punctuation_behind_a_path_is_not_part_of_it(tmp_path: Path) -> None:
    for name in ("a.py", "my file", "odd."):
        (tmp_path / name).touch()
    text = 'Compare @a.py, (@a.py) and @"my file"! Not @nobody, but @odd. and @odd...'
    found = list(mentioned(text, tmp_path))
    assert [path.name for _, path in found] == ["a.py", "a.py", "my file", "odd."]
    assert [text[each.start : each.end] for each, _ in found] == ["@a.py", "@a.py", '@"my file"', "@odd."]


def test_a_blank_after_a_backslash_belongs_to_a_mention(tmp_path: Path) -> None:
    made(tmp_path, "my notes.txt")
    text = "see @my\\ notes.txt, and @gone\\ too.txt now"
    assert list(mentioned(text, tmp_path)) == [(Mention(4, 18, "my notes.txt"), tmp_path / "my notes.txt")]
    assert text[4:18] == "@my\\ notes.txt"
    assert [each.path for each in missing(text, tmp_path)] == ["gone too.txt"]
    assert mention_at("see @my\\ no", 11) == Mention(4, 11, "my no")
