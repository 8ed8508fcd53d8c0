"""Whatever is wrong with the file or the disk: a clear error, nothing acknowledged lost, nothing deleted."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tui_chat.errors import StoreError
from tui_chat.messages import Role
from tui_chat.store import database, faults, files
from tui_chat.store.schema import VERSION
from tui_chat.store.store import Store
from tui_chat.store.values import Thread

from tests.store.kit import filled, index, opened, plain, python, said

LIMITED = Path(__file__).with_name("limited.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tui-chat" / "chats.db"


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of a user without privileges, who we are meanwhile."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if was_root:
            os.seteuid(0)
        shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; only root can make one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting takes root")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def content(folder: Path) -> dict[str, bytes]:
    return {
        entry.name: entry.read_bytes() for entry in folder.iterdir() if not entry.name.endswith(("-shm", "-wal"))
    }


async def many_chats(path: Path, count: int = 30) -> None:
    async with opened(path) as store:
        for number in range(count):
            await filled(store, f"prompt {number} " * 40, f"reply {number} " * 200)
        await index(store)


async def everything(store: Store) -> list[Thread]:
    return [await store.load(summary.id) for summary in await store.chats()]


async def test_only_the_user_may_look_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(path) as store:
            await filled(store, "secret")
            assert {mode(entry) for entry in path.parent.iterdir()} == {0o600}
            assert sorted(entry.name for entry in path.parent.iterdir()) == [
                "chats.db",
                f"chats.db-open-{store._database.owner.name}",
                "chats.db-shm",
                "chats.db-wal",
            ]
            assert (mode(path.parent), mode(path.parent.parent)) == (0o700, 0o700)
    finally:
        os.umask(before)


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    async with opened(path):
        pass
    path.chmod(0o644)
    async with opened(path):
        assert mode(path) == 0o600


async def test_a_full_disk_takes_nothing_that_was_acknowledged(path: Path) -> None:
    with python(LIMITED, str(path)) as process:
        output, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    acknowledged = [line.split()[1] for line in output.splitlines() if line.startswith("acknowledged")]
    assert len(acknowledged) > 2
    assert "too-large" not in acknowledged
    (failed,) = [line for line in output.splitlines() if line.startswith("failed")]
    assert "was not saved" in failed
    assert "saving works again" in failed
    async with opened(path) as store:
        assert [message.id for message in (await store.load("chat")).messages] == acknowledged
    with plain(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def fill_up(store: Store, chat_id: str, saved: list[str]) -> None:
    for number in range(100):
        await store.save(chat_id, said(f"{number} " * 3000))
        saved.append(f"{number} " * 3000)


async def test_a_file_system_that_is_full_and_then_has_room_again(small_disk: Path) -> None:
    path = small_disk / "chats.db"
    async with opened(path) as store:
        chat, _ = await filled(store, "first")
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"x" * 600_000)
        saved = ["first"]
        with pytest.raises(StoreError, match="disk is full"):
            await fill_up(store, chat.id, saved)
        assert 1 < len(saved) < 100
        assert [message.text for message in (await store.load(chat.id)).messages] == saved
        with pytest.raises(StoreError, match="disk is full"):
            await store.save(chat.id, said("x" * 900_000))
        ballast.unlink()
        await store.save(chat.id, said("after"))
    async with opened(path) as store:
        assert [message.text for message in (await store.load(chat.id)).messages] == [*saved, "after"]


async def test_a_disk_without_room_for_a_store_is_told(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (1 << 20))
    with pytest.raises(StoreError, match=r"disk|Cannot open"):
        await Store.open(small_disk / "chats.db")


async def test_sqlites_own_full_error_is_told_and_gets_over(path: Path) -> None:
    async with opened(path) as store:
        chat, (message,) = await filled(store, "first")
        database = store._database.writer
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(StoreError, match="disk is full") as caught:
            await store.save(chat.id, said("x" * 100_000, message))
        assert str(path) in caught.value.hint
        database.execute("PRAGMA max_page_count = 1000000")
        await store.save(chat.id, said("second", message))
        assert [one.text for one in (await store.load(chat.id)).messages] == ["first", "second"]


async def test_a_read_only_file_is_an_error_that_names_it(nobody: Path) -> None:
    path = nobody / "chats.db"
    async with opened(path) as store:
        await filled(store, "kept")
    path.chmod(0o400)
    before = content(nobody)
    with pytest.raises(StoreError, match=r"Cannot (open|save) the chats.*chats\.db") as caught:
        await Store.open(path)
    assert "permissions" in caught.value.hint
    assert content(nobody) == before


async def test_a_read_only_folder_is_an_error(nobody: Path) -> None:
    folder = nobody / "closed"
    folder.mkdir()
    path = folder / "chats.db"
    async with opened(path) as store:
        await filled(store, "kept")
    folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"Cannot (open|save)"):
            await Store.open(path)
        with pytest.raises(StoreError, match="Cannot open"):
            await Store.open(folder / "other.db")
    finally:
        folder.chmod(0o700)


async def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot open"):
        await Store.open(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="Cannot open"):
        await Store.open(tmp_path / "file" / "chats.db")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up waiting for locks soon."""
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    monkeypatch.setattr(database, "START_PATIENCE", 0.05)


