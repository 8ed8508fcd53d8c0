"""What a start takes up from the last run, and what joins a chat to a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tui_chat.chat.generation import Generation
from tui_chat.chat.summary import SUM_UP
from tui_chat.chat.workspace import Workspace, find_chat
from tui_chat.config import Config
from tui_chat.errors import ReplyError, StoreError, Unreachable
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.messages import Message, Model, Role, State
from tui_chat.parameters import Parameters
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.connection import Connection
from tui_chat.store.database import Database
from tui_chat.store.store import Store
from tui_chat.store.values import Chat
from tui_chat.tasks import start_task

from tests.chat.kit import ScriptedBackend, Step
from tests.store.kit import index

TINY, OTHER = Model("tiny:latest", modified="2026-01-01"), Model("other:latest", modified="2020-01-01")


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = await Store.open(None)
    yield store
    await store.aclose()


def session_on(store: Store, backend: ScriptedBackend | None = None, config: Config | None = None) -> Workspace:
    config = config or Config()
    backend = backend or ScriptedBackend([[Accepted(), Delta("Hi."), Finished()]], [TINY, OTHER])
    return Workspace(config, store, Connection(lambda _: backend, backend.server, wanted=config.model))


async def ended(reply: Generation) -> Generation:
    await reply.wait()
    return reply


async def answered(workspace: Workspace, text: str) -> Message:
    reply = await ended(workspace.current.send(text))
    assert reply.message is not None
    return reply.message


async def test_a_prompt_is_one_transaction_with_all_that_belongs_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "_index_soon", lambda self: None)  # behind it, and nobody waits for that
    store = await Store.open(tmp_path / "chats.db")
    backend = ScriptedBackend([[Accepted(), Delta("Hi."), Finished()], [asyncio.Event()]], [TINY, OTHER])
    workspace = session_on(store, backend)
    await answered(workspace, "one")
    await workspace.conversation.note(draft="two")
    statements: list[str] = []
    store._database.writer.set_trace_callback(statements.append)
    reply = workspace.current.send("two")
    async for _ in reply.changes():
        if reply.progress is not None:
            break
    assert [statement for statement in statements if statement.startswith("BEGIN I")] == ["BEGIN IMMEDIATE"]
    thread = await store.load(workspace.conversation.chat.id)
    assert [(message.text, message.state) for message in thread.branch()[2:]] == [
        ("two", State.COMPLETE),
        ("", State.STREAMING),
    ]
    assert reply.message is not None
    assert thread.messages[-1].id == reply.message.id
    assert thread.chat.draft == ""
    await store.aclose()


def commits_in(wal: Path) -> int:
    """How many transactions are in a write-ahead log: each was one fsync of it, as `synchronous` is FULL.

    https://www.sqlite.org/fileformat2.html#walformat: behind a header of 32 bytes, with the size of a page and two
    salts, are frames, each a header of 24 bytes and a page. A frame that ends a transaction tells the size of the
    database, others 0; those with other salts are of a log before.
    """
    data = wal.read_bytes()
    size, salts = int.from_bytes(data[8:12], "big") + 24, data[16:24]
    frames = [data[at : at + 24] for at in range(32, len(data) - size + 1, size)]
    return sum(frame[8:16] == salts and any(frame[4:8]) for frame in frames)


@pytest.mark.parametrize("first", [True, False])
async def test_before_a_prompt_is_asked_one_job_reads_and_one_writes_with_one_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """At the commit 59e4fec there were 4 to 6 transactions, each of which was waited for."""
    monkeypatch.setattr(Store, "_index_soon", lambda self: None)  # behind it, and nobody waits for that
    store = await Store.open(tmp_path / "chats.db")
    workspace = session_on(store, ScriptedBackend([[Accepted(), Delta("Hi."), Finished()]], [TINY]))
    await workspace.connection.look()
    if not first:
        await answered(workspace, "one")
        await workspace.conversation.note(draft="two")
    jobs: list[object] = []
    submit = Database._submit

    def counted(self: Database, thread: ThreadPoolExecutor, job: Callable[[], Any]) -> Any:
        jobs.append(job)
        return submit(self, thread, job)

    monkeypatch.setattr(Database, "_submit", counted)
    before = commits_in(tmp_path / "chats.db-wal")
    reply = workspace.current.send("two")
    async for _ in reply.changes():
        if reply.progress is not None:
            break
    assert len(jobs) == 2
    assert commits_in(tmp_path / "chats.db-wal") == before + 1
    await reply.stop()
    await workspace.aclose()


async def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "chats.db")
    workspace = session_on(store)
    await answered(workspace, "one")
    await index(store)
    before = commits_in(tmp_path / "chats.db-wal")
    await workspace.conversation.note(draft="", model="tiny:latest")
    await workspace.use_model("tiny:latest")
    assert commits_in(tmp_path / "chats.db-wal") == before
    await workspace.aclose()


async def test_a_prompt_that_comes_while_the_next_one_is_sent_waits_behind_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue was remembered before the chat was looked at, and written when the prompt was: it lost this one."""
    gate, load = asyncio.Event(), Store.load
    good: list[Step] = [Accepted(), Delta("Hi."), Finished()]
    backend = ScriptedBackend([[Accepted(), Delta("Hi."), gate, Finished()], good], [TINY])
    workspace = session_on(store, backend)
    chat = workspace.current
    first = chat.send("one")
    async for _ in first.changes():
        if first.message is not None and first.message.text:
            break
    chat.enqueue("two")

    async def slow(self: Store, *arguments: Any) -> Any:
        thread = await load(self, *arguments)
        if chat.queue == ("two",):
            chat.enqueue("three")
        return thread

    monkeypatch.setattr(Store, "load", slow)
    gate.set()
    await workspace.rest(10)
    prompts = [message.text for message in chat.conversation.branch if message.role is Role.USER]
    assert prompts == ["one", "two", "three"]
    assert chat.queue == ()


