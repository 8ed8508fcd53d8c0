"""Two processes and one message: neither writes over what the other said, and both know who writes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Thinking, parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import ChangedElsewhere, Chat

from tests.store.kit import die, opened, said

PROMPT = Message(Role.USER, parts_of("go"), id="prompt")
REPLY = Message(Role.ASSISTANT, parts_of("cut "), id="reply", parent="prompt", state=State.INTERRUPTED)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes that have loaded the same chat."""
    path = tmp_path / "chats.db"
    async with opened(path) as here, opened(path) as there:
        await here.save("chat", new=Chat("chat"))
        await here.save("chat", PROMPT, REPLY)
        await there.load("chat")
        yield here, there


async def texts(store: Store) -> list[str]:
    return [message.text for message in (await store.load("chat")).messages]


async def test_a_reply_that_another_process_has_gone_on_with_is_not_written_over(two: tuple[Store, Store]) -> None:
    here, there = two
    await here.save("chat", dataclasses.replace(REPLY.with_text("cut and a long ending"), state=State.COMPLETE))
    other = REPLY.with_text("cut elsewhere")
    with pytest.raises(ChangedElsewhere, match="not saved") as caught:
        await there.save("chat", other, said("and a prompt", REPLY))
    assert caught.value.messages == {"reply"}
    assert caught.value.hint
    assert await texts(there) == ["go", "cut and a long ending", "and a prompt"], "the others are saved"
    await there.save("chat", dataclasses.replace(other, id="sibling"))
    await there.save("chat", other.with_text("loaded, then changed"))
    assert await texts(here) == ["go", "loaded, then changed", "and a prompt", "cut elsewhere"]


async def test_thinking_counts_as_words(two: tuple[Store, Store]) -> None:
    here, there = two
    await here.save("chat", dataclasses.replace(REPLY, parts=(Thinking("hm"), *REPLY.parts)))
    with pytest.raises(ChangedElsewhere):
        await there.save("chat", REPLY.with_text("cut off"))


async def test_a_change_that_took_no_words_away_is_no_conflict(two: tuple[Store, Store]) -> None:
    here, there = two
    await here.save("chat", REPLY.with_text("cut a"))
    await there.save("chat", dataclasses.replace(REPLY.with_text("cut a bit"), state=State.COMPLETE))
    assert await texts(here) == ["go", "cut a bit"]


async def test_a_reply_that_another_living_process_writes_is_left_to_it(two: tuple[Store, Store]) -> None:
    here, there = two
    await there.save("chat", dataclasses.replace(REPLY, state=State.STREAMING))
    await here.load("chat")
    with pytest.raises(ChangedElsewhere):
        await here.save("chat", REPLY.with_text("cut and more"))
    die(there)
    await here.save("chat", REPLY.with_text("cut and more"))
    assert await texts(here) == ["go", "cut and more"]


async def test_what_this_process_saved_itself_it_may_change_as_it_likes(two: tuple[Store, Store]) -> None:
    here, _ = two
    await asyncio.gather(
        *(here.save("chat", dataclasses.replace(REPLY.with_text(text), state=State.STREAMING)) for text in "abc")
    )
    await here.save("chat", REPLY.with_text("shorter"))
    assert await texts(here) == ["go", "shorter"]


async def test_only_what_another_living_process_writes_is_elsewhere(two: tuple[Store, Store]) -> None:
    here, there = two
    await here.save("chat", dataclasses.replace(REPLY, id="own", state=State.STREAMING))
    await there.save("chat", dataclasses.replace(REPLY, id="others", state=State.STREAMING))
    first = await here.load("chat")
    assert first.elsewhere == {"others"}
    assert (await here.load("chat", first.revision)).elsewhere == {"others"}, "without news of it too"
    assert (await there.load("chat")).elsewhere == {"own"}


async def test_a_reply_whose_writer_is_gone_is_interrupted_before_anything_recovers_it(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    async with opened(path) as gone, opened(path) as store:
        await gone.save("chat", new=Chat("chat"))
        await gone.save("chat", PROMPT, dataclasses.replace(REPLY, state=State.STREAMING))
        assert (await store.load("chat")).elsewhere == {"reply"}
        die(gone)
        (summary,) = await store.chats()
        assert (summary.state, summary.unfinished) == (State.INTERRUPTED, True)
        thread = await store.load("chat")
        assert thread.messages[1].state is State.INTERRUPTED
        assert thread.elsewhere == frozenset()
        await store.save("chat", dataclasses.replace(REPLY.with_text("gone on with"), state=State.STREAMING))
        assert [summary.state for summary in await store.chats()] == [State.STREAMING]
        assert (await store.load("chat")).messages[1].state is State.STREAMING
