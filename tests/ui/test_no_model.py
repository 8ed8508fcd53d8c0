"""Where nobody can answer: what was written stays, and the screen says what is missing."""

from __future__ import annotations

from tests.server import ScriptedServer, answer, reply
from tests.ui.kit import driven

EMBEDDING = {"name": "embed:latest", "model": "embed:latest", "capabilities": ["embedding"]}
CHATTING = {"name": "tiny:latest", "model": "tiny:latest", "capabilities": ["completion"]}


async def test_without_a_model_nothing_is_sent_and_the_text_stays() -> None:
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": []}), path="/api/tags")
        async with driven(server, ready=False, size=(100, 24)) as run:
            await run.until(lambda: run.shows("has no models"))
            await run.say("anybody there?")
            await run.until(lambda: run.notices == ["Not sent: box has no models. Your text is kept."])
            assert run.chat.composer.text == "anybody there?"
            assert not run.transcript.entries
            server._scripts.pop("/api/tags")
            await run.until(lambda: bool(run.header.model))
            server.script(*reply("Yes."))
            await run.pilot.press("enter")
            await run.until(lambda: run.shows("Yes."))


async def test_without_a_server_nothing_is_sent_and_the_text_stays() -> None:
    from tui_chat.server import Server

    async with driven(Server("http://127.0.0.1:9"), ready=False, size=(100, 24)) as run:
        await run.until(lambda: run.status.error)
        await run.say("anybody there?")
        await run.until(lambda: any("Not sent: " in notice for notice in run.notices))
        assert run.chat.composer.text == "anybody there?"


async def test_a_model_that_only_makes_embeddings_is_neither_offered_nor_chosen() -> None:
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": [EMBEDDING]}), path="/api/tags")
        async with driven(server, ready=False, size=(100, 24)) as run:
            await run.until(lambda: run.shows("box has no model to chat with"))
            assert not run.header.model
            server._scripts.pop("/api/tags")
            server.script(answer(200, {"models": [EMBEDDING, CHATTING]}), path="/api/tags")
            await run.until(lambda: run.header.model == "tiny:latest")
            await run.pilot.press("ctrl+l")
            await run.until(lambda: len(run.app.screen_stack) == 2 and run.shows("tiny:latest"))
            await run.pilot.pause()
            assert not run.shows("embed")


async def test_a_draft_is_listed_by_its_words() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        run.chat.composer.text = "# my precious draft\n\nand more of it"
        await run.until(lambda: bool(run.app.workspace.conversation.chat.draft))
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("my precious draft") and run.shows("draft"))
        assert not run.shows("0 msg")
