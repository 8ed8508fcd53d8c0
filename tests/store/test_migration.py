"""A file of any earlier version becomes one of today with everything in it, and a copy of it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tui_chat.errors import StoreError
from tui_chat.messages import Role, State, Usage
from tui_chat.parameters import Parameters
from tui_chat.parts import Blob, File, Image, Text, Thinking
from tui_chat.store import schema
from tui_chat.store.schema import VERSION
from tui_chat.store.store import Store

from tests.store.earlier import earlier
from tests.store.kit import filled, index, opened, plain, said

VERSIONS = pytest.mark.parametrize("version", [1, 2])


@VERSIONS
async def test_an_earlier_file_becomes_todays_with_everything_in_it(tmp_path: Path, version: int) -> None:
    path = tmp_path / "chats.db"
    earlier(path, version)
    if version == 2:
        with plain(path) as database:
            database.execute("UPDATE chats SET draft = 'not sent', place_message = 'm1', place_row = 3")
            database.execute("INSERT INTO grams (rowid, pieces) VALUES (1, 'stale')")
            database.execute("UPDATE messages SET indexed = 1")
    async with opened(path) as store:
        thread = await store.load("c1")
        prompt, reply = await store.with_data(thread.messages)
        chat = thread.chat
        assert (chat.title, chat.system, chat.pinned, chat.leaf) == ("Größe", "be kind", True, "m2")
        assert (chat.draft, chat.place and chat.place.row) == (("not sent", 3) if version == 2 else ("", None))
        picture, note = Blob.of(b"\0\xff"), Blob.of(b"words")
        assert prompt.parts == (
            *(Text("日本語?"), Image("a.png", "image/png", picture)),
            File("a.txt", "text/plain", note),
        )
        assert [file.blob.data for file in prompt.files] == [picture.data, note.data]
        assert reply.parts == (Thinking("hm"), Text("はい!"))
        assert (reply.role, reply.state, reply.finish) == (Role.ASSISTANT, State.STOPPED, "length")
        assert reply.usage == Usage(3, 4)
        assert await store.recall("model") == "tiny"
        assert [summary.id for summary in await store.chats("größe")] == ["c1"]
        assert {hit.message for hit in await store.search("本") or ()} == {"m1"}
        await index(store)
        assert {hit.message for hit in await store.search("はい") or ()} == {"m2"}
        assert await store.search("stale") == ()
        await store.save("c2", deleted=False)
        assert len(await store.chats()) == 2
        assert await store.recover() == ()
        await store.save("c1", said("goes on", reply))
        assert len((await store.load("c1")).branch()) == 3
    with plain(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@VERSIONS
async def test_the_file_is_copied_before_it_is_changed(tmp_path: Path, version: int) -> None:
    path = tmp_path / "chats.db"
    earlier(path, version)
    async with opened(path):
        pass
    (copy,) = (entry for entry in tmp_path.iterdir() if f".version-{version}-" in entry.name)
    assert copy.stat().st_mode & 0o777 == 0o600
    with plain(copy) as old, plain(path) as new:
        assert old.execute("PRAGMA user_version").fetchone() == (version,)
        assert new.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert old.execute("SELECT text FROM messages").fetchall() == [("日本語?",), ("はい!",)]
    async with opened(path):
        assert len([entry for entry in tmp_path.iterdir() if ".version-" in entry.name]) == 1


@VERSIONS
async def test_a_migration_that_fails_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    path = tmp_path / "chats.db"
    earlier(path, version)
    tables = schema._TABLES
    monkeypatch.setattr(schema, "_TABLES", (*tables, "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StoreError):
        await Store.open(path)
    with plain(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (version,)
        assert database.execute("SELECT text FROM messages").fetchall() == [("日本語?",), ("はい!",)]
    monkeypatch.setattr(schema, "_TABLES", tables)
    async with opened(path) as store:
        assert len((await store.load("c1")).messages) == 2


async def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    earlier(tmp_path / "old", 2)
    tables = []
    for name in ("old", "new"):
        async with opened(tmp_path / name):
            pass
        with plain(tmp_path / name) as database:
            tables.append(database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall())
    assert tables[0] == tables[1]


async def test_a_file_without_parameters_becomes_todays(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    picture = Image("a.png", "image/png", Blob.of(b"\0\xff"))
    async with opened(path) as store:
        chat, (prompt, reply) = await filled(store, "one", "two")
        await store.save(chat.id, seen := replace(said("see", reply), parts=(Text("see"), picture)))
    with plain(path) as database:
        database.execute("ALTER TABLE chats DROP COLUMN parameters")
        database.execute("PRAGMA user_version = 3")
    async with opened(path) as store:
        thread = await store.load(chat.id)
        assert [message.id for message in thread.branch()] == [prompt.id, reply.id, seen.id]
        (found,) = await store.with_data(thread.branch()[2:])
        assert found.files == (picture,)
        assert thread.chat.parameters == Parameters()
        await store.save(chat.id, fields={"parameters": Parameters(temperature=0.5, stop=("a b",), think=False)})
        assert (await store.load(chat.id)).chat.parameters == Parameters(0.5, stop=("a b",), think=False)
    with plain(path) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_what_the_old_tables_took_and_the_strict_ones_do_not_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    earlier(path, 2)
    with plain(path) as database:
        database.execute("UPDATE messages SET text = x'61ff', created = 'x', thinking = CAST(x'61ff' AS TEXT)")
        database.execute("UPDATE chats SET title = x'ff', updated = 'x', size = 'x'")
        database.execute("UPDATE attachments SET name = x'61ff', mime = 7")
    async with opened(path) as store:
        prompt, reply = (await store.load("c1")).messages
        assert (prompt.text, reply.thinking, prompt.created) == ("a�", "a�", 0.0)
        assert [file.name for file in prompt.files] == ["a�", "a�"]
        assert [chat.title for chat in await store.chats()] == ["�"]


@VERSIONS
async def test_a_damaged_earlier_file_is_rescued_into_todays(tmp_path: Path, version: int) -> None:
    path = tmp_path / "chats.db"
    earlier(path, version)
    with plain(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chats'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(data)
    async with opened(path) as store:
        assert "recovered: 1, some" in store.notice
        (summary,) = await store.chats()
        assert (summary.id, summary.title, summary.messages) == ("c1", "Recovered chat", 2)
        prompt, reply = (await store.load("c1")).messages
        assert (prompt.text, [file.name for file in prompt.files]) == ("日本語?", ["a.png", "a.txt"])
        assert (reply.text, reply.thinking) == ("はい!", "hm")
        await filled(store, "goes on")
