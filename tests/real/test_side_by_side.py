"""Several chats at once on real servers: each whole, one stopped, one queue that goes on; all of it on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_chat.chat.workspace import Workspace
from tui_chat.config import Config
from tui_chat.messages import Role, State
from tui_chat.server import Server
from tui_chat.servers.backend import connect
from tui_chat.servers.connection import Connection
from tui_chat.store.store import Store

from tests.real.test_llamacpp import SLOW, running
from tests.real.test_llamacpp import pytestmark as pytestmark

PATIENCE = 100


@pytest.mark.parametrize(
    ("script", "flags", "model", "endless"),
    [
        ("start-ollama.sh", (), "tiny", "tiny-endless"),
        ("start-llamacpp.sh", ("-np", "3"), "", ""),
        ("start-llamacpp-new.sh", ("-np", "3", *SLOW), "", ""),
    ],
    ids=["ollama", "llamacpp-2025", "llamacpp-2026"],
)
async def test_three_chats_are_answered_at_once(
    tmp_path: Path, script: str, flags: tuple[str, ...], model: str, endless: str
) -> None:
    async with running(script, *flags) as server:
        store = await Store.open(tmp_path / "chats.db")
        connection = Connection(connect, Server(server.url), wanted=model)
        workspace = Workspace(Config(options={"num_predict": 40, "seed": 1}), store, connection)
        await connection.look()
        chats = []
        for name in ("one", "two", "three"):
            workspace.new_chat()
            chats.append(workspace.current)
            if name == "three" and endless:
                await workspace.use_model(endless)
            workspace.current.send(f"What are queues? ({name})")
        chats[1].enqueue("And what are stacks?")
        assert len(workspace.replying) == 3
        stopped = chats[2].generation
        assert stopped is not None
        async for _ in stopped.changes():
            if stopped.message is not None and stopped.message.text:
                break
        await stopped.stop()
        chats[1].enqueue("Waits")
        await workspace.rest(PATIENCE)
        for chat in chats:
            conversation = chat.conversation
            thread = await store.load(conversation.chat.id)
            assert thread.branch() == conversation.branch
            replies = [message for message in thread.branch() if message.role is Role.ASSISTANT]
            assert all(reply.text and reply.model for reply in replies)
            end = State.STOPPED if chat is chats[2] else State.COMPLETE
            assert {reply.state for reply in replies} <= {end}
            whole = all(reply.finish == "stop" for reply in replies)
            prompts = [message.text for message in thread.branch() if message.role is Role.USER]
            if chat is chats[1]:
                assert [*prompts[1:], *thread.chat.queue] == ["And what are stacks?", "Waits"]
                assert not (whole and thread.chat.queue)
        await workspace.aclose()
