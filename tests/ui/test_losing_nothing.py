"""What is typed or said while something else goes on: it is neither lost nor sent to the wrong place."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.server import Server
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.server import ScriptedServer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven, gated

PROMPT = Message(Role.USER, parts_of("in A"), id="a", created=1.0)
CUT = Message(Role.ASSISTANT, parts_of("precious words"), id="r", parent="a", state=State.INTERRUPTED, created=2.0)


async def with_chat(path: Path, *messages: Message, chat: str = "A") -> None:
    """A chat on disk."""
    store = await Store.open(path)
    await store.adopt(Thread(Chat(chat, title=f"chat {chat}", leaf=messages[-1].id), messages))
    await store.aclose()


def shown(run: AppDriver) -> list[str]:
    return [entry.answer.source for entry in run.transcript.entries]


async def test_what_is_typed_while_a_prompt_is_committed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        gate = gated(monkeypatch, "save")
        await run.say("first")
        await run.pilot.press(*"SECOND")
        gate.set()
        await run.until(lambda: shown(run) == ["first", "ok"])
        await run.idle()
        assert run.chat.composer.text == "SECOND"


async def test_esc_while_a_prompt_is_committed_neither_loses_nor_doubles_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        gate = gated(monkeypatch, "save")
        await run.say("my prompt")
        await run.pilot.press("escape")
        gate.set()
        await run.until(lambda: shown(run) == ["my prompt"])
        assert not run.chat.composer.text
        await run.pilot.press("ctrl+r")
        await run.until(lambda: shown(run) == ["my prompt", "ok"])


async def test_what_is_typed_and_sent_while_a_chat_opens_is_meant_for_that_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await with_chat(tmp_path / "chats.db", PROMPT)
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("chat A"))
        run.chat.composer.text = "a draft of the new chat"  # not before: once on disk it is the first of the list
        gate = gated(monkeypatch, "load")
        await run.pilot.press("enter")
        await run.until(lambda: not run.chat.composer.text)
        await run.pilot.press(*"WORDS", "enter", *"!")
        gate.set()
        await run.until(lambda: run.header.title == "chat A")
        await run.until(lambda: run.chat.composer.text in ("WORDS!", "!WORDS"))
        assert not server.asked()
        (draft,) = [chat for chat in await run.app.workspace.store.chats() if chat.id != "A"]
        assert (await run.app.workspace.store.load(draft.id)).chat.draft == "a draft of the new chat"


async def test_again_without_a_server_leaves_what_came_on_the_screen(tmp_path: Path) -> None:
    await with_chat(tmp_path / "chats.db", PROMPT, CUT)
    dead = Server("http://127.0.0.1:9", name="dead")
    async with driven(dead, database=tmp_path / "chats.db", chat="A", ready=False) as run:
        await run.until(lambda: run.shows("precious words") and run.status.error)
        await run.pilot.press("ctrl+r")
        await run.idle()
        assert shown(run) == ["in A", "precious words"]


async def test_a_regeneration_of_which_nothing_came_leaves_the_version_before(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        server.script(*reply("the good answer"))
        server.script(head(), stall())
        await run.say("go")
        await run.until(lambda: run.shows("the good answer"))
        await run.idle()
        await run.pilot.press("ctrl+r")
        await run.until(lambda: len(server.asked()) == 2)
        await run.pilot.press("escape")
        await run.idle()
        assert shown(run) == ["go", "the good answer"]
        assert not run.shows("/2 ›")
        chat = run.app.workspace.conversation.chat.id
        await run.app.workspace.conversation.settle()
        branch = (await run.app.workspace.store.load(chat)).branch()
        assert [message.text for message in branch] == ["go", "the good answer"]


async def test_a_key_on_an_earlier_reply_makes_that_one_anew() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        for text in ("answer one", "answer two", "another answer"):
            server.script(*reply(text))
        for prompt in ("one", "two"):
            await run.say(prompt)
            await run.until(lambda prompt=prompt: run.shows(f"answer {prompt}"))  # type: ignore[misc]
            await run.idle()
        await run.pilot.press("alt+up", "alt+up", "alt+up", "r")
        await run.until(lambda: shown(run) == ["one", "another answer"])
        await run.idle()
        assert [message["content"] for message in server.asked()[-1]["messages"]] == ["one"]  # type: ignore[attr-defined]
        await run.pilot.press("alt+up", "left")
        await run.until(lambda: shown(run) == ["one", "answer one", "two", "answer two"])


async def test_the_demo_begins_and_ends_in_mid_reply_and_gives_back_the_chat_before() -> None:
    async with ScriptedServer() as server, driven(server, demo_speed=20.0) as run:
        server.script(head(), token("begin "), stall())
        await run.say("go")
        await run.until(lambda: run.shows("begin"))
        await run.pilot.press("f2")
        await run.until(lambda: run.app.workspace.demo and run.header.demo)
        await run.say("hello demo")
        await run.until(lambda: len(shown(run)) == 2 and len(shown(run)[1]) > 3)
        await run.pilot.press("f2")
        await run.until(lambda: not run.header.demo)
        await run.until(lambda: shown(run) == ["go", "begin "])
        await run.pilot.press("escape")
        await run.idle()
        assert run.transcript.entries[1].message.state is State.STOPPED


async def test_a_server_is_chosen_while_the_demo_replies() -> None:
    async with ScriptedServer() as server, driven(None, demo_speed=20.0) as run:
        await run.say("hello")
        await run.until(lambda: len(shown(run)) == 2 and len(shown(run)[1]) > 3)
        await run.chat.server.use(Server(server.url, name="box"))
        await run.until(lambda: run.header.server == "box")
        await run.idle()
        await run.pilot.press("escape")
        assert shown(run) == []


async def test_a_search_leads_to_another_branch_of_a_chat_that_is_being_answered(tmp_path: Path) -> None:
    old, new = (
        Message(Role.ASSISTANT, parts_of("old zebra"), id="r1", parent="a", created=2.0),
        Message(Role.ASSISTANT, parts_of("new version"), id="r2", parent="a", created=3.0),
    )
    await with_chat(tmp_path / "chats.db", PROMPT, old, new)
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db", chat="A") as run:
        gate = asyncio.Event()
        server.script(head(), token("begin "), wait(gate), token("end"), done(), end())
        await run.say("go")
        await run.until(lambda: run.shows("begin"))
        await run.pilot.press("ctrl+o", *"zebra")
        await run.until(lambda: run.shows("old zebra"))
        await run.pilot.press("enter")
        await run.until(lambda: shown(run) == ["in A", "old zebra"])
        gate.set()
        await run.idle()
        assert shown(run) == ["in A", "old zebra"]


async def test_a_row_is_gone_to_before_the_log_knows_its_size() -> None:
    text = "\n\n".join([*(f"line {n}" for n in range(200)), "Über an exact phrase", *["more"] * 200])
    async with ScriptedServer() as server, driven(server) as run:
        run.transcript.show([PROMPT, Message(Role.ASSISTANT, parts_of(text), id="r", parent="a")])
        run.transcript.step_to("r", "uber")
        run.chat.show_log()
        await run.until(lambda: any("Über" in row for row in run.log()))
        assert run.transcript.steps.message is not None


@pytest.mark.parametrize("query", ["uber", '"exact phrase"'])
async def test_a_search_leads_to_the_row(tmp_path: Path, query: str) -> None:
    text = "\n\n".join(
        [*(f"line {n}" for n in range(200)), "Über an exact phrase", *(f"more {n}" for n in range(200))]
    )
    await with_chat(tmp_path / "chats.db", PROMPT, Message(Role.ASSISTANT, parts_of(text), id="r", parent="a"))
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        await run.pilot.press("ctrl+o")
        keys = {'"': "quotation_mark", " ": "space"}
        await run.pilot.press(*(keys.get(letter, letter) for letter in query))
        await run.until(lambda: run.shows("an exact phrase"))
        await run.pilot.press("enter")
        await run.until(lambda: run.header.title == "chat A" and any("Über" in row for row in run.log()))


async def test_a_model_that_was_chosen_is_the_chat_s_before_anything_is_said_to_it(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        server.script(*reply("ok"))
        await run.say("go")
        await run.until(lambda: run.shows("ok"))
        await run.idle()
        await run.app.workspace.use_model("other")
        chat = run.app.workspace.conversation.chat.id
        assert (await run.app.workspace.store.load(chat)).chat.model == "other"


async def test_a_new_name_of_the_open_chat_is_in_the_header_at_once(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        server.script(*reply("ok"))
        await run.say("question")
        await run.until(lambda: run.shows("ok"))
        await run.idle()
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("2 msg"))
        await run.pilot.press("ctrl+r", *"s", "enter")
        await run.until(lambda: run.shows("questions"))
        await run.pilot.press("escape")
        await run.until(lambda: run.header.title == "questions")


async def test_who_never_rests_has_a_draft_on_disk_too() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        conversation = run.app.workspace.conversation
        async with asyncio.timeout(10):
            while not conversation.chat.draft:
                await run.pilot.press("a")
                await asyncio.sleep(0.05)


async def test_a_draft_that_another_tui_chat_wrote_is_not_overwritten_by_none(tmp_path: Path) -> None:
    await with_chat(tmp_path / "chats.db", PROMPT)
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db", chat="A") as run:
        await run.app.workspace.store.save("A", fields={"draft": "a long draft"})
        run.chat.navigation.leave_chat()
        await run.app.workspace.conversation.settle()
        assert (await run.app.workspace.store.load("A")).chat.draft == "a long draft"


async def test_where_nothing_is_kept_the_header_says_so_all_the_time() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await run.until(lambda: run.shows("NOT SAVED"))


async def test_a_draft_is_typed_on_at_its_end(tmp_path: Path) -> None:
    draft = "first line\n" + "the words go on " * 40
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db") as run:
        run.chat.composer.text = draft
        await run.pilot.press("!", "ctrl+q")
    async with ScriptedServer() as server, driven(server, database=tmp_path / "chats.db", resume=True) as run:
        await run.pilot.press("?")
        assert run.chat.composer.text == f"{draft}!?"
        await run.until(lambda: run.shows("words go on !?"))  # the composer has scrolled there
        chat = run.app.workspace.conversation.chat.id
        await run.pilot.press("ctrl+n")
        await run.until(lambda: run.chat.composer.text == "")
        await run.chat.navigation.open_chat(chat)
        await run.pilot.press(".")
        assert run.chat.composer.text == f"{draft}!?."
