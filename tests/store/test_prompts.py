"""Earlier prompts are found over all chats, each once, the newest first, and at a cost that is bounded."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.store import prompts as room
from tui_chat.store.parts import TEXT
from tui_chat.store.search import INDEXED
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread
from tui_chat.text.fold import fold, words_of

from tests.store.kit import index, opened

ALPHABET = 'abAB é"日本-\n_ß'


async def asked(store: Store, *texts: str, chats: int = 1) -> None:
    """Say these, each with a reply that repeats it, in so many chats."""
    for chat in range(chats):
        said: list[Message] = []
        for number, text in enumerate(texts):
            if number % chats == chat:
                parent = said[-1].id if said else None
                said.append(Message(Role.USER, parts_of(text), id=f"u{number}", parent=parent, created=number))
                said.append(Message(Role.ASSISTANT, parts_of(text), id=f"a{number}", parent=f"u{number}"))
        await store.adopt(Thread(Chat(f"c{chat}", leaf=said[-1].id if said else None), tuple(said)))


async def found(store: Store, typed: str, **how: object) -> list[str]:
    return [prompt.text for prompt in await store.prompts(typed, **how) or ()]  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(ALPHABET, max_size=10), max_size=8),
    st.text(ALPHABET, max_size=4),
    st.booleans(),
    st.booleans(),
)
@example(["日本語"], "日", True, True)
@example(["a b", "a  b"], "a b", True, True)
def test_just_the_prompts_that_fit_are_found(texts: list[str], typed: str, beginning: bool, indexed: bool) -> None:
    def fits(text: str) -> bool:
        folded = fold(text)
        return folded.startswith(fold(typed)) if beginning else all(word in folded for word in words_of(typed))

    async def run() -> None:
        async with opened(None) as store:
            await asked(store, *texts)
            if indexed:
                await index(store)
            expected = [text for text in reversed(texts) if text.strip() and fits(text)]
            assert await found(store, typed, beginning=beginning) == list(dict.fromkeys(expected))

    asyncio.run(run())


async def test_they_come_from_all_chats_but_not_from_deleted_ones_and_not_from_replies() -> None:
    async with opened(None) as store:
        await asked(store, "why one", "why two", "how three", chats=2)
        assert sorted(await found(store, "why", beginning=True)) == ["why one", "why two"]
        assert await found(store, "", limit=2) != []
        await store.save("c1", deleted=True)
        assert await found(store, "why", beginning=True) == ["why one"]


async def test_a_prompt_that_was_pasted_by_the_megabyte_is_not_offered() -> None:
    async with opened(None) as store:
        await asked(store, "x" * 200_000, "x y")
        assert await found(store, "x", beginning=True) == ["x y"]


async def test_many_prompts_that_do_not_fit_cost_no_more_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search reads the index, and of its candidates so many at most."""
    async with opened(None) as store:
        await asked(store, *(f"{number} word" for number in range(300)))
        await index(store)
        connection = store._database.reader
        indexed = INDEXED.format(room._COLUMNS, room._WANTED)
        for statement, key in ((indexed, "SCAN grams VIRTUAL TABLE"), (room._NEWEST, "SCAN m")):
            values = ("x",) if "MATCH" in statement else ()
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert any(step.startswith(key) for step in plan)
            assert not any("TEMP B-TREE" in step and "ORDER" in step for step in plan), plan
        read: list[str] = []
        connection.create_function("seen", 1, read.append)
        monkeypatch.setattr(room, "_COLUMNS", f"{TEXT}, coalesce(seen(m.id), m.created)")
        monkeypatch.setattr(room, "_MOST", 20)
        _ = list(room.prompts(connection, lambda: False, "word", beginning=False))
        assert len(read) in (20, 21)  # Python reads a row ahead


async def test_prompts_that_are_not_indexed_yet_do_not_hide_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_MOST", 5)
    async with opened(None) as store:
        await asked(store, "my own words")
        await index(store)
        said = [Message(Role.USER, parts_of(f"{number} of others"), id=f"o{number}") for number in range(9)]
        await store.adopt(Thread(Chat("other"), tuple(said)))
        await store._database.write(lambda db: db.execute("UPDATE messages SET indexed = 0 WHERE chat = 'other'"))
        for beginning in (True, False):
            assert await found(store, "my own", beginning=beginning) == ["my own words"]
