"""The parts of messages on disk: what a checkpoint writes, and where the bytes of files lie."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Blob, File, Image, Text, Thinking, ToolCall, ToolResult, parts_of
from tui_chat.store.export import to_json
from tui_chat.store.imports import read_export
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.store.kit import filled, index, opened, plain, purge, said

PICTURE = Blob.of(b"\x89PNG" * 100)


def rows_changed(store: Store) -> int:
    return store._database.writer.total_changes


def logged(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


async def test_a_checkpoint_writes_the_row_of_the_message_and_the_part_that_grew(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    thinking = "a long thought. " * 20_000
    async with opened(path) as store:
        chat, (prompt,) = await filled(store, "go")
        reply = Message(Role.ASSISTANT, parts_of("Word", thinking), parent=prompt.id, state=State.STREAMING)
        await store.save(chat.id, reply)
        store._database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        written, rows = logged(path), rows_changed(store)
        for _ in range(10):
            reply = reply.grown(" more")
            await store.save(chat.id, reply)
        assert rows_changed(store) - rows == 10 * 3, "the message, its text, and the chat's size"
        assert logged(path) - written < 10 * 40_000, "the thinking stays where it is"
        assert (await store.load(chat.id)).messages[1].parts == (Thinking(thinking), Text("Word" + " more" * 10))


async def test_a_save_that_changes_nothing_of_the_parts_writes_none() -> None:
    async with opened(None) as store:
        chat, (prompt,) = await filled(store, "go")
        await store.save(chat.id, prompt)
        rows = rows_changed(store)
        await store.save(chat.id, dataclasses.replace(prompt, state=State.STOPPED))
        assert rows_changed(store) - rows == 2


async def test_parts_that_are_no_longer_there_are_gone() -> None:
    async with opened(None) as store:
        chat, (prompt,) = await filled(store, "go")
        files = (Image("a.png", "image/png", PICTURE),)
        await store.save(chat.id, dataclasses.replace(prompt, parts=parts_of("go", "hm", files)))
        await store.save(chat.id, dataclasses.replace(prompt, parts=parts_of("went")))
        assert (await store.load(chat.id)).messages[0].parts == (Text("went"),)
        assert (await store.chats())[0].size == 4


async def test_bytes_that_several_messages_have_are_there_once_and_go_with_the_last(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    async with opened(path) as store:
        chats = []
        for name in ("a.png", "b.png"):
            chat, _ = await filled(store)
            await store.save(chat.id, Message(Role.USER, (Image(name, "image/png", PICTURE),)))
            chats.append(chat)
        left = []
        for chat in chats:
            with plain(path) as database:
                left.append(database.execute("SELECT count(*), sum(length(data)) FROM blobs").fetchone())
            await store.save(chat.id, deleted=True)
            await purge(store)
        assert left == [(1, 400), (1, 400)]
        with plain(path) as database:
            assert database.execute("SELECT count(*) FROM blobs").fetchone() == (0,)


async def test_a_message_is_loaded_without_the_bytes_of_its_files_and_gets_them_when_asked() -> None:
    async with opened(None) as store:
        chat, _ = await filled(store)
        parts = (Text("see"), Image("a.png", "image/png", PICTURE), File("b", "", Blob.of(b"")))
        message = Message(Role.USER, parts)
        await store.save(chat.id, message)
        (loaded,) = (await store.load(chat.id)).messages
        assert loaded == message
        assert [(file.blob.size, file.blob.data) for file in loaded.files] == [(400, None), (0, None)]
        (full,) = await store.with_data([loaded])
        assert [file.blob.data for file in full.files] == [PICTURE.data, b""]
        anew = Message(Role.USER, loaded.with_text("look").parts)
        await store.save(chat.id, anew)
        (_, again) = await store.with_data((await store.load(chat.id)).messages)
        assert (again.text, again.files[0].blob.data) == ("look", PICTURE.data)


async def test_a_search_looks_at_all_that_is_said_and_only_that() -> None:
    async with opened(None) as store:
        chat, (prompt,) = await filled(store, "go")
        called = ToolCall("1", "weather", '{"city": "secretcity"}')
        parts = (
            Thinking("hidden thought"),
            Text("first words"),
            called,
            ToolResult("1", "rain"),
            Text("last words"),
        )
        await store.save(chat.id, Message(Role.ASSISTANT, parts, parent=prompt.id))
        for indexed in (False, True):
            if indexed:
                await index(store)
            (hit,) = await store.search("first last") or ()
            assert (hit.snippet, hit.at) == ("first words  last words", 0)
            for words in ("hidden", "secretcity", "rain"):
                assert await store.search(words) == ()
        await store.save(chat.id, Message(Role.ASSISTANT, parts[:2], id=hit.message or "", parent=prompt.id))
        assert await store.search("last") == ()


def test_an_export_of_the_first_version_is_still_read() -> None:
    old = """{"format": "tui-chat", "version": 1, "chats": [{"id": "c", "created": 1.0, "updated": 1.0, "messages": [
        {"role": "user", "text": "see", "id": "m", "state": "complete", "created": 1.0,
         "attachments": [{"name": "a.png", "mime": "image/png", "data": "AP8="},
                         {"name": "a.txt", "mime": "text/plain", "data": "eA=="}]},
        {"role": "assistant", "text": "yes", "thinking": "hm", "id": "n", "parent": "m", "state": "complete",
         "created": 2.0}]}]}"""
    (thread,) = read_export(old)
    assert [message.parts for message in thread.messages] == [
        (
            Text("see"),
            Image("a.png", "image/png", Blob.of(b"\0\xff")),
            File("a.txt", "text/plain", Blob.of(b"x")),
        ),
        (Thinking("hm"), Text("yes")),
    ]


async def test_a_file_whose_bytes_are_lost_is_still_told_of_and_exported(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    async with opened(path) as store:
        chat, _ = await filled(store)
        await store.save(chat.id, Message(Role.USER, (Image("a.png", "image/png", PICTURE),)))
        with plain(path) as database:
            database.execute("DELETE FROM blobs")
        thread = await store.load(chat.id)
        (message,) = await store.with_data(thread.messages)
        assert message.files[0].blob == Blob(PICTURE.digest, 400)
        (back,) = read_export(to_json([Thread(thread.chat, (message,))]))
        assert back.messages[0].parts == (Image("a.png", "image/png", Blob("", 400)),)


@pytest.mark.parametrize("part", [5, {"kind": "film"}, {"kind": "image", "data": "?"}, {"text": "x"}])
def test_a_part_that_is_none_does_not_hide_the_others(part: object) -> None:
    document = json.loads(to_json([Thread(Chat(), (said("x"),))]))
    document["chats"][0]["messages"][0]["parts"] = [part, {"kind": "text", "text": "here"}]
    (thread,) = read_export(json.dumps(document))
    assert "here" in thread.messages[0].text