async def test_a_lock_of_another_program_is_told_after_a_while_and_gets_over(path: Path, impatient: None) -> None:
    async with opened(path) as store:
        chat, _ = await filled(store, "before")
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked by another program"):
                await store.save(chat.id, said("x"))
            assert (await store.load(chat.id)).messages[0].text == "before", "reading goes on"
            with pytest.raises(StoreError, match="locked by another program"):
                await Store.open(path)
            other.execute("ROLLBACK")
        await store.save(chat.id, said("after"))


async def test_a_lock_on_the_folder_is_told_after_a_while(path: Path, impatient: None) -> None:
    path.parent.mkdir(parents=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="locked by another program") as caught:
            async with asyncio.timeout(30):
                await Store.open(path)
        assert str(path.parent) in caught.value.hint
    finally:
        os.close(folder)
    async with opened(path):
        pass


async def test_a_lock_at_the_start_is_not_waited_for_long_since_nothing_is_on_the_screen_yet(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds

    monkeypatch.setattr("tui_chat.files.time", SimpleNamespace(monotonic=lambda: waited, sleep=sleep))
    path.parent.mkdir(parents=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="locked by another program"):
            await Store.open(path)
    finally:
        os.close(folder)
    assert 1 < waited < 2.5


async def test_a_pipe_is_no_store(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    async with asyncio.timeout(30):
        with pytest.raises(StoreError, match="not a regular file"):
            await Store.open(path)


def garbage_header(data: bytes) -> bytes:
    return b"\xa5" * 200 + data[200:]


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def truncated_in_the_header(data: bytes) -> bytes:
    return data[:50]


def wiped(data: bytes) -> bytes:
    return b"\0" * len(data)


@pytest.mark.parametrize("damage", [garbage_header, truncated, truncated_in_the_header, wiped])
async def test_a_damaged_file_is_set_aside_and_said_so(path: Path, damage: Callable[[bytes], bytes]) -> None:
    await many_chats(path)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    async with opened(path) as store:
        (aside,) = (entry for entry in path.parent.iterdir() if re.search(r"\.damaged-[\d-]+$", entry.name))
        assert aside.read_bytes() == damaged
        assert mode(aside) == 0o600
        assert aside.name in store.notice
        chat, _ = await filled(store, "a new chat")
        assert chat.id in {summary.id for summary in await store.chats()}
    async with opened(path) as store:
        assert store.notice == ""


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (b"CREATE TABLE settings (", b"CREATE TABLE settings \xff"),  # SQLite's own error is no UTF-8 then
        (b"tablesettings", b"tablesett\xff\xfegs"),
        (b"CREATE INDEX messages_below", b"CREATE INDEX messages_b\xff\xffow"),
        (b"CREATE TABLE settings", b"CREATE TABXX settings"),
    ],
)
async def test_a_table_that_is_none_takes_no_other_with_it(path: Path, words: bytes, instead: bytes) -> None:
    await many_chats(path, 3)
    data = path.read_bytes()
    assert data.count(words) == 1
    path.write_bytes(data.replace(words, instead))
    async with opened(path) as store:
        assert "Chats recovered: 3" in store.notice
        assert [len(thread.messages) for thread in await everything(store)] == [2, 2, 2]


@pytest.mark.parametrize(("table", "leaf"), [("parts", 9), ("messages", 0)])
async def test_damage_in_the_middle_is_told_and_the_next_start_saves_the_rest(
    path: Path, table: str, leaf: int
) -> None:
    await many_chats(path)
    with plain(path) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
        (page,) = database.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' LIMIT 1 OFFSET ?", (table, leaf)
        ).fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(data)

    async with opened(path) as store:
        assert store.notice == ""
        with pytest.raises(StoreError, match="damaged") as caught:
            await everything(store)
        assert "recovers the chats" in caught.value.hint
    async with opened(path) as store:
        assert "recovered: 30, some incomplete" in store.notice
        messages = [message for thread in await everything(store) for message in thread.messages]
        assert 10 < sum(bool(message.text) for message in messages) < 60
        assert (len(messages) < 60) == (table == "messages")
        assert sum(summary.messages for summary in await store.chats()) == len(messages)
        hits = await store.search('"reply 29"')
        assert len(hits or ()) == 1
    with plain(path) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    async with opened(path) as store:
        assert store.notice == ""


