"""A file of any earlier version becomes one of today with everything in it, and a copy of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_chat.errors import StoreError
from tui_chat.messages import Attachment, Role, State, Usage
from tui_chat.store import schema
from tui_chat.store.files import make
from tui_chat.store.schema import VERSION, migrate
from tui_chat.store.store import Store
from tui_chat.store.transaction import transaction

from tests.store.kit import filled, opened, plain

ROWS_1 = (
    "INSERT INTO chats VALUES ('c1', 10.0, 20.0, 1, NULL, 2, 9, 'm2', 'tiny', 'box', 'Größe', 'be kind')",
    "INSERT INTO chats VALUES ('c2', 11.0, 12.0, 0, 13.0, 0, 0, NULL, '', '', 'Deleted', '')",
    "INSERT INTO messages VALUES "
    "(1, 'm1', 'c1', NULL, 'user', 'complete', '', 1, 4, NULL, 10, 10, NULL, NULL, '', '', NULL, '', '日本語?', '')",
    "INSERT INTO messages VALUES (2, 'm2', 'c1', 'm1', 'assistant', 'stopped', 'length', 2, 5, NULL, 11, 11, 0.5, 2.5,"
    """ 'tiny', 'box', '{"prompt_tokens": 3, "reply_tokens": 4}', 'cut', 'はい!', 'hm')""",
    "INSERT INTO attachments VALUES ('m1', 0, 'a.png', 'image/png', x'00ff')",
    "INSERT INTO settings VALUES ('model', 'tiny')",
)


def version_1(path: Path) -> None:
    """A file as the first version made it, with data."""
    make(path)
    with plain(path) as database:
        database.execute("PRAGMA journal_mode = WAL")
        with transaction(database):
            migrate(database, to=1)
        for statement in ROWS_1:
            database.execute(statement)


async def test_version_1_becomes_todays_with_everything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    version_1(path)
    async with opened(path) as store:
        thread = await store.load("c1")
        prompt, reply = thread.messages
        assert (thread.chat.title, thread.chat.system, thread.chat.pinned, thread.chat.leaf) == (
            "Größe",
            "be kind",
            True,
            "m2",
        )
        assert (thread.chat.draft, thread.chat.place) == ("", None)
        assert (prompt.text, prompt.attachments) == ("日本語?", (Attachment("a.png", "image/png", b"\0\xff"),))
        assert (reply.role, reply.state, reply.finish, reply.thinking) == (
            Role.ASSISTANT,
            State.STOPPED,
            "length",
            "hm",
        )
        assert reply.usage == Usage(3, 4)
        assert await store.recall("model") == "tiny"
        assert [summary.id for summary in await store.chats("grosse".replace("ss", "ß"))] == ["c1"]
        assert {hit.message for hit in await store.search("本") or ()} == {"m1"}
        await store.index()
        assert {hit.message for hit in await store.search("はい") or ()} == {"m2"}
        await store.undelete("c2")
        assert len(await store.chats()) == 2
        assert await store.recover() == ()


async def test_the_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    version_1(path)
    async with opened(path):
        pass
    (copy,) = (entry for entry in tmp_path.iterdir() if ".version-1-" in entry.name)
    assert copy.stat().st_mode & 0o777 == 0o600
    with plain(copy) as old, plain(path) as new:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert new.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert old.execute("SELECT text FROM messages").fetchall() == [("日本語?",), ("はい!",)]
    async with opened(path):
        assert len([entry for entry in tmp_path.iterdir() if ".version-" in entry.name]) == 1


async def test_a_step_that_fails_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.db"
    version_1(path)
    steps = schema._STEP_2
    monkeypatch.setattr(schema, "_STEP_2", (*steps, "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StoreError):
        await Store.open(path)
    with plain(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert len(database.execute("PRAGMA table_info(chats)").fetchall()) == 12
    monkeypatch.setattr(schema, "_STEP_2", steps)
    async with opened(path) as store:
        assert len((await store.load("c1")).messages) == 2


async def test_each_step_gives_the_same_tables_as_all_at_once(tmp_path: Path) -> None:
    tables = []
    for name, stops in (("stepwise", range(1, VERSION + 1)), ("at-once", range(VERSION, VERSION + 1))):
        make(tmp_path / name)
        with plain(tmp_path / name) as database:
            for stop in stops:
                migrate(database, to=stop)
            tables.append(database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall())
    assert tables[0] == tables[1]


async def test_a_damaged_file_of_version_1_is_rescued_into_todays(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    version_1(path)
    with plain(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chats'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(data)
    async with opened(path) as store:
        assert "saved from it: 1, not" in store.notice
        (summary,) = await store.chats()
        assert (summary.id, summary.title, summary.messages) == ("c1", "Recovered chat", 2)
        await filled(store, "goes on")
