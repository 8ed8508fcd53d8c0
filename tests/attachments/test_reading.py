"""What of a disk becomes a part of a message, and why the rest does not."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.attachments import prompt
from tui_chat.attachments.prompt import as_mentions, attach_mentioned, look_through, mention_of, still_attached
from tui_chat.attachments.reading import FILE_LIMIT, attach, look_at, read_text
from tui_chat.errors import FileError
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, File
from tui_chat.servers.content import words_of

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc"]), max_size=200)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading") / "it"


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_text_in_any_of_the_encodings_is_read(file: Path, text: str, encoding: str) -> None:
    plain = text.removeprefix("\ufeff")
    file.write_bytes(plain.encode())
    as_utf8 = read_text(file, "it")
    file.write_bytes(plain.encode(encoding))
    assert read_text(file, "it") == as_utf8
    assert look_at(file, "it") == (file.stat().st_size, "text/plain")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with suppress(FileError):
        part = attach(file, "it")
        assert look_at(file, "it")[1] == part.mime
        if isinstance(part, File):
            assert part.blob.data is not None
            assert not {0, 0x1B}.intersection(part.blob.data)


def test_a_text_file_is_sent_in_a_fence_with_its_path(work: Path) -> None:
    (work / "src").mkdir()
    (work / "src" / "a.ts").write_bytes("\ufefflet a = '```'\r\n\x1b[2J".encode())
    (part,) = attach_mentioned("@src/a.ts", Event())
    assert part == File("src/a.ts", "text/plain", Blob.of(b"let a = '```'\n\xe2\x90\x9b[2J"))
    words = words_of(Message(Role.USER, (part,)), ("image/",))
    assert words == "src/a.ts:\n````\nlet a = '```'\n␛[2J\n````"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


def test_a_name_is_short_where_the_path_lies_below_a_known_folder(work: Path) -> None:
    (work.parent / "a b").write_text("x")
    (work / "b").write_text("x")
    text = as_mentions(f"'{work.parent}/a b' {work}/b")
    assert text == '@"~/a b" @b'
    assert [each.name for each in look_through(text, Event())] == ["~/a b", "b"]
    assert mention_of(Path("/etc/hostname")) == "@/etc/hostname"
    with pytest.raises(FileError, match="There is no file gone"):
        mention_of(Path("gone"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("fifo", "is not a regular file"),
        ("folder", "is a folder"),
        ("socket", "No such device"),
        ("gone", "No such file"),
        ("link to a device", "is not a regular file"),
        ("binary", "is binary"),
        ("latin", "not UTF-8 text"),
        ("large", "larger than 1 MB"),
        ("heic", "models do not take HEIC pictures"),
        ("name", "no file can have that name"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "it"
    contents = {
        "binary": b"\x7fELF\0\xff",
        "latin": b"caf\xe9",
        "large": b"x" * (FILE_LIMIT + 1),
        "heic": b"\0\0\0\x18ftypheic",
    }
    if kind in contents:
        path.write_bytes(contents[kind])
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        path = Path(os.path.relpath(path))  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "name":
        path = Path("a\0b")
    for function in (look_at, attach):
        with pytest.raises(FileError, match=words) as caught:
            function(path, "it")
        assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0)
    with pytest.raises(FileError, match="Permission denied"):
        attach(path, "it")


def test_a_file_that_tells_no_size_is_read(tmp_path: Path) -> None:
    assert attach(Path("/proc/self/status"), "status").blob.size > 100


def test_each_file_is_attached_once_and_all_have_a_limit(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (work / name).write_text("x" * 10)
    monkeypatch.setattr(prompt, "TOTAL_LIMIT", 30)
    parts = attach_mentioned("@a, @b and @c; again @a. Not @d.", Event())
    assert [part.name for part in parts] == ["a", "b", "c"]
    monkeypatch.setattr(prompt, "TOTAL_LIMIT", 29)
    with pytest.raises(FileError, match="more than"):
        attach_mentioned("@a @b @c", Event())


def test_a_folder_needs_its_slash(work: Path) -> None:
    (work / "src").mkdir()
    (work / "src" / "a.py").write_text("1")
    (work / "src" / ".b").write_text("2")
    (work / "none").mkdir()
    assert attach_mentioned("is @src good?", Event()) == ()
    assert [part.name for part in attach_mentioned("is @src/ good?", Event())] == ["src/a.py"]
    (seen,) = look_through("is @src/ good?", Event())
    assert (seen.name, seen.files, seen.left_out, seen.size) == ("src/", ("a.py",), 1, 1)
    assert "has no text files" in str(look_through("@none/", Event())[0].trouble)
    assert as_mentions(str(work / "src")) == "@src/"


@pytest.mark.usefixtures("work")
def test_an_edited_prompt_keeps_what_it_mentions_and_what_it_never_did() -> None:
    files = [File(name, "text/plain", Blob.of(b"x")) for name in ("a", "b", "src/c", "elsewhere")]
    for after, kept in (
        ("@a and @src/", ["a", "src/c", "elsewhere"]),
        ("nothing", ["elsewhere"]),
        ("@a @b @src/ more", ["a", "b", "src/c", "elsewhere"]),
    ):
        assert [file.name for file in still_attached(files, "@a @b @src/", after)] == kept