async def test_a_given_waiting_prompt_is_taken_back(store: Store) -> None:
    workspace = session_on(store, ScriptedBackend([[Accepted(), asyncio.Event()]], [TINY]))
    chat = workspace.current
    chat.send("one")
    for text in ("two", "three", "four"):
        chat.enqueue(text)
    assert chat.unqueue(7) == ""
    assert chat.unqueue(1) == "three"
    assert chat.unqueue() == "four"
    assert chat.queue == ("two",)
    await workspace.rest()
    assert chat.held


async def test_after_a_reply_that_is_cut_by_length_the_queue_is_held(store: Store) -> None:
    workspace = session_on(store, ScriptedBackend([[Accepted(), Delta("Hi."), Finished("length")]], [TINY]))
    reply = workspace.current.send("one")
    workspace.current.enqueue("two")
    await ended(reply)
    await asyncio.sleep(0)
    assert workspace.current.held


async def test_a_reply_that_the_demo_was_started_over_is_kept_at_the_end(store: Store) -> None:
    """It was of no open chat while the demo was on screen: nobody stopped it, and its last second was lost."""
    workspace = session_on(store, ScriptedBackend([[Accepted(), Delta("half"), asyncio.Event()]], [TINY]))
    chat = workspace.current
    reply = chat.send("one")
    async for _ in reply.changes():
        if reply.message is not None and reply.message.text:
            break
    await workspace.start_demo(workspace.connection.server)
    assert workspace.demo
    assert workspace.replying == (chat,)
    await workspace.rest()
    thread = await store.load(chat.conversation.chat.id)
    assert [(message.text, message.state) for message in thread.branch()] == [
        ("one", State.COMPLETE),
        ("half", State.STOPPED),
    ]
    await workspace.leave_demo()
    assert workspace.current is chat
    assert not workspace.demo


async def test_replies_of_the_demo_end_with_it(store: Store) -> None:
    workspace = session_on(store, ScriptedBackend([[Accepted(), Delta("half"), asyncio.Event()]], [TINY]))
    await workspace.start_demo(workspace.connection.server)
    reply = workspace.current.send("one")
    async for _ in reply.changes():
        if reply.message is not None and reply.message.text:
            break
    await workspace.leave_demo()
    assert reply.ended
    assert workspace.chats == (workspace.current,)


