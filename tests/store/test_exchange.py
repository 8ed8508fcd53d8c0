"""What is exported can be read: ours back exactly, others' as far as they tell."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State, Usage
from tui_chat.parts import Blob, Image, attached, parts_of
from tui_chat.store.export import to_json, to_markdown
from tui_chat.store.imports import read_export
from tui_chat.store.values import Chat, Thread

from tests.store.kit import lines, message_strategy, opened, places, said, texts, times
from tests.test_parameters import parameters


@st.composite
def threads(draw: st.DrawFn) -> Thread:
    messages: list[Message] = []
    for number in range(draw(st.integers(0, 4))):
        parent = draw(st.sampled_from([None, *(message.id for message in messages)]))
        messages.append(draw(message_strategy(f"m{number}", parent)))
    chat = draw(
        st.builds(
            Chat,
            st.just("chat"),
            title=lines,
            created=times,
            updated=times,
            model=lines,
            server=lines,
            system=texts,
            parameters=parameters,
            pinned=st.booleans(),
            deleted=st.none() | times,
            leaf=st.sampled_from([None, *(message.id for message in messages)]),
            draft=texts,
            place=st.none() | places,
        )
    )
    return Thread(chat, tuple(messages))


@settings(max_examples=60, deadline=None)
@given(st.lists(threads(), max_size=3))
def test_our_json_is_read_back_exactly(exported: list[Thread]) -> None:
    assert read_export(to_json(exported)) == tuple(exported)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_to_a_file_raises_anything_but_a_store_error(data: st.DataObject) -> None:
    document: Any = json.loads(data.draw(st.sampled_from([OURS, json.dumps(CHATGPT), json.dumps(OPENWEBUI)])))
    node = document
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        if not (isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans())):
            break
        node = node[key]
    values: st.SearchStrategy[object] = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.just([])
        | st.just({})
        | st.just([1])
    )
    node[key] = data.draw(values)
    hint = "not needed"
    try:
        read_export(json.dumps(document))
    except StoreError as error:
        hint = error.hint
    assert hint


@pytest.mark.parametrize("text", ["", "{", "1", "[]", "{}", "[1]", '"x"', "[" * 100_000, '[{"mapping": {}}, {}]'])
def test_what_is_no_export_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        read_export(text)
    assert caught.value.hint


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(StoreError, match="newer"):
        read_export('{"format": "tui-chat", "version": 3, "chats": []}')


def test_what_comes_in_cannot_act_on_a_terminal() -> None:
    (thread,) = read_export(json.dumps(CHATGPT).replace("What is a queue?", "What\\u001b[2J is a queue?"))
    assert thread.messages[0].text == "What␛[2J is a queue?"


def message(identity: str, parent: str | None, role: str, text: str, **more: object) -> dict[str, Any]:
    return {
        "id": identity,
        "parent": parent,
        "children": [],
        "message": {
            "id": identity,
            "author": {"role": role},
            "create_time": 1700000000.5,
            "content": {"content_type": "text", "parts": [text]},
            "metadata": {"model_slug": "gpt-4o"},
            "status": "finished_successfully",
            **more,
        },
    }


CHATGPT: list[dict[str, Any]] = [
    {
        "title": "Queues",
        "create_time": 1700000000.0,
        "update_time": 1700000100.0,
        "conversation_id": "aaaa-bbbb",
        "current_node": "a2",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
            "a2": message("a2", "t2", "assistant", "Another answer."),
            "sys": message("sys", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
            "u1": message("u1", "sys", "user", "What is a queue?"),
            "a1": message("a1", "u1", "assistant", "A line."),
            "t2": message(
                "t2", "u1", "assistant", "", content={"content_type": "thoughts", "thoughts": [{"content": "Hm."}]}
            ),
            "img": message(
                "img",
                "a1",
                "user",
                "",
                content={"content_type": "multimodal_text", "parts": [{"asset_pointer": "x"}, "and this?"]},
            ),
        },
    }
]

OPENWEBUI: list[dict[str, Any]] = [
    {
        "id": "cccc-dddd",
        "title": "Images",
        "pinned": True,
        "created_at": 1700000000,
        "updated_at": 1700000200,
        "chat": {
            "title": "Images",
            "models": ["llava"],
            "system": "Be brief.",
            "history": {
                "currentId": "b",
                "messages": {
                    "a": {
                        "id": "a",
                        "parentId": None,
                        "role": "user",
                        "content": "Look",
                        "timestamp": 1700000001,
                        "files": [{"type": "image", "url": "data:image/png;base64,AP8="}],
                    },
                    "b": {
                        "id": "b",
                        "parentId": "a",
                        "role": "assistant",
                        "model": "llava",
                        "done": False,
                        "timestamp": 1700000002,
                        "content": '<details type="reasoning" done="true" duration="4">\n<summary>Thought for 4 seconds'
                        "</summary>\n> It is &lt;small&gt;.\n> Yes.\n</details>\nA dot.",
                    },
                },
            },
        },
    }
]

OURS = to_json(
    [
        Thread(
            Chat("c", title="t", leaf="m"),
            (
                Message(
                    Role.USER, parts_of("x", files=(attached("a", "b", Blob.of(b"c")),)), id="m", usage=Usage(1)
                ),
            ),
        )
    ]
)


def test_chatgpts_export_keeps_the_tree_the_thinking_and_the_branch_on_screen() -> None:
    (thread,) = read_export(json.dumps(CHATGPT))
    assert (thread.chat.title, thread.chat.created, thread.chat.updated) == ("Queues", 1700000000.0, 1700000100.0)
    assert thread.chat.model == "gpt-4o"
    assert [(one.role, one.text, one.thinking) for one in thread.branch()] == [
        (Role.USER, "What is a queue?", ""),
        (Role.ASSISTANT, "Another answer.", "Hm."),
    ]
    assert {one.text for one in thread.messages} == {"What is a queue?", "A line.", "Another answer.", "and this?"}
    by_text = {one.text: one for one in thread.messages}
    assert by_text["and this?"].parent == by_text["A line."].id
    assert by_text["A line."].created == 1700000000.5


def test_open_webuis_export_keeps_images_and_thinking() -> None:
    (thread,) = read_export(json.dumps(OPENWEBUI))
    prompt, reply = thread.branch()
    assert (thread.chat.pinned, thread.chat.system, thread.chat.created) == (True, "Be brief.", 1700000000.0)
    assert prompt.files == (Image("image-1", "image/png", Blob.of(b"\0\xff")),)
    assert (reply.text, reply.thinking, reply.state) == ("A dot.", "It is <small>.\nYes.", State.INTERRUPTED)


def test_a_circle_of_nodes_is_cut() -> None:
    mapping = {"x": message("x", "y", "user", "one"), "y": message("y", "x", "assistant", "two")}
    (thread,) = read_export(json.dumps([{"mapping": mapping, "title": ""}]))
    assert [one.text for one in thread.messages if one.parent is None] == ["two"]
    assert thread.chat.title == "one"


@pytest.mark.parametrize("thoughts", [5, True, "x", {"content": "x"}])
def test_thoughts_that_are_no_list_do_not_hide_the_rest(thoughts: object) -> None:
    node = message("a", None, "assistant", "", content={"content_type": "thoughts", "thoughts": thoughts})
    mapping = {"a": node, "b": message("b", "a", "assistant", "Yes.")}
    (thread,) = read_export(json.dumps([{"mapping": mapping, "title": ""}]))
    assert [(one.text, one.thinking) for one in thread.messages] == [("Yes.", "")]


@pytest.mark.parametrize("moment", [-1, -1e11, 4.1e9, 1e300, "x"])
def test_times_that_no_calendar_has_are_left_out(moment: float | str) -> None:
    ours = json.loads(OURS)
    for name in ("created", "updated", "deleted"):
        (thread,) = read_export(json.dumps({**ours, "chats": [{**ours["chats"][0], name: moment}]}))
        assert 0 <= getattr(thread.chat, name) <= 4e9
        assert thread.messages[0].text == "x"
    (thread,) = read_export(json.dumps([in_thousandths(moment * 1000)]))
    assert thread.chat.created == 0.0


@pytest.mark.parametrize("break_", [{"id": None}, {"id": 5}, {"parent": "nowhere"}])
def test_a_message_without_a_place_is_refused(break_: dict[str, object]) -> None:
    ours = json.loads(OURS)
    ours["chats"][0]["messages"][0] |= break_
    with pytest.raises(StoreError, match="broken"):
        read_export(json.dumps(ours))


def test_time_in_thousandths_is_read_as_seconds() -> None:
    (thread,) = read_export(json.dumps([in_thousandths(1700000000500)]))
    assert thread.chat.created == 1700000000.5


def in_thousandths(moment: object) -> dict[str, Any]:
    """An older chat of Open WebUI, which tells its time within."""
    older = OPENWEBUI[0]
    return {**older, "created_at": None, "chat": {**older["chat"], "timestamp": moment}}


def test_a_tree_that_was_made_to_take_long_is_read_soon() -> None:
    chain = {f"n{number}": {"parent": f"n{number - 1}" if number else None} for number in range(20_000)}
    leaves = {f"m{number}": message(f"m{number}", "n19999", "user", "x") for number in range(5000)}
    start = time.process_time()
    (thread,) = read_export(json.dumps([{"mapping": {**chain, **leaves}, "title": ""}]))
    node = {"role": "assistant", "content": '<details type="reasoning"' * 20_000}
    read_export(json.dumps([{"chat": {"history": {"messages": {"a": node}}}}]))
    assert time.process_time() - start < 5
    assert len(thread.messages) == 5000


async def test_a_newer_export_of_a_known_chat_adds_what_is_new() -> None:
    chat = Chat("chat", title="Old", created=5.0, updated=6.0)
    prompt = said("prompt")
    first, second = said("first", prompt, Role.ASSISTANT), said("second", prompt, Role.ASSISTANT)
    more = said("more", first)
    newer = dataclasses.replace(chat, title="Newer", updated=9.0, leaf=more.id)
    async with opened(None) as store:
        assert await store.adopt(Thread(dataclasses.replace(chat, leaf=first.id), (prompt, first)))
        await store.save("chat", fields={"title": "Renamed"})
        changed = first.with_text("changed elsewhere")
        assert await store.adopt(Thread(newer, (prompt, changed, more)))
        thread = await store.load("chat")
        assert thread.messages == (prompt, first, more), "what is there stays"
        assert (thread.chat.title, thread.chat.updated, thread.chat.leaf) == ("Renamed", 9.0, more.id)
        assert await store.adopt(Thread(dataclasses.replace(newer, leaf=second.id), (prompt, second)))
        thread = await store.load("chat")
        assert thread.messages == (prompt, first, more, second)
        assert thread.chat.leaf == more.id, "another branch is not where the reader was"
        assert not await store.adopt(Thread(newer, (prompt, first, second, more)))


async def test_an_imported_chat_is_shown_whatever_it_says_of_its_leaf() -> None:
    prompt = said("prompt")
    async with opened(None) as store:
        assert await store.adopt(Thread(Chat("chat", leaf="nowhere", deleted=1.0), (prompt,)))
        assert (await store.load("chat")).branch() == (prompt,)
        assert len(await store.chats()) == 1


async def test_what_was_imported_before_is_known_again() -> None:
    async with opened(None) as store:
        for thread in (*read_export(json.dumps(CHATGPT)), *read_export(json.dumps(OPENWEBUI))):
            assert await store.adopt(thread)
            assert await store.load(thread.chat.id) == Thread(thread.chat, thread.messages, len(thread.messages))
        assert [await store.adopt(thread) for thread in read_export(json.dumps(CHATGPT))] == [False]


def test_markdown_shows_the_branch_and_how_it_ended() -> None:
    prompt = said("What?")
    other = said("not shown", prompt, Role.ASSISTANT)
    reply = Message(
        Role.ASSISTANT, parts_of("This\n"), parent=prompt.id, model="tiny", state=State.FAILED, error="no room"
    )
    chat = Chat(title="Title", system="be kind", leaf=reply.id, created=0.0)
    parts = to_markdown(Thread(chat, (prompt, other, reply))).split("\n\n")
    assert parts[0] == "# Title"
    assert parts[2:] == ["## System", "be kind", "## You", "What?", "## tiny", "This", "*(failed: no room)*\n"]
