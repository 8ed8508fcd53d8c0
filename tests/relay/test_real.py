"""The relay with real clients and a real nginx before it. Each is skipped where it is not installed."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tui_chat.errors import NoSuchModel
from tui_chat.events import Accepted, Delta, Event, Finished, Thinking
from tui_chat.messages import ChatRequest, Message, Role, Usage
from tui_chat.parts import parts_of
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import HttpBackend

from tests.relay.kit import HELLO_BODY, ScriptedBackend, events_of, running, until

pytestmark = pytest.mark.real

SCRIPT = (Accepted(), Thinking("Hm"), Delta("Hel"), Delta("lo"), Finished("stop", Usage(7, 2)))
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NGINX_CONFIG = """
daemon off;
pid {folder}/pid;
error_log stderr warn;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 16m;
    location / {{
      proxy_pass http://127.0.0.1:{target};
    }}
  }}
}}
"""


async def test_the_openai_package_chats_through_the_relay(tokens: Path) -> None:
    openai = pytest.importorskip("openai")
    token = TokenFile(tokens).add("anna")
    messages = [{"role": "user", "content": "Hi"}]
    async with running(ScriptedBackend(SCRIPT), tokens) as relay:
        client = openai.AsyncOpenAI(base_url=f"{relay.url}/v1", api_key=token, max_retries=0)
        assert [model.id async for model in client.models.list()] == ["tiny:latest"]
        whole = await client.chat.completions.create(model="tiny", messages=messages)
        assert (whole.choices[0].message.content, whole.usage.total_tokens) == ("Hello", 9)
        stream = await client.chat.completions.create(
            model="tiny", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "Hello"
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].usage.completion_tokens == 2
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="x").models.list()
        relay.backend.script = (NoSuchModel("No such model.", status=404),)
        with pytest.raises(openai.NotFoundError, match="No such model"):
            await client.chat.completions.create(model="tiny", messages=messages, stream=True)
        relay.backend.script = (Accepted(), Delta("x"), NoSuchModel("Gone.", status=404))
        with pytest.raises(openai.APIError, match="Gone"):
            async for _ in await client.chat.completions.create(model="tiny", messages=messages, stream=True):
                pass


async def test_the_ollama_package_chats_through_the_relay(tokens: Path) -> None:
    ollama = pytest.importorskip("ollama")
    token = TokenFile(tokens).add("anna")
    messages = [{"role": "user", "content": "Hi"}]
    async with running(ScriptedBackend(SCRIPT), tokens, Settings(silence=0.01)) as relay:
        client = ollama.AsyncClient(host=relay.url, headers={"Authorization": f"Bearer {token}"})
        whole = await client.chat(model="tiny", messages=messages)
        assert (whole.message.content, whole.message.thinking, whole.eval_count) == ("Hello", "Hm", 2)
        go = asyncio.Event()
        relay.backend.script = (Accepted(), Delta("Hel"), go.wait, Delta("lo"), Finished())
        parts = []
        async for part in await client.chat(model="tiny", messages=messages, stream=True):
            parts.append(part)
            if len(parts) == 5:  # heartbeats do not disturb it
                go.set()
        assert "".join(part.message.content for part in parts) == "Hello"
        assert parts[-1].done_reason == "stop"
        relay.backend.script = (Accepted(), Delta("x"), NoSuchModel("Gone.", status=404))
        with pytest.raises(ollama.ResponseError, match="Gone"):
            async for _ in await client.chat(model="tiny", messages=messages, stream=True):
                pass


@asynccontextmanager
async def nginx(folder: Path, target: int) -> AsyncIterator[str]:
    """An nginx with its usual buffering before a port; gives its URL."""
    if not Path(NGINX).exists():
        pytest.skip("nginx is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port, target=target))
    process = await asyncio.create_subprocess_exec(NGINX, "-c", str(config), "-p", str(folder))
    try:
        async with asyncio.timeout(10):
            while not await _listens(port):
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_through_nginx_pieces_arrive_as_they_are_made(tokens: Path, tmp_path: Path, path: str) -> None:
    gates = [asyncio.Event() for _ in range(5)]
    script = [Accepted(), *(step for gate in gates for step in (gate.wait, Delta("x"))), Finished()]
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    async with (
        running(ScriptedBackend(script), tokens) as relay,
        nginx(tmp_path, relay.port) as url,
        httpx.AsyncClient() as client,
        client.stream("POST", url + path, json=body) as response,
        aclosing(events_of(response)) as events,
        asyncio.timeout(10),
    ):
        await anext(events)
        for gate in gates:
            gate.set()
            await anext(events)  # none follows before the next gate opens


async def test_through_nginx_a_disconnect_reaches_the_server(tokens: Path, tmp_path: Path) -> None:
    backend = ScriptedBackend((Accepted(), Delta("x"), asyncio.Event().wait))
    async with running(backend, tokens) as relay, nginx(tmp_path, relay.port) as url:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", f"{url}/api/chat", json=HELLO_BODY) as response,
        ):
            await anext(events_of(response))
            assert backend.open == 1
        await until(lambda: backend.open == 0)


async def test_through_nginx_a_restart_of_nginx_heals(tokens: Path, tmp_path: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((Accepted(), Delta("Hel"), go.wait, Delta("lo"), Finished()))
    got: list[Event] = []
    async with running(backend, tokens) as relay:
        async with nginx(tmp_path, relay.port) as url:
            reply = HttpBackend(Server(url, kind=Kind.RELAY)).reply(
                ChatRequest("tiny", (Message(Role.USER, parts_of("x")),))
            )
            got += [await anext(reply), await anext(reply)]
        go.set()
        config = tmp_path / "nginx.conf"
        process = await asyncio.create_subprocess_exec(NGINX, "-c", str(config), "-p", str(tmp_path))
        try:
            got += [event async for event in reply]
        finally:
            process.terminate()
            await process.wait()
    assert got == [Accepted(), Delta("Hel"), Delta("lo"), Finished()]
