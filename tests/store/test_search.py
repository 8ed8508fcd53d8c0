"""Search finds every text that contains the words, in any language, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import threading

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_chat.messages import Role, State
from tui_chat.store.search import document, expression, found, snippet_of
from tui_chat.store.values import Hit
from tui_chat.text.fold import fold, spans_in, words_of

from tests.store.kit import filled, index, opened, purge, said

ALPHABET = "abAB é\"'*日本語が.-\n_ßΣς"


def oracle(texts: list[str], query: str) -> set[int]:
    words = words_of(query)
    return {number for number, text in enumerate(texts) if words and all(word in fold(text) for word in words)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=12), max_size=8), st.text(ALPHABET, max_size=5), st.booleans())
@example(["日本語"], "本", True)
@example(["日本語"], "語", True)
@example(["x-y"], "-", True)
def test_search_finds_just_the_texts_with_all_words(texts: list[str], query: str, indexed: bool) -> None:
    async def run() -> None:
        async with opened(None) as store:
            _, messages = await filled(store, "?", *texts)
            if indexed:
                await index(store)
            hits = [hit for hit in await store.search(query) or () if hit.message]
            expected = oracle(["?", *texts], query)
            assert [hit.message for hit in hits] == [
                messages[number].id for number in sorted(expected, reverse=True)
            ]

    asyncio.run(run())


@given(st.text())
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_folding_makes_case_accents_and_widths_the_same() -> None:
    assert fold("Größe ÉÈ ΣΑΣ ПРИВЁТ ＡＢＣ") == "große ee σασ привет abc"


@given(st.text(ALPHABET, max_size=60), st.text(ALPHABET, min_size=1, max_size=8))
def test_a_text_has_all_pieces_of_what_it_contains(text: str, query: str) -> None:
    words = words_of(query)
    if words and all(word in fold(text) for word in words):
        pieces = {piece.strip('"') for piece in expression(words).split(" AND ")}
        assert pieces <= set(document(fold(text)).split(" "))


@given(st.text(ALPHABET, max_size=400), st.text(ALPHABET, min_size=1, max_size=4))
def test_every_span_of_a_snippet_is_a_word(text: str, query: str) -> None:
    words = words_of(query)
    places = [fold(text).find(word) for word in words]
    if not words or min(places) < 0:
        return
    snippet, spans = snippet_of(text, fold(text), words, min(places))
    assert "\n" not in snippet
    assert spans
    assert list(spans) == sorted(spans)
    for start, end in spans:
        marked = fold(snippet[start:end])
        assert any(word.replace("\n", " ") in marked for word in words)


def test_overlapping_words_make_one_span() -> None:
    assert spans_in("ababa abc", ("aba", "bab", "bc")) == ((0, 4), (7, 9))


def test_quotes_hold_words_together() -> None:
    assert words_of('Foo "bar  baz" foo "open end') == ("foo", "bar  baz", "open end")


async def test_titles_come_first_then_the_newest_messages() -> None:
    async with opened(None) as store:
        old, old_messages = await filled(store, "queue of old", "queue")
        new, new_messages = await filled(store, "no such word", "a queue here")
        hits = await store.search("queue")
        assert hits is not None
        assert [(hit.chat, hit.message) for hit in hits] == [
            (old.id, None),
            (new.id, new_messages[1].id),
            (old.id, old_messages[1].id),
            (old.id, old_messages[0].id),
        ]
        assert hits[1] == Hit(
            new.id,
            "no such word",
            "a queue here",
            ((2, 7),),
            new_messages[1].created,
            new_messages[1].id,
            Role.ASSISTANT,
            2,
        )


async def test_limit_counts_titles_and_messages_each() -> None:
    async with opened(None) as store:
        for _ in range(4):
            await filled(store, "word")
        hits = await store.search("word", limit=3)
        assert [hit.message is None for hit in hits or ()] == [True] * 3 + [False] * 3


async def test_a_reply_is_found_while_it_streams_and_by_its_new_text_after_it_was_resumed() -> None:
    async with opened(None) as store:
        chat, (prompt,) = await filled(store, "prompt")
        reply = said("halfword", prompt, Role.ASSISTANT, State.STREAMING)

        async def found(word: str) -> bool:
            return any(hit.message == reply.id for hit in await store.search(word) or ())

        await store.save(chat.id, reply)
        assert await found("halfword")
        await store.save(chat.id, dataclasses.replace(reply, state=State.STOPPED))
        await index(store)
        assert await found("halfword")
        await store.save(chat.id, reply.with_text("other words"))
        assert not await found("halfword")
        await store.save(chat.id, dataclasses.replace(reply.with_text("other words"), state=State.COMPLETE))
        await index(store)
        assert await found("other words")
        assert not await found("halfword")


async def test_deleted_chats_are_not_found_and_renamed_ones_by_their_new_title() -> None:
    async with opened(None) as store:
        chat, _ = await filled(store, "first title")
        await store.save(chat.id, fields={"title": "zweiter Titel"})
        assert [summary.id for summary in await store.chats("ZWEITER")] == [chat.id]
        assert await store.chats("first") == ()
        await store.save(chat.id, deleted=True)
        assert await store.search("titel") == ()
        assert await store.search("first") == ()


async def test_only_the_pieces_of_living_texts_are_in_the_index() -> None:
    async with opened(None) as store:
        chat, messages = await filled(store, "alpha", "beta")
        await index(store)
        await store.save(chat.id, messages[0].with_text("gamma"))
        await store.save(chat.id, deleted=True)
        assert await purge(store) == 1
        await filled(store, "xyz")
        await index(store)
        database = store._database.writer
        database.execute("CREATE VIRTUAL TABLE temp.pieces USING fts5vocab (main, grams, row)")
        assert {row[0] for row in database.execute("SELECT term FROM pieces")} == set("xyz") | {"xy", "yz", "xyz"}


def test_a_long_text_is_cut_as_a_short_one_is() -> None:
    text = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(25_000))
    pieces = set(document(text).split(" "))
    assert pieces == {text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)}


async def test_a_newer_search_ends_an_older_one() -> None:
    async with opened(None) as store:
        await filled(store, *["text"] * 50)
        release = threading.Event()
        blocker = store._database.reading.submit(release.wait)
        older = asyncio.create_task(store.search("text"))
        await asyncio.sleep(0)
        newer = asyncio.create_task(store.search("text", limit=5))
        await asyncio.sleep(0)
        release.set()
        assert await older is None
        assert len(await newer or ()) == 1 + 5
        assert blocker.done()


def test_a_search_is_interrupted_in_the_middle_of_a_statement() -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0"
    database = sqlite3.connect(":memory:", isolation_level=None)
    looked = 0

    def called_off() -> bool:
        nonlocal looked
        looked += 1
        return looked > 3

    assert found(database, lambda db, _: db.execute(endless), called_off) is None
    assert looked == 4
    assert database.execute("SELECT 1").fetchone() == (1,)
    database.close()


async def test_a_cancelled_search_is_called_off() -> None:
    async with opened(None) as store:
        release = threading.Event()
        store._database.reading.submit(release.wait)
        task = asyncio.create_task(store.search("text"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert store._unwanted.is_set()
        release.set()


async def test_an_empty_search_finds_nothing() -> None:
    async with opened(None) as store:
        await filled(store, "text")
        assert await store.search('  "" ') == ()
