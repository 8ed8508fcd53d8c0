"""The context window: a question before what does not fit, what takes it, a larger one, and a summary."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tui_chat.messages import Role
from tui_chat.server import Flavour, Kind, Server
from tui_chat.ui.dialogs.ask import ConfirmScreen
from tui_chat.ui.dialogs.context import ContextScreen, sizes_for

from tests import server as scripted
from tests.server import MODEL, ScriptedServer, answer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven

LONG = "word " * 5000
SHOW = answer(
    200,
    {
        **MODEL,
        "model_info": {
            "llama.context_length": 32768,
            "llama.block_count": 32,
            "llama.attention.head_count": 32,
            "llama.attention.head_count_kv": 8,
            "llama.embedding_length": 4096,
        },
    },
)


def asks(run: AppDriver) -> bool:
    return isinstance(run.app.screen, ConfirmScreen)


def window(run: AppDriver, size: int) -> None:
    run.app.workspace.connection.window = size
    run.app.workspace.connection._measured = True
    run.chat.server.show_gauge()


async def test_a_prompt_that_does_not_fit_because_of_its_files_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("long.txt").write_text(LONG)
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        window(run, 4096)
        await run.pilot.press(*"@long.txt x")
        await run.until(lambda: run.shows("not all of it will be read"))
        await run.pilot.press("enter")
        await run.until(lambda: asks(run))
        assert run.shows("about 5,002 tokens")
        assert not server.asked()


async def test_a_prompt_that_does_not_fit_is_asked_about_and_enter_sends_it() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        server.script(*reply("ok"))
        window(run, 4096)
        await run.say(LONG)
        await run.until(lambda: asks(run))
        assert run.shows("about 5,000 tokens, and tiny:latest sees 4,096")
        assert not server.asked()
        await run.pilot.press("escape")
        await run.until(lambda: not asks(run))
        assert run.chat.composer.text == LONG
        await run.pilot.press("enter")
        await run.until(lambda: asks(run))
        await run.pilot.press("enter")
        await run.until(lambda: len(server.asked()) == 1)
        await run.idle()
        assert run.chat.composer.text == ""
        await run.say("more")  # said once for this chat
        await run.until(lambda: len(server.asked()) == 2)


async def test_a_waiting_prompt_that_may_not_fit_is_told_of() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        server.script(head(), token("ok"), stall())
        await run.say("hello")
        await run.until(lambda: run.shows("ok"))
        window(run, 4096)
        await run.say("short")
        await run.until(lambda: len(run.app.workspace.current.queue) == 1)
        assert not run.notices
        await run.say(LONG)
        await run.until(lambda: any("may not fit" in notice for notice in run.notices))
        assert len(run.app.workspace.current.queue) == 2


async def test_what_was_left_out_is_told_after_the_reply() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 30)) as run:
        server.script(head(), token("ok"), done("stop", prompt_eval_count=2000, eval_count=1), end())
        window(run, 4096)
        await run.say(LONG)
        await run.until(lambda: asks(run))
        await run.pilot.press("enter")
        await run.until(lambda: run.status.text.startswith("the beginning was left out"))
        assert any("read 2,000 of about 5,000 tokens" in notice for notice in run.notices)


async def test_a_prompt_that_clearly_fits_costs_no_request_and_one_near_the_limit_is_counted() -> None:
    async with ScriptedServer() as server:
        llama = Server(server.url, kind=Kind.OPENAI, flavour=Flavour.LLAMACPP)
        chunks = [
            b'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n',
            b"data: [DONE]\n\n",
        ]
        server.script(
            scripted.head(200, scripted.SSE), *map(scripted.raw, chunks), end(), path="/v1/chat/completions"
        )
        models = {"data": [{"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}}]}
        server.script(answer(200, models), path="/v1/models")
        for tokens in (3000, 6000):
            server.script(answer(200, {"input_tokens": tokens}), path="/v1/chat/completions/input_tokens")
        async with driven(llama, size=(100, 30)) as run:
            await run.until(lambda: run.app.workspace.connection.window == 4096)
            await run.say("hello")
            await run.until(lambda: len(server.asked("/v1/chat/completions")) == 1)
            await run.idle()
            assert not server.asked("/v1/chat/completions/input_tokens")
            await run.say("word " * 2000)  # 2000 tokens, or 5000
            await run.until(lambda: len(server.asked("/v1/chat/completions")) == 2)
            await run.idle()
            assert len(server.asked("/v1/chat/completions/input_tokens")) == 1
            assert run.chat.composer.text == ""
            await run.say("word " * 2500)
            await run.until(lambda: asks(run))
            assert run.shows("This takes 6,000 tokens, and tiny sees 4,096: the server may refuse it.")


async def test_the_dialog_shows_what_takes_the_window_and_enlarges_it() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        server.script(head(), token("ok"), done("stop", prompt_eval_count=3000, eval_count=50), end())
        server.script(SHOW, path="/api/show")
        await run.say("hello")
        await run.idle()
        window(run, 4096)
        await run.pilot.press("f8")
        await run.until(lambda: run.shows("at most 32,768 tokens"))
        assert run.shows("3,050 tokens · 74%")
        await run.pilot.press("up", "up")
        await run.until(
            lambda: run.shows("16,384 tokens for this chat: reloads the model, roughly 1.6 GB more memory.")
        )
        await run.pilot.press("enter")
        await run.until(lambda: not isinstance(run.app.screen, ContextScreen))
        await run.pilot.pause()
        assert run.app.workspace.conversation.chat.parameters.num_ctx == 16384
        assert "of 16k" in run.header.render().plain
        await run.say("more")
        await run.until(lambda: len(server.asked()) == 2)
        assert server.asked()[-1]["options"] == {"num_ctx": 16384}


async def test_a_window_is_no_larger_than_the_model_s_own() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(SHOW, path="/api/show")
        await run.say("/set parameter num_ctx 50000")
        await run.until(lambda: "of 50k" in run.header.render().plain)
        run.chat.server.look()
        await run.until(lambda: "of 32k" in run.header.render().plain)


async def test_a_fresh_chat_begins_with_a_summary_that_the_person_edits() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        server.script(*reply("The fox", " ran."))
        server.script(*reply("It was about", " a fox."))
        server.script(*reply("On we go."))
        await run.say("Tell of a fox")
        await run.idle()
        await run.say("/set system Be brief.")
        await run.say("/set parameter temperature 0.2")
        old = run.app.workspace.conversation.chat
        await run.pilot.press("f8")
        await run.until(lambda: isinstance(run.app.screen, ContextScreen))
        await run.pilot.press("s")
        await run.until(lambda: run.app.workspace.conversation.chat.id != old.id)
        await run.until(lambda: "It was about a fox." in run.chat.composer.text)
        await run.until(lambda: run.shows("Continues “Tell of a fox” · F8 leads there"))
        assert run.header.title == "Tell of a fox"
        assert len(server.asked()) == 2
        settings = run.app.workspace.conversation.chat
        assert (settings.system, settings.parameters.temperature) == ("Be brief.", 0.2)
        await run.pilot.press(*"Go")
        assert run.chat.composer.text.endswith("Go")
        fresh = run.app.workspace.conversation.chat.id
        await run.pilot.press("enter")
        await run.idle()
        assert [message.role for message in run.app.workspace.conversation.branch] == [Role.USER, Role.ASSISTANT]
        await run.pilot.press("f8")
        await run.until(lambda: isinstance(run.app.screen, ContextScreen))
        await run.pilot.press("g")
        await run.until(lambda: run.app.workspace.conversation.chat.id == old.id)
        assert len(run.app.workspace.conversation.branch) == 4
        await run.pilot.press("f8")
        await run.until(lambda: isinstance(run.app.screen, ContextScreen))
        await run.pilot.press("g")
        await run.until(lambda: run.app.workspace.conversation.chat.id == fresh)


async def test_a_summary_of_what_was_read_in_part_says_so() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        server.script(head(), token("ok"), done("stop", prompt_eval_count=2000, eval_count=1), end())
        server.script(head(), token("In short."), done("stop", prompt_eval_count=2000, eval_count=2), end())
        window(run, 4096)
        await run.say(LONG)
        await run.until(lambda: asks(run))
        await run.pilot.press("enter")
        await run.idle()
        await run.say("/summary")
        await run.until(lambda: "In short." in run.chat.composer.text)
        await run.until(lambda: any("the summary lacks it" in notice for notice in run.notices))


async def test_the_figures_follow_a_reply_a_notice_leaves_them_and_only_keys_that_act_are_named() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        gate = asyncio.Event()
        server.script(head(), token("ok"), wait(gate), token("word " * 100), stall())
        await run.say("hello")
        await run.until(lambda: run.shows("ok"))
        window(run, 1024)
        await run.pilot.press("f8")
        await run.until(lambda: run.shows("about 1 token "))
        assert run.shows("↑ larger window")
        assert not run.shows("smaller")
        gate.set()
        await run.until(lambda: run.shows("about 101 tokens"))
        run.app.notify("Something else has happened.")
        await run.pilot.pause()
        assert sum("Something else" in row for row in run.rows()) == 1
        assert run.shows("about 101 tokens")


async def test_a_summary_that_ends_in_another_chat_is_told_of_there_and_on_return() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 30)) as run:
        gate = asyncio.Event()
        server.script(*reply("The fox", " ran."))
        server.script(head(), wait(gate), token("It was a fox."), done(), end())
        await run.say("Tell of a fox")
        await run.idle()
        first = run.app.workspace.conversation.chat.id
        await run.say("/summary")
        await run.until(lambda: len(server.asked()) == 2)
        await run.pilot.press("ctrl+n", *"new")
        gate.set()
        await run.until(lambda: any("is summed up" in notice for notice in run.notices))
        await run.chat.navigation.open_chat(first)
        await run.until(lambda: any("/summary begins a new chat" in notice for notice in run.notices))


@pytest.mark.parametrize(
    ("present", "most", "sizes"),
    [
        (4096, 32768, [1024, 2048, 4096, 8192, 16384, 32768]),
        (None, 5000, [1024, 2048, 4096, 5000]),
        (1024, 1500, [1024, 1500]),
        (524288, None, [1 << power for power in range(10, 20)]),
    ],
)
def test_windows_are_offered_up_to_the_models_own(present: int | None, most: int | None, sizes: list[int]) -> None:
    assert sizes_for(present, most) == sizes