async def test_fifty_chats_at_once_are_whole_on_disk(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "chats.db")
    words = [Delta(f"word {number} ") for number in range(200)]
    workspace = session_on(store, ScriptedBackend([[Accepted(), *words, Finished()]], [TINY]))
    for number in range(50):
        workspace.new_chat()
        workspace.current.send(f"prompt {number}")
    assert len(workspace.replying) == 50
    await workspace.rest(60)
    threads = [await store.load(chat.id) for chat in await store.chats()]
    assert len(threads) == 50
    expected = "".join(word.text for word in words)
    assert {(thread.branch()[1].text, thread.branch()[1].state) for thread in threads} == {
        (expected, State.COMPLETE)
    }
    await workspace.aclose()


async def test_a_reply_that_is_stopped_before_it_is_asked_for_streams_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, save = asyncio.Event(), Store.save

    async def slow(self: Store, *arguments: Any, **more: Any) -> None:
        await gate.wait()
        await save(self, *arguments, **more)

    workspace = session_on(store)
    await answered(workspace, "one")
    monkeypatch.setattr(Store, "save", slow)
    reply = workspace.current.send("two")
    stopping = start_task(reply.stop())
    await asyncio.sleep(0.01)
    gate.set()
    await stopping
    await workspace.conversation.settle()
    thread = await store.load(workspace.conversation.chat.id)
    assert [message.text for message in thread.branch()] == ["one", "Hi.", "two"]
    assert {message.state for message in thread.messages} == {State.COMPLETE, State.STOPPED}
    assert [message.text for message in workspace.conversation.branch] == ["one", "Hi.", "two"]


async def test_a_prompt_that_comes_as_the_reply_ends_is_sent_and_not_held(store: Store) -> None:
    workspace = session_on(store)
    await answered(workspace, "one")
    workspace.current.enqueue("two")
    assert workspace.current.reply is not None
    async for _ in workspace.current.reply.changes():
        pass
    assert [message.text for message in workspace.conversation.branch] == ["one", "Hi.", "two", "Hi."]
    assert workspace.current.queue == ()


async def test_chats_are_answered_side_by_side_each_by_its_own_server(store: Store) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend([[Accepted(), Delta("One"), gate, Delta(" whole."), Finished()]], [TINY, OTHER])
    workspace = session_on(store, backend)
    first = workspace.current.send("one")
    async for _ in first.changes():
        if first.message is not None and first.message.text:
            break
    one = workspace.current
    workspace.new_chat()
    await workspace.use_model("other:latest")
    second = workspace.current.send("two")
    async for _ in second.changes():
        if second.message is not None and second.message.text:
            break
    assert [chat.conversation.chat.title for chat in workspace.replying] == ["two", "one"]
    assert (one.connection.model, workspace.connection.model) == ("tiny:latest", "other:latest")
    gate.set()
    await ended(first)
    await ended(second)
    await asyncio.sleep(0)
    assert not workspace.replying
    assert (one.seen, workspace.current.seen) == (False, True)
    assert [message.text for message in one.conversation.branch] == ["one", "One whole."]
    await workspace.open_chat(one.conversation.chat.id)
    assert workspace.current is one
    assert one.seen


async def test_a_prompt_is_answered_and_both_are_kept_with_model_and_server(store: Store) -> None:
    workspace = session_on(store, config=Config(system="Be brief.", options={"seed": 1}, think=False))
    reply = await answered(workspace, "go")
    thread = await store.load(workspace.conversation.chat.id)
    assert thread.branch()[1] == reply
    assert (reply.text, reply.state, reply.model, reply.server) == (
        "Hi.",
        State.COMPLETE,
        "tiny:latest",
        "box:11434",
    )
    assert thread.chat.model == "tiny:latest"
    backend = workspace.connection.backend
    assert isinstance(backend, ScriptedBackend)
    (request,) = backend.requests
    assert (request.options, request.think) == ({"seed": 1}, False)
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]


async def test_a_chats_own_parameters_precede_those_of_the_settings(store: Store) -> None:
    workspace = session_on(store, config=Config(options={"seed": 1, "num_gpu": 2}, think=True))
    own = Parameters(seed=7, temperature=0.0, think=False, keep_alive="5m", format="json")
    await workspace.conversation.note(parameters=own)
    await answered(workspace, "go")
    backend = workspace.connection.backend
    assert isinstance(backend, ScriptedBackend)
    (request,) = backend.requests
    assert request.options == {"seed": 7, "num_gpu": 2, "temperature": 0.0}
    assert (request.think, request.keep_alive, request.format) == (False, "5m", "json")
    assert (await store.load(workspace.conversation.chat.id)).chat.parameters == own
    workspace.new_chat()
    await answered(workspace, "go")
    assert backend.requests[1].options == {"seed": 1, "num_gpu": 2}


