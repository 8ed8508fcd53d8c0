"""One chat with the real Ollama and a real llama.cpp that wants a key, switched to and fro. The whole app, by its keys."""

from __future__ import annotations

from tui_chat.config import Config
from tui_chat.messages import State
from tui_chat.server import Secret, Server

from tests.real.test_llamacpp import pytestmark as pytestmark
from tests.real.test_llamacpp import running
from tests.ui.kit import AppDriver, driven

KEY = "sk-4711-for-llama"


async def choose(run: AppDriver, words: str, server: str) -> None:
    await run.pilot.press("ctrl+l")
    await run.until(lambda: any(words in row and server in row for row in run.rows()))
    await run.pilot.press(*f"{words} {server}")
    await run.pilot.pause()
    await run.pilot.press("enter")
    await run.until(lambda: run.header.server == server)


async def ask(run: AppDriver, prompt: str) -> None:
    before = len(run.transcript.entries)
    await run.say(prompt)
    await run.until(lambda: len(run.transcript.entries) == before + 2)
    await run.idle()
    assert run.transcript.entries[-1].message.state is State.COMPLETE, run.status


async def test_a_chat_goes_from_ollama_to_llamacpp_and_back() -> None:
    async with (
        running("start-ollama.sh") as ollama,
        running("start-llamacpp.sh", "--api-key", KEY, key=KEY) as llama,
    ):
        servers = (Server(ollama.url, name="here"), Server(llama.url, name="there", key=Secret(KEY)))
        async with driven(servers[0], config=Config(servers=servers, model="tiny-open"), size=(100, 30)) as run:
            await ask(run, "Hello")
            await choose(run, "tiny", "there")
            await ask(run, "And what are queues?")
            await choose(run, "tiny-open", "here")
            await ask(run, "Thank you")
            replies = run.app.workspace.conversation.branch[1::2]
            assert [(reply.server, bool(reply.text)) for reply in replies] == [
                ("here", True),
                ("there", True),
                ("here", True),
            ]
            assert not run.shows(KEY)
