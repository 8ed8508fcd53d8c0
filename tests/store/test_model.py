"""Whatever is done to a store, it and the store opened anew hold what a plain dictionary would."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Blob, attached, parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread, title_of

from tests.store.kit import filled, index, lines, message_strategy, opened, places, plain, purge, said, texts

Model = dict[str, tuple[Chat, dict[str, Message]]]

OPERATIONS = (
    "create",
    "save",
    "save",
    "save",
    "change",
    "change",
    "fields",
    "delete",
    "undelete",
    "index",
    "reopen",
)
FIELDS = {
    "title": lines,
    "model": lines,
    "server": lines,
    "system": texts,
    "pinned": st.booleans(),
    "draft": texts,
    "place": st.none() | places,
}


async def step(store: Store, model: Model, data: st.DataObject, number: int) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS)) if model else "create"
    if operation == "create":
        chat = Chat(f"chat{number}", title=data.draw(st.just("") | lines), created=float(number))
        await store.save(chat.id, new=chat)
        model[chat.id] = (chat, {})
        return
    chat_id = data.draw(st.sampled_from(sorted(model)))
    chat, messages = model[chat_id]
    if operation == "save" or (operation == "change" and not messages):
        parent = data.draw(st.sampled_from([None, *messages]))
        message = data.draw(message_strategy(f"message{number}", parent))
        await store.save(chat_id, message)
        title = chat.title or (title_of(message.text) if message.role is Role.USER else "")
        model[chat_id] = (
            dataclasses.replace(chat, leaf=message.id, title=title, deleted=None),
            {**messages, message.id: message},
        )
    elif operation == "change":
        old = messages[data.draw(st.sampled_from(sorted(messages)))]
        message = data.draw(message_strategy(old.id, old.parent))
        await store.save(chat_id, message)
        messages[old.id] = message
    elif operation == "fields":
        fields: Any = data.draw(st.fixed_dictionaries({}, optional=FIELDS))
        await store.save(chat_id, fields=fields)
        model[chat_id] = (dataclasses.replace(chat, **fields), messages)
    elif operation == "delete":
        await store.save(chat_id, deleted=True)
        model[chat_id] = (dataclasses.replace(chat, deleted=0.0), messages)
    elif operation == "undelete":
        await store.save(chat_id, deleted=False)
        model[chat_id] = (dataclasses.replace(chat, deleted=None), messages)
    elif operation == "index":
        await index(store)


async def check(store: Store, model: Model) -> None:
    for chat_id, (chat, messages) in model.items():
        thread = await store.load(chat_id)
        known = dataclasses.replace(
            thread.chat, updated=chat.updated, deleted=None if thread.chat.deleted is None else 0.0
        )
        assert known == chat
        assert thread.messages == tuple(messages.values())
        assert all(file.blob.data is None for message in thread.messages for file in message.files)
        for full, message in zip(await store.with_data(thread.messages), messages.values(), strict=True):
            assert [file.blob.data for file in full.files] == [file.blob.data for file in message.files]
    listed = {chat_id for chat_id, (chat, _) in model.items() if chat.deleted is None}
    summaries = await store.chats()
    assert {summary.id for summary in summaries} == listed
    assert [(-one.pinned, -one.updated) for one in summaries] == sorted(
        (-one.pinned, -one.updated) for one in summaries
    )
    for summary in summaries:
        chat, messages = model[summary.id]
        sizes = [m.size for m in messages.values()]
        leaf = messages.get(chat.leaf or "")
        assert (summary.messages, summary.size) == (len(sizes), sum(sizes))
        assert (summary.state, summary.unfinished) == (
            (leaf.state, leaf.unfinished) if leaf else (State.COMPLETE, False)
        )


def interrupt(model: Model) -> None:
    """What a store that was closed has streamed is interrupted."""
    for _, messages in model.values():
        for message in messages.values():
            if message.state is State.STREAMING:
                messages[message.id] = dataclasses.replace(message, state=State.INTERRUPTED)


async def run(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        model: Model = {}
        number = 0
        for _ in range(data.draw(st.integers(1, 3))):
            interrupt(model)
            async with opened(path) as store:
                for _ in range(data.draw(st.integers(1, 8))):
                    number += 1
                    await step(store, model, data, number)
                await check(store, model)
        interrupt(model)
        async with opened(path) as store:
            await check(store, model)
            await index(store)
            for chat_id in model:
                await store.save(chat_id, deleted=True)
            assert await purge(store) == len(model)
        with plain(path) as database:
            for table in ("chats", "messages", "parts", "blobs"):
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_reopened_store_is_what_was_done_to_it(data: st.DataObject) -> None:
    asyncio.run(run(data))


async def test_the_memory_store_does_all_of_it_too() -> None:
    async with opened(None) as store:
        chat, messages = await filled(store, "ping", "pong")
        assert (await store.load(chat.id)).messages == messages
        hits = await store.search("pong")
        assert [hit.message for hit in hits or ()] == [messages[1].id]


async def test_the_first_prompt_names_the_chat_and_a_later_one_does_not() -> None:
    async with opened(None) as store:
        chat, _ = await filled(store, "\n# First *things* first\nsecond", "reply", "another prompt")
        assert (await store.load(chat.id)).chat.title == "First *things* first"


async def test_a_whole_save_fails_with_its_last_message(tmp_path: Path) -> None:
    async with opened(tmp_path / "chats.db") as store:
        chat = Chat()
        await store.save(chat.id, new=chat)
        with pytest.raises(StoreError):
            await store.save(chat.id, said("kept?"), Message(Role.ASSISTANT, (), parent="nobody"))
        assert (await store.load(chat.id)).messages == ()


async def test_errors_name_what_is_not_there() -> None:
    async with opened(None) as store:
        with pytest.raises(StoreError, match="no chat nowhere"):
            await store.load("nowhere")
        with pytest.raises(StoreError, match="no chat nowhere"):
            await store.save("nowhere", said("x"))
        with pytest.raises(StoreError, match="no chat nowhere"):
            await store.save("nowhere", fields={"draft": "x"})
        with pytest.raises(StoreError, match="no chat nowhere"):
            await store.save("nowhere", deleted=True)
        first, (message,) = await filled(store, "one")
        second, _ = await filled(store, "two")
        with pytest.raises(StoreError, match="another chat"):
            await store.save(second.id, message)
        with pytest.raises(StoreError, match="already"):
            await store.save(first.id, new=first)


async def test_load_since_a_revision_gives_what_changed_after_it() -> None:
    async with opened(None) as store:
        chat, (_, reply) = await filled(store, "ping", "")
        before = await store.load(chat.id)
        assert (await store.load(chat.id, before.revision)).messages == ()
        longer = dataclasses.replace(reply, parts=parts_of("po", files=(attached("a", "b", Blob.of(b"c")),)))
        await store.save(chat.id, longer)
        after = await store.load(chat.id, before.revision)
        assert after.messages == (longer,)
        assert after.revision > before.revision


async def test_a_chat_is_adopted_as_it_is_and_only_once() -> None:
    prompt = said("prompt")
    stream = said("half", prompt, Role.ASSISTANT, State.STREAMING)
    chat = Chat(title="Named", created=5.0, updated=7.0, leaf=prompt.id, draft="d")
    async with opened(None) as store:
        assert await store.adopt(Thread(chat, (prompt, stream)))
        assert not await store.adopt(Thread(chat, (prompt, stream)))
        thread = await store.load(chat.id)
        assert thread.chat == chat
        assert thread.messages == (prompt, dataclasses.replace(stream, state=State.INTERRUPTED))
        await store.save(chat.id, deleted=True)
        assert await store.adopt(Thread(chat, ()))
        assert [summary.id for summary in await store.chats()] == [chat.id]


async def test_purging_spares_what_was_deleted_a_moment_ago() -> None:
    async with opened(None) as store:
        chat, _ = await filled(store, "x")
        await store.save(chat.id, deleted=True)
        assert await purge(store, time.time() - 60) == 0
        await store.save(chat.id, deleted=False)
        assert await store.newest() == chat.id


async def test_what_is_said_in_a_chat_that_was_deleted_elsewhere_brings_it_back(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    async with opened(path) as store, opened(path) as other:
        chat, (_, last) = await filled(store, "one", "two")
        await other.save(chat.id, deleted=True)
        await store.save(chat.id, last.with_text("two and a bit"))
        assert await store.chats() == (), "a reply that was there already is no new word"
        await store.save(chat.id, said("IMPORTANT", last))
        assert [summary.id for summary in await store.chats()] == [chat.id]
        assert len(await store.search("IMPORTANT") or ()) == 1
        assert await store.newest() == chat.id


async def test_a_start_removes_a_few_of_the_chats_that_were_deleted_a_month_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(None) as store:
        chats = [(await filled(store, f"old {number}"))[0] for number in range(5)]
        fresh, _ = await filled(store, "deleted a moment ago")
        kept, _ = await filled(store, "kept")
        monkeypatch.setattr("tui_chat.store.store.time", lambda: 1e9)
        for chat in chats:
            await store.save(chat.id, deleted=True)
        monkeypatch.setattr("tui_chat.store.store.time", lambda: 1e9 + 31 * 24 * 3600)
        await store.save(fresh.id, deleted=True)
        left = []
        for _ in range(3):
            await store.recover()
            left.append(
                await store._database.read(lambda db: db.execute("SELECT count(*) FROM chats").fetchone()[0])
            )
        assert left == [4, 2, 2]
        await store.save(fresh.id, deleted=False)
        assert {summary.id for summary in await store.chats()} == {fresh.id, kept.id}


async def test_small_values_are_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path / "chats.db") as store:
        assert await store.recall("model", "none") == "none"
        await store.remember("model", "tiny")
        await store.remember("model", "tiny-think")
    async with opened(tmp_path / "chats.db") as store:
        assert await store.recall("model") == "tiny-think"


async def test_lone_surrogates_become_question_marks() -> None:
    async with opened(None) as store:
        chat, (message,) = await filled(store, "a\ud800b")
        assert (await store.load(chat.id)).messages == (message.with_text("a?b"),)


async def test_the_branch_goes_from_the_root_to_the_leaf() -> None:
    async with opened(None) as store:
        chat, (prompt, first) = await filled(store, "prompt", "first answer")
        second = said("second answer", prompt, Role.ASSISTANT)
        await store.save(chat.id, second)
        assert (await store.load(chat.id)).branch() == (prompt, second)
        await store.save(chat.id, fields={"leaf": first.id})
        assert (await store.load(chat.id)).branch() == (prompt, first)
