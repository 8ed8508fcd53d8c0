"""A row that something else has written to: the rest of the chat and of the list stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_chat.messages import Message, Role, State, Usage
from tui_chat.parts import Blob, attached, parts_of
from tui_chat.store.database import _rescue
from tui_chat.store.values import Chat

from tests.store.kit import filled, index, opened, plain

REPLY = Message(
    Role.ASSISTANT, parts_of("precious words"), id="reply", parent="prompt", usage=Usage(1, 2), model="tiny"
)
PROMPT = Message(Role.USER, parts_of("go", files=[attached("a.png", "image/png", Blob.of(b"png"))]), id="prompt")
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "messages": {
        "TEXT": ("role", "state", "finish", "owner", "model", "server", "usage", "error", "parent"),
        "REAL": ("touched", "created", "first_token", "seconds"),
        "INTEGER": ("size", "revision", "indexed"),
    },
    "chats": {
        "TEXT": ("model", "server", "title", "system", "folded", "draft", "place_message"),
        "REAL": ("created", "updated"),
        "INTEGER": ("pinned", "messages", "size", "place_row"),
    },
    "parts": {"TEXT": ("kind", "name", "mime", "call", "blob", "text"), "INTEGER": ("size", "position")},
    "blobs": {"TEXT": ("digest",), "BLOB": ("data",)},
}
VALUES = {
    "TEXT": ("'x'", "CAST(x'1b5b324aff' AS TEXT)", "'[1]'"),
    "REAL": ("-1e300", "1e300", "9e999"),
    "INTEGER": ("-1", "0", "1 << 40"),
    "BLOB": ("x''", "x'1b5b324aff'"),
}
FIELDS = [
    (table, type, name) for table, types in COLUMNS.items() for type, names in types.items() for name in names
]


async def chat_with_a_reply(path: Path) -> None:
    async with opened(path) as store:
        await store.save("chat", new=Chat("chat"))
        await store.save("chat", PROMPT, REPLY)
        await filled(store, "another chat")
        await index(store)


@pytest.mark.parametrize(("table", "type", "column"), FIELDS)
async def test_one_broken_field_does_not_hide_the_rest(tmp_path: Path, table: str, type: str, column: str) -> None:
    path = tmp_path / "chats.db"
    await chat_with_a_reply(path)
    for value in VALUES[type]:
        with plain(path) as database:
            database.execute(f"UPDATE OR IGNORE {table} SET {column} = {value}")
        async with opened(path) as store:
            await store.recover()
            for summary in await store.chats():
                assert "\x1b" not in summary.title + summary.model + summary.server
                assert 0 <= summary.updated <= 4e9
                thread = await store.load(summary.id)
                assert all(0 <= message.created <= 4e9 for message in thread.messages)
            assert len(await store.chats()) == 2
            await store.search("precious")
            await store.with_data((await store.load("chat")).messages)
            await store.save("chat", REPLY)
            await index(store)


async def test_what_is_unknown_is_what_it_most_likely_was(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    await chat_with_a_reply(path)
    with plain(path) as database:
        database.execute("UPDATE messages SET state = 'inuerrupted', usage = '{', role = 'x' WHERE id = 'reply'")
        database.execute("UPDATE chats SET title = CAST(x'1b5b6161ff' AS TEXT) WHERE id = 'chat'")
    async with opened(path) as store:
        (summary,) = (chat for chat in await store.chats() if chat.id == "chat")
        assert (summary.title, summary.state, summary.unfinished) == ("␛[aa�", State.INTERRUPTED, True)
        reply = (await store.load("chat")).messages[1]
        assert (reply.text, reply.role, reply.state, reply.usage) == (
            *("precious words", Role.USER, State.INTERRUPTED),
            None,
        )
        assert [hit.title for hit in await store.search("precious") or ()] == ["␛[aa�"]


async def test_a_text_that_is_not_utf_8_does_not_end_a_rescue(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    await chat_with_a_reply(path)
    with plain(path) as database:
        database.execute("UPDATE parts SET text = CAST(x'61ff' AS TEXT) WHERE message = 1")
        database.execute("UPDATE chats SET title = CAST(x'ff' AS TEXT) WHERE id = 'chat'")
    aside = path.rename(tmp_path / "aside.db")
    async with opened(path) as store:
        notice = _rescue(aside, store._database.writer)
        assert notice.endswith("Chats recovered: 2.")
        assert [message.text for message in (await store.load("chat")).messages] == ["a�", "precious words"]