async def test_a_damaged_file_that_another_process_has_open_stays_where_it_is(path: Path) -> None:
    await many_chats(path)
    async with opened(path) as running:
        running._database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = bytearray(path.read_bytes())
        data[4096 * 40 : 4096 * 43] = b"\xa5" * 4096 * 3
        path.write_bytes(data)
        database.suspicion(path).touch()
        for _ in range(2):
            with pytest.raises(StoreError, match="another tui-chat has it open") as caught:
                await Store.open(path)
            assert "Close the other tui-chat" in caught.value.hint
        await filled(running, "said meanwhile")
        assert not [entry for entry in path.parent.iterdir() if ".damaged-" in entry.name]
    async with opened(path) as store:
        assert "Chats recovered" in store.notice
        assert len(await store.search("said meanwhile") or ()) == 2
    async with opened(path) as store:
        assert store.notice == ""


async def test_an_unreadable_file_is_an_error_that_says_so(nobody: Path) -> None:
    path = nobody / "chats.db"
    async with opened(path):
        pass
    path.chmod(0o000)
    with pytest.raises(StoreError, match=r"Permission denied.*chats\.db"):
        await Store.open(path)


def test_sqlites_own_reason_is_told_without_what_a_terminal_obeys() -> None:
    error = sqlite3.OperationalError("attempt to write \x1b[2J")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    assert "attempt to write ␛[2J" in str(faults.explain(error, Path("chats.db")))


async def test_a_damaged_index_is_made_anew_at_the_next_start(path: Path) -> None:
    await many_chats(path, 3)
    with plain(path) as database:
        database.execute("UPDATE grams_data SET block = x'a5a5a5a5a5a5' WHERE id > 10")
    async with opened(path) as store:
        with pytest.raises(StoreError, match="damaged"):
            await store.search("prompt")
    async with opened(path) as store:
        assert store.notice == ""
        await index(store)
        assert {hit.role for hit in await store.search("prompt") or () if hit.role} == {Role.USER}


async def test_a_crash_in_the_middle_of_a_write_without_a_log_is_undone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "is_network", lambda path: True)
    await many_chats(path, 10)
    crashed = path.with_name("crashed.db")
    with plain(path) as database:
        database.execute("PRAGMA cache_size = 2")
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE parts SET text = 'half done'")
        shutil.copy(path, crashed)
        shutil.copy(path.with_name("chats.db-journal"), path.with_name("crashed.db-journal"))
        database.execute("ROLLBACK")
    async with opened(crashed) as store:
        assert store.notice == ""
        said_there = [message.text for thread in await everything(store) for message in thread.messages]
        assert len(said_there) == 20
        assert "half done" not in said_there


async def test_an_emptied_file_beside_its_log_is_set_aside_with_it(path: Path) -> None:
    store = await Store.open(path)
    await filled(store, "in the log")
    log = path.with_name("chats.db-wal").read_bytes()
    await store.aclose()
    path.write_bytes(b"")
    path.with_name("chats.db-wal").write_bytes(log)
    async with opened(path) as store:
        (aside,) = (
            entry for entry in path.parent.iterdir() if entry.name.endswith("-wal") and ".damaged-" in entry.name
        )
        assert aside.read_bytes() == log
        assert "kept as" in store.notice


async def test_a_file_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("My diary, of all things.\n")
    with pytest.raises(StoreError, match="not a tui-chat database"):
        await Store.open(path)
    assert content(path.parent) == {"chats.db": b"My diary, of all things.\n"}


async def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with plain(path) as database:
        database.execute("CREATE TABLE other (x)")
    before = content(path.parent)
    with pytest.raises(StoreError, match="another program"):
        await Store.open(path)
    assert content(path.parent) == before


async def test_a_newer_file_is_left_alone_also_if_it_becomes_newer_meanwhile(path: Path) -> None:
    async with opened(path) as store:
        chat, _ = await filled(store, "x")
        with plain(path) as newer:
            newer.execute(f"PRAGMA user_version = {VERSION + 1}")
        with pytest.raises(StoreError, match="newer tui-chat"):
            await store.save(chat.id, said("y"))
    before = content(path.parent)
    with pytest.raises(StoreError, match=f"format {VERSION + 1}") as caught:
        await Store.open(path)
    assert "Update tui-chat" in caught.value.hint
    assert content(path.parent) == before


async def test_a_network_file_system_gets_a_journal_that_works_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as store:
        await filled(store, "with a log")
    monkeypatch.setattr(files, "is_network", lambda path: True)
    async with opened(path) as store, opened(path) as second:
        await filled(store, "with a journal")
        assert store._database.writer.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert len(await second.chats()) == 2
        assert len(await second.search("with") or ()) == 4


@pytest.mark.parametrize(("kind", "network"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False)])
def test_network_file_systems_are_told_by_their_device(
    kind: str, network: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 250:1 / / rw,relatime shared:1 - nfs4 server:/other rw\n"
        f"40 22 {number} / /home\\040of/someone rw shared:20 master:1 - {kind} server:/home rw\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(files, "MOUNTS", table)
    assert files.is_network(tmp_path) is network
    assert not files.is_network(tmp_path / "missing")
    monkeypatch.setattr(files, "MOUNTS", tmp_path / "missing")
    assert not files.is_network(tmp_path)