async def test_a_summary_has_neither_the_format_nor_the_stop_sequences_of_its_chat(store: Store) -> None:
    workspace = session_on(store)
    own = Parameters(seed=7, format="json", stop=("---",))
    await workspace.conversation.note(parameters=own)
    await answered(workspace, SUM_UP)
    await ended(workspace.current.again())
    await answered(workspace, "go on")
    backend = workspace.connection.backend
    assert isinstance(backend, ScriptedBackend)
    asked = [(request.format, request.options) for request in backend.requests]
    assert asked == [("", {"seed": 7})] * 2 + [("json", {"seed": 7, "stop": ["---"]})]
    assert workspace.conversation.chat.parameters == own


async def test_what_a_server_does_not_take_is_not_sent_to_it(store: Store) -> None:
    vllm = Server("http://box:8000", kind=Kind.OPENAI, flavour=Flavour.VLLM)
    backend = ScriptedBackend([[Accepted(), Delta("Hi."), Finished()]], [TINY], server=vllm)
    workspace = session_on(store, backend)
    await workspace.conversation.note(parameters=Parameters(seed=7, num_ctx=512, keep_alive="5m", think=True))
    await answered(workspace, "go")
    (request,) = backend.requests
    assert (request.options, request.think, request.keep_alive) == ({"seed": 7}, True, "")


async def test_the_model_used_last_is_taken_at_the_next_start(store: Store) -> None:
    first = session_on(store, config=Config(model="other"))
    await answered(first, "go")
    second = session_on(store)
    await second.start()
    await second.connection.look()
    assert second.connection.model == "other:latest"
    assert second.conversation.last is None


async def test_resume_opens_the_chat_spoken_in_last_and_an_id_any(store: Store) -> None:
    workspace = session_on(store)
    for text in ("first", "second"):
        workspace.new_chat()
        await answered(workspace, text)
    ids = [chat.id for chat in await store.chats()]
    resumed = session_on(store)
    await resumed.start(resume=True)
    assert resumed.conversation.chat.id == ids[0]
    named = session_on(store)
    await named.start(ids[1])
    assert [message.text for message in named.conversation.branch] == ["first", "Hi."]


async def test_resume_without_any_chat_begins_one(store: Store) -> None:
    workspace = session_on(store)
    await workspace.start(resume=True)
    assert workspace.conversation.branch == ()


async def test_the_unfinished_replies_of_dead_processes_are_interrupted_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    gone = await Store.open(path)
    await gone.save("chat", new=Chat("chat"))
    await gone.save("chat", Message(Role.ASSISTANT, parts_of("half"), state=State.STREAMING))
    await gone.aclose()
    store = await Store.open(path)
    workspace = session_on(store)
    await workspace.start(resume=True)
    assert workspace.conversation.last is not None
    assert workspace.conversation.last.state is State.INTERRUPTED
    await store.aclose()


async def test_without_a_model_a_turn_says_what_is_wrong(store: Store) -> None:
    workspace = session_on(store, ScriptedBackend())
    error = (await ended(workspace.current.send("go"))).error
    assert isinstance(error, ReplyError)
    assert "no models" in str(error)
    assert "Load one" in error.hint
    down = session_on(store, ScriptedBackend(failure=Unreachable("nobody")))
    error = (await ended(down.current.send("go"))).error
    assert isinstance(error, Unreachable)


async def test_a_chat_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for chat_id in ("abc1", "abc2", "xyz"):
        await store.save(chat_id, new=Chat(chat_id))
    assert await find_chat(store, "x") == "xyz"
    with pytest.raises(StoreError, match="no chat 'q'"):
        await find_chat(store, "q")
    with pytest.raises(StoreError, match="2 chats begin with 'abc'"):
        await find_chat(store, "abc")
    await store.save("abc", new=Chat("abc"))
    assert await find_chat(store, "abc") == "abc"


async def test_the_demo_keeps_its_chats_to_itself(store: Store) -> None:
    workspace = session_on(store)
    await workspace.start_demo(workspace.connection.server)
    await answered(workspace, "a demo")
    assert await store.chats() == ()
    await workspace.aclose()
