"""A chat that goes on: what is sent, what is on disk, and what happens where the disk fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Place

from tests.chat.kit import ask, empty_reply


class FailingStore(Store):
    """Can be told to fail."""

    full = False

    async def save(self, chat_id: str, *messages: Message, **more: Any) -> None:
        if self.full:
            raise StoreError("The disk is full.", "Make room.")
        await super().save(chat_id, *messages, **more)


@pytest.fixture
async def store() -> AsyncIterator[FailingStore]:
    store = await FailingStore.open(None)
    assert isinstance(store, FailingStore)
    yield store
    await store.aclose()


async def test_a_prompt_is_on_disk_when_ask_returns_and_names_the_chat(store: FailingStore) -> None:
    conversation = Conversation(store, new=Chat(system="Be brief."))
    prompt = await ask(conversation, "What is a queue?\nAnd why?")
    thread = await store.load(conversation.chat.id)
    assert thread.branch() == (prompt,)
    assert thread.chat.title == conversation.chat.title == "What is a queue?"
    assert thread.chat.system == "Be brief."


async def test_a_chat_is_kept_from_its_first_prompt_or_draft(store: FailingStore) -> None:
    conversation, drafted = Conversation(store), Conversation(store)
    await conversation.note(draft="", model="tiny")
    assert await store.chats() == ()
    await ask(conversation, "go")
    assert (await store.load(conversation.chat.id)).chat.model == "tiny"
    await drafted.note(draft="not yet")
    assert (await store.load(drafted.chat.id)).chat.draft == "not yet"


async def test_draft_and_place_are_kept(store: FailingStore) -> None:
    conversation = Conversation(store)
    prompt = await ask(conversation, "go")
    await conversation.note(draft="more", place=Place(prompt.id, 3))
    chat = (await store.load(conversation.chat.id)).chat
    assert (chat.draft, chat.place) == ("more", Place(prompt.id, 3))


async def test_the_whole_branch_is_sent_without_replies_of_which_nothing_came(store: FailingStore) -> None:
    conversation = Conversation(store, new=Chat(system="Be brief."))
    first = await ask(conversation, "one")
    await conversation.keep(replace(empty_reply(parent=first.id).with_text("1"), state=State.STOPPED))
    second = await ask(conversation, "two")
    await conversation.keep(replace(empty_reply(parent=second.id), state=State.FAILED))
    third = await ask(conversation, "three")
    request = await conversation.request(empty_reply(parent=third.id), prefill="3")
    assert [(message.role, message.text) for message in request.messages] == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "one"),
        (Role.ASSISTANT, "1"),
        (Role.USER, "two"),
        (Role.USER, "three"),
    ]
    assert (request.model, request.prefill) == ("tiny", "3")


async def test_a_second_version_leaves_the_first_out_of_what_is_sent(store: FailingStore) -> None:
    conversation = Conversation(store)
    prompt = await ask(conversation, "go")
    await conversation.keep(replace(empty_reply(parent=prompt.id).with_text("version one"), state=State.COMPLETE))
    second = empty_reply(parent=prompt.id)
    assert [message.text for message in (await conversation.request(second)).messages] == ["go"]
    await conversation.keep(replace(second.with_text("version two"), state=State.COMPLETE))
    assert [message.text for message in conversation.branch] == ["go", "version two"]


async def test_where_the_disk_fails_it_goes_on_in_memory_and_saves_all_once_it_can(store: FailingStore) -> None:
    conversation = Conversation(store)
    first = await ask(conversation, "one")
    store.full = True
    reply = replace(empty_reply(parent=first.id).with_text("1"), state=State.COMPLETE)
    await conversation.keep(reply)
    assert isinstance(conversation.trouble, StoreError)
    await ask(conversation, "two")
    assert [message.text for message in conversation.branch] == ["one", "1", "two"]
    store.full = False
    await ask(conversation, "three")
    assert conversation.trouble is None
    assert [message.text for message in (await store.load(conversation.chat.id)).branch()] == [
        "one",
        "1",
        "two",
        "three",
    ]


async def test_what_others_write_is_taken_in_once(store: FailingStore) -> None:
    conversation = Conversation(store)
    prompt = await ask(conversation, "go")
    opened = Conversation(store, await store.load(conversation.chat.id))
    assert not await opened.catch_up()
    await conversation.keep(prompt.with_text("changed"))
    assert await opened.catch_up()
    assert not await opened.catch_up()
    assert [message.text for message in opened.branch] == ["changed"]


async def test_a_draft_that_was_given_up_leaves_no_chat_behind(store: FailingStore) -> None:
    conversation = Conversation(store)
    await conversation.note(draft="perhaps")
    assert len(await store.chats()) == 1
    await conversation.note(draft="")
    assert not await store.chats()
    await ask(conversation, "after all")
    assert [chat.title for chat in await store.chats()] == ["after all"]


async def test_two_writes_at_once_make_one_chat(store: FailingStore) -> None:
    conversation = Conversation(store)
    await asyncio.gather(conversation.note(draft="a"), ask(conversation, "b"), conversation.note(draft="c"))
    assert conversation.trouble is None
    assert len(await store.chats()) == 1
