"""What a start takes up from the last run, and what joins a chat to a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tui_chat.chat.generation import Generation
from tui_chat.chat.session import Session, find_chat
from tui_chat.config import Config
from tui_chat.errors import ReplyError, StoreError, Unreachable
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import Message, Model, Role, State
from tui_chat.parts import parts_of
from tui_chat.servers.connection import Connection
from tui_chat.store.owner import ProcessId
from tui_chat.store.store import Store
from tui_chat.store.values import Chat
from tui_chat.tasks import start_task

from tests.chat.kit import ScriptedBackend

TINY, OTHER = Model("tiny:latest", modified="2026-01-01"), Model("other:latest", modified="2020-01-01")


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = await Store.open(None)
    yield store
    await store.aclose()


def session_on(store: Store, backend: ScriptedBackend | None = None, config: Config | None = None) -> Session:
    config = config or Config()
    backend = backend or ScriptedBackend([[Accepted(), Delta("Hi."), Finished()]], [TINY, OTHER])
    return Session(config, store, Connection(lambda _: backend, backend.server, wanted=config.model))


async def ended(reply: Generation) -> Generation:
    async for _ in reply.changes():
        pass
    return reply


async def answered(session: Session, text: str) -> Message:
    reply = await ended(session.send(text))
    assert reply.message is not None
    return reply.message


async def test_a_prompt_is_one_transaction_with_all_that_belongs_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "_index_soon", lambda self: None)  # behind it, and nobody waits for that
    store = await Store.open(tmp_path / "chats.db")
    backend = ScriptedBackend([[Accepted(), Delta("Hi."), Finished()], [asyncio.Event()]], [TINY, OTHER])
    session = session_on(store, backend)
    await answered(session, "one")
    await session.conversation.note(draft="two")
    statements: list[str] = []
    store._opened.writer.set_trace_callback(statements.append)
    reply = session.send("two")
    async for _ in reply.changes():
        if reply.progress is not None:
            break
    assert [statement for statement in statements if statement.startswith("BEGIN I")] == ["BEGIN IMMEDIATE"]
    thread = await store.load(session.conversation.chat.id)
    assert [(message.text, message.state) for message in thread.branch()[2:]] == [
        ("two", State.COMPLETE),
        ("", State.STREAMING),
    ]
    assert reply.message is not None
    assert thread.messages[-1].id == reply.message.id
    assert thread.chat.draft == ""
    await store.aclose()


async def test_a_reply_that_is_stopped_before_it_is_asked_for_streams_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, save = asyncio.Event(), Store.save

    async def slow(self: Store, *arguments: Any, **more: Any) -> None:
        await gate.wait()
        await save(self, *arguments, **more)

    session = session_on(store)
    await answered(session, "one")
    monkeypatch.setattr(Store, "save", slow)
    reply = session.send("two")
    stopping = start_task(reply.stop())
    await asyncio.sleep(0.01)
    gate.set()
    await stopping
    await session.conversation.settle()
    thread = await store.load(session.conversation.chat.id)
    assert [message.text for message in thread.branch()] == ["one", "Hi.", "two"]
    assert {message.state for message in thread.messages} == {State.COMPLETE, State.STOPPED}
    assert [message.text for message in session.conversation.branch] == ["one", "Hi.", "two"]


async def test_a_prompt_that_comes_as_the_reply_ends_is_sent_and_not_held(store: Store) -> None:
    session = session_on(store)
    await answered(session, "one")
    session.enqueue("two")
    assert session.current.reply is not None
    async for _ in session.current.reply.changes():
        pass
    assert [message.text for message in session.conversation.branch] == ["one", "Hi.", "two", "Hi."]
    assert session.current.queue == ()


async def test_chats_are_answered_side_by_side_each_by_its_own_server(store: Store) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend([[Accepted(), Delta("One"), gate, Delta(" whole."), Finished()]], [TINY, OTHER])
    session = session_on(store, backend)
    first = session.send("one")
    async for _ in first.changes():
        if first.message is not None and first.message.text:
            break
    one = session.current
    session.new_chat()
    await session.use_model("other:latest")
    second = session.send("two")
    async for _ in second.changes():
        if second.message is not None and second.message.text:
            break
    assert [chat.conversation.chat.title for chat in session.replying] == ["two", "one"]
    assert (one.connection.model, session.connection.model) == ("tiny:latest", "other:latest")
    gate.set()
    await ended(first)
    await ended(second)
    await asyncio.sleep(0)
    assert not session.replying
    assert (one.seen, session.current.seen) == (False, True)
    assert [message.text for message in one.conversation.branch] == ["one", "One whole."]
    await session.open_chat(one.conversation.chat.id)
    assert session.current is one
    assert one.seen


async def test_a_prompt_is_answered_and_both_are_kept_with_model_and_server(store: Store) -> None:
    session = session_on(store, config=Config(system="Be brief.", options={"seed": 1}, think=False))
    reply = await answered(session, "go")
    thread = await store.load(session.conversation.chat.id)
    assert thread.branch()[1] == reply
    assert (reply.text, reply.state, reply.model, reply.server) == (
        "Hi.",
        State.COMPLETE,
        "tiny:latest",
        "box:11434",
    )
    assert thread.chat.model == "tiny:latest"
    backend = session.connection.backend
    assert isinstance(backend, ScriptedBackend)
    (request,) = backend.requests
    assert (request.options, request.think) == ({"seed": 1}, False)
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]


async def test_the_model_used_last_is_taken_at_the_next_start(store: Store) -> None:
    first = session_on(store, config=Config(model="other"))
    await answered(first, "go")
    second = session_on(store)
    await second.start()
    await second.connection.look()
    assert second.connection.model == "other:latest"
    assert second.conversation.last is None


async def test_resume_opens_the_chat_spoken_in_last_and_an_id_any(store: Store) -> None:
    session = session_on(store)
    for text in ("first", "second"):
        session.new_chat()
        await answered(session, text)
    ids = [chat.id for chat in await store.chats()]
    resumed = session_on(store)
    await resumed.start(resume=True)
    assert resumed.conversation.chat.id == ids[0]
    named = session_on(store)
    await named.start(ids[1])
    assert [message.text for message in named.conversation.branch] == ["first", "Hi."]


async def test_resume_without_any_chat_begins_one(store: Store) -> None:
    session = session_on(store)
    await session.start(resume=True)
    assert session.conversation.branch == ()


async def test_the_unfinished_replies_of_dead_processes_are_interrupted_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    gone = await Store.open(path, owner=replace(ProcessId.current(), pid=4_000_000))
    await gone.create_chat(Chat("chat"))
    await gone.save("chat", Message(Role.ASSISTANT, parts_of("half"), state=State.STREAMING))
    await gone.aclose()
    store = await Store.open(path)
    session = session_on(store)
    await session.start(resume=True)
    assert session.conversation.last is not None
    assert session.conversation.last.state is State.INTERRUPTED
    await store.aclose()


async def test_without_a_model_a_turn_says_what_is_wrong(store: Store) -> None:
    session = session_on(store, ScriptedBackend())
    error = (await ended(session.send("go"))).error
    assert isinstance(error, ReplyError)
    assert "no models" in str(error)
    assert "ollama pull" in error.hint
    down = session_on(store, ScriptedBackend(failure=Unreachable("nobody")))
    error = (await ended(down.send("go"))).error
    assert isinstance(error, Unreachable)


async def test_a_chat_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for chat_id in ("abc1", "abc2", "xyz"):
        await store.create_chat(Chat(chat_id))
    assert await find_chat(store, "x") == "xyz"
    with pytest.raises(StoreError, match="no chat 'q'"):
        await find_chat(store, "q")
    with pytest.raises(StoreError, match="2 chats begin with 'abc'"):
        await find_chat(store, "abc")
    await store.create_chat(Chat("abc"))
    assert await find_chat(store, "abc") == "abc"


async def test_the_demo_keeps_its_chats_to_itself(store: Store) -> None:
    session = session_on(store)
    await session.start_demo(session.connection.server)
    await answered(session, "a demo")
    assert await store.chats() == ()
    await session.aclose()
