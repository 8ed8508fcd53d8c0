"""The main job through the keys: ask, watch, stop, read, try again."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from tui_chat.messages import Role, State
from tui_chat.ui.widgets import composer

from tests.server import (
    ScriptedServer,
    answer,
    cut,
    done,
    end,
    head,
    line,
    raw,
    reply,
    reset,
    stall,
    thought,
    token,
    wait,
)
from tests.ui.kit import driven


async def test_a_reply_streams_into_the_log_and_the_whole_chat_is_sent_each_time() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = asyncio.Event()
        server.script(head(), token("Some *Mark"), wait(gate), token("down* text"), done(), end())
        server.script(*reply("Second."))
        await run.say("first question")
        await run.until(lambda: run.shows("Some Mark") and not run.shows("*"))
        gate.set()
        await run.until(lambda: run.shows("Some Markdown text"))
        await run.idle()
        await run.say("second question")
        await run.until(lambda: run.shows("Second."))
        sent = server.asked()[1]["messages"]
        assert isinstance(sent, list)
        assert [(m["role"], m["content"]) for m in sent] == [
            ("user", "first question"),
            ("assistant", "Some *Markdown* text"),
            ("user", "second question"),
        ]


async def test_text_typed_and_sent_in_one_burst_is_sent_whole() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.pilot.press(*"hello there", "enter")
        await run.until(lambda: run.shows("ok"))
        assert run.transcript.entries[0].message.text == "hello there"
        assert run.chat.composer.text == ""


async def test_a_new_line_key_breaks_the_line_and_does_not_send() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await run.pilot.press("a", "ctrl+j", "b")
        await run.pilot.pause()
        assert run.chat.composer.text == "a\nb"
        assert not server.asked()


async def test_stop_closes_the_socket_and_keeps_what_came() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), token("partial words"), stall())
        server.script(*reply("more"))
        await run.say("go")
        await run.until(lambda: run.shows("partial words"))
        await run.pilot.press("escape")
        await asyncio.wait_for(server.disconnected.wait(), 5)
        await run.idle()
        assert run.shows("■ stopped")
        assert run.transcript.entries[-1].message.state is State.STOPPED
        await run.say("next")
        await run.until(lambda: run.shows("more"))
        sent = server.asked()[1]["messages"]
        assert isinstance(sent, list)
        assert sent[1]["content"] == "partial words"


async def test_thinking_is_apart_and_folds_when_the_answer_begins() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = asyncio.Event()
        server.script(head(), thought("let me see"), wait(gate), token("The answer."), done(), end())
        await run.say("go")
        await run.until(lambda: run.shows("let me see"))
        assert run.status.text.startswith("thinking")
        gate.set()
        await run.until(lambda: run.shows("The answer."))
        await run.idle()
        assert not run.shows("let me see")
        assert run.shows("▸ thought for")
        await run.pilot.press("ctrl+t")
        await run.until(lambda: run.shows("let me see"))
        assert run.transcript.entries[-1].message.thinking == "let me see"


async def test_who_reads_the_thinking_keeps_it_when_the_answer_begins() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        gate = asyncio.Event()
        thoughts = [thought(f"thought {number}\n\n") for number in range(40)]
        server.script(head(), *thoughts, wait(gate), token("The answer."), done(), end())
        await run.say("go")
        await run.until(lambda: run.shows("thought 39"))
        await run.pilot.press("pageup")
        before = run.log()
        gate.set()
        await run.idle()
        assert run.log() == before


ERRORS = {
    "no such model": (answer(404, {"error": 'model "tiny" not found, try pulling it first'}), "tui-chat pull"),
    "busy": (answer(503, {"error": "server busy, please try again."}), "again"),
    "fault": (answer(500, {"error": "llama runner process has terminated"}), ""),
    "forbidden": (answer(403, b""), "Host"),
    "unauthorized": (answer(401, {"error": "unauthorized"}), "key"),
    "not Ollama": (answer(404, b"404 page not found", "text/plain"), ""),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_a_refusal_turns_the_bar_red_says_what_to_do_and_can_be_tried_again(name: str) -> None:
    refusal, hint = ERRORS[name]
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(refusal)
        server.script(*reply("It works now."))
        await run.say("go")
        await run.until(lambda: run.status.error)
        await run.idle()
        assert run.status.text
        assert hint.lower() in f"{run.status.text} {run.status.hint}".lower()
        assert run.transcript.entries[0].message.text == "go"
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("It works now."))
        await run.idle()
        assert [entry.message.role for entry in run.transcript.entries] == [Role.USER, Role.ASSISTANT]
        assert not run.status.error


ENDS = {
    "error line": [line({"error": "the model exploded"})],
    "garbage": [raw(b"\xff\xfe not json\n")],
    "cut": [cut()],
    "reset": [reset()],
    "no end marker": [end()],
}


@pytest.mark.parametrize("name", ENDS)
async def test_an_end_in_the_middle_keeps_what_came_and_is_continued_by_one_key(name: str) -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(head(), token("The first half "), *ENDS[name])
        server.script(*reply("and the second."))
        await run.say("go")
        await run.until(lambda: run.status.error)
        await run.idle()
        assert run.shows("The first half")
        assert run.transcript.entries[-1].message.state in (State.INTERRUPTED, State.FAILED)
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("The first half and the second."))
        await run.idle()
        ended = run.transcript.entries[-1].message
        assert (ended.state, ended.text) == (State.COMPLETE, "The first half and the second.")


async def test_a_cut_by_length_is_said_and_continued() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), token("One two"), done("length"), end())
        await run.say("count")
        await run.idle()
        assert run.shows("… cut by length")
        assert "cut by length" in run.status.text


async def test_a_complete_reply_is_regenerated_beside_the_old_one() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("Version one."))
        server.script(*reply("Version two."))
        await run.say("go")
        await run.idle()
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("Version two."))
        await run.idle()
        assert not run.shows("Version one.")
        thread = await run.app.workspace.store.load(run.app.workspace.conversation.chat.id)
        assert sorted(message.text for message in thread.messages) == ["Version one.", "Version two.", "go"]


async def test_nothing_a_server_says_reaches_the_terminal_as_an_escape() -> None:
    attack = "\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e\x00"
    async with ScriptedServer() as server, driven(server) as run:
        server.script(
            answer(200, {"models": [{"name": f"tiny{attack}:latest", "model": f"tiny{attack}"}]}), path="/api/tags"
        )
        server.script(
            head(), thought(attack), token(f"hi {attack}\n\n```{attack}\n{attack}\n```\n"), line({"error": attack})
        )
        await run.say("go")
        await run.until(lambda: run.status.error)
        await run.idle()
        await run.pilot.press("ctrl+l")
        await run.pilot.pause()
        text = "".join(run.rows())
        assert not [hex(ord(c)) for c in text if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e"]
        assert "␛" in text


async def test_a_paste_is_sanitised_and_an_enter_within_it_does_not_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "_PASTE_SECONDS", 60.0)
    async with ScriptedServer() as server, driven(server) as run:
        run.app.post_message(events.Paste("one\r\ntwo\x1b[31m"))
        run.chat.composer.post_message(events.Paste("one\r\ntwo\x1b[31m"))
        await run.pilot.press("enter")
        await run.pilot.pause()
        assert "one\ntwo␛[31m" in run.chat.composer.text
        assert not server.asked()


async def test_without_a_server_the_prompt_stays_and_the_demo_is_one_key_away() -> None:
    from tui_chat.server import Server

    async with driven(Server("http://127.0.0.1:9", named=False), ready=False) as run:
        await run.until(lambda: run.status.error)
        assert run.shows("ollama serve")
        await run.pilot.press("f2")
        await run.until(lambda: run.header.model.startswith("demo"))
        assert run.shows("DEMO")
        await run.say("Hello")
        await run.until(lambda: run.shows("Hello!"))


async def test_the_model_picker_lists_filters_and_chooses() -> None:
    async with driven(None) as run:
        await run.pilot.press("ctrl+l")
        await run.until(lambda: run.shows("demo-think"))
        await run.pilot.press(*"think")
        await run.pilot.pause()
        await run.pilot.press("enter")
        await run.until(lambda: run.header.model.startswith("demo-think"))


async def test_two_presses_of_ctrl_c_quit_and_one_does_not() -> None:
    async with driven(None) as run:
        await run.pilot.press("ctrl+c")
        await run.pilot.pause()
        assert run.app.is_running
        await run.pilot.press("ctrl+c")
        await run.until(lambda: run.app._exit)


async def test_the_picker_asks_for_what_an_older_server_leaves_out_of_its_list() -> None:
    bare = {"name": "old:latest", "model": "old:latest", "size": 4_000_000, "details": {"family": "llama"}}
    told = {
        "details": {"family": "llama"},
        "capabilities": ["completion", "tools"],
        "model_info": {"llama.context_length": 2048},
    }
    async with ScriptedServer() as server, driven(server) as run:
        server.script(answer(200, {"models": [bare]}), path="/api/tags")
        server.script(answer(200, told), path="/api/show")
        await run.pilot.press("ctrl+l")
        await run.until(lambda: run.shows("2k ctx  tools"))


@pytest.mark.parametrize("demo", [True, False], ids=["demo", "server"])
async def test_a_question_of_the_command_line_is_sent_at_once(demo: bool) -> None:
    async with ScriptedServer() as server:
        server.script(*reply("An answer."))
        async with driven(None if demo else server, question="What is this?") as run:
            await run.until(lambda: len(run.transcript.entries) == 2 and not run.chat.replies.busy)
            assert run.transcript.entries[0].message.text == "What is this?"
            assert run.transcript.entries[1].message.text
