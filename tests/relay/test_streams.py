"""How long a stream lives: disconnects, slow readers, limits, resuming, and the end of the relay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from tui_chat.errors import ServerFault
from tui_chat.events import Accepted, Delta, Finished
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.servers.sse import ServerEvent

from tests.relay.kit import HELLO_BODY, Running, ScriptedBackend, Step, events_of, objects_of, running, until

RESUME = {"x-resume": "1"}


def endless() -> tuple[Step, ...]:
    """Says one word, then nothing for ever."""
    return (Accepted(), Delta("x"), asyncio.Event().wait)


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
@pytest.mark.parametrize("words", [0, 2], ids=["silent", "speaking"])
async def test_the_server_is_let_go_as_soon_as_the_client_leaves(tokens: Path, path: str, words: int) -> None:
    backend = ScriptedBackend([*endless()[:words], asyncio.Event().wait])
    async with running(backend, tokens) as relay:
        body = {"messages": [{"role": "user", "content": "x"}], "model": "m"}
        request = asyncio.create_task(relay.client.post(path, json=body))
        await until(lambda: backend.open == 1)
        request.cancel()
        await until(lambda: backend.open == 0 and not relay.relay.streams.places)


async def test_a_slow_client_slows_the_server_down(tokens: Path) -> None:
    piece = "x" * 1000
    count = 50_000
    backend = ScriptedBackend((Accepted(), *[Delta(piece)] * count, Finished()))
    async with running(backend, tokens) as relay, relay.chat(HELLO_BODY) as response:
        seen = -1
        while backend.yielded != seen:
            seen = backend.yielded
            await asyncio.sleep(0.05)
        assert seen < count / 2
        told = await objects_of(response)
    assert sum("delta" in item for item in told) == count


async def test_a_token_has_so_many_replies_and_all_together_so_many(tokens: Path) -> None:
    backend = ScriptedBackend(endless())
    async with running(backend, tokens, Settings(streams=3, streams_per_token=2)) as relay:
        keys = [relay_token(relay, name) for name in ("anna", "bob")]
        async with AsyncExitStack() as stack:
            for key in (keys[0], keys[0], keys[1]):
                await stack.enter_async_context(relay.chat(HELLO_BODY, headers=key))
            refused = [await relay.client.post("/api/chat", json=HELLO_BODY, headers=key) for key in keys]
            assert [answer.status_code for answer in refused] == [429, 429]
            assert ["You have 2" in answer.text for answer in refused] == [True, False]
            assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        await until(lambda: not relay.relay.streams.places)
        async with relay.chat(HELLO_BODY, headers=keys[0]) as response:
            assert response.status_code == 200


async def test_a_request_that_makes_no_sense_takes_no_place(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        for path in ("/api/chat", "/v1/chat/completions"):
            assert (await relay.client.post(path, content=b"[]")).status_code == 400
        assert not relay.relay.streams.places
        assert len(relay.relay.streams._recordings) == 0


async def test_a_dropped_stream_is_picked_up_without_a_gap_or_a_repeat(tokens: Path) -> None:
    drop, go = asyncio.Event(), asyncio.Event()
    words = [Delta(str(number)) for number in range(20)]
    backend = ScriptedBackend((Accepted(), *words[:10], drop.wait, *words[10:], go.wait, Finished()))
    async with running(backend, tokens) as relay:
        async with relay.chat(HELLO_BODY, headers=RESUME) as response:
            key = response.headers["x-stream-id"]
            assert response.headers["x-resume-grace"] == "60"
            first = await take(events_of(response), 6)
        drop.set()
        await until(lambda: backend.yielded == 21)
        go.set()
        rest = [event async for event in resumed(relay, key, first[-1].id)]
    events = [*first, *rest]
    assert [int(event.id) for event in events] == list(range(1, 23))
    said = "".join(json.loads(event.data).get("delta", "") for event in events)
    assert said == "".join(word.text for word in words)
    assert len(backend.requests) == 1


async def test_a_stream_can_be_had_again_from_the_start_and_after_its_end(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        async with relay.chat(HELLO_BODY, headers=RESUME) as response:
            key = response.headers["x-stream-id"]
            events = [event async for event in events_of(response)]
        assert [event async for event in resumed(relay, key)] == events
        assert [event async for event in resumed(relay, key, "4")] == []
        assert [event async for event in resumed(relay, key, "3")] == events[3:]


async def test_openai_streams_resume_as_well(tokens: Path) -> None:
    body = {"messages": [{"role": "user", "content": "x"}], "stream": True}
    async with running(ScriptedBackend(), tokens) as relay:
        async with relay.chat(body, "/v1/chat/completions", RESUME) as response:
            events = [event async for event in events_of(response)]
        assert [event async for event in resumed(relay, response.headers["x-stream-id"], "2")] == events[2:]


async def test_whoever_comes_back_takes_over_from_a_connection_that_seems_alive(tokens: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((Accepted(), Delta("a"), go.wait, Delta("b"), Finished()))
    async with running(backend, tokens) as relay, relay.chat(HELLO_BODY, headers=RESUME) as old:
        before = events_of(old)
        first = await take(before, 2)
        path = f"/api/streams/{old.headers['x-stream-id']}"
        async with relay.client.stream("GET", path, headers={"last-event-id": "2"}) as new:
            assert [event async for event in before] == []
            go.set()
            rest = [event async for event in events_of(new)]
    assert [event.id for event in (*first, *rest)] == ["1", "2", "3", "4"]


async def test_whoever_came_back_before_the_server_answered_hears_its_refusal_in_the_stream(tokens: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((go.wait, ServerFault("No.")))
    async with (
        running(backend, tokens, Settings(verdict=0.02)) as relay,
        relay.chat(HELLO_BODY, headers=RESUME) as response,
    ):
        path = f"/api/streams/{response.headers['x-stream-id']}"
        async with relay.client.stream("GET", path) as displaced, relay.client.stream("GET", path) as last:
            assert await objects_of(response) == await objects_of(displaced) == []
            go.set()
            (told,) = await objects_of(last)
    assert "error" in told


async def test_a_stream_is_found_only_with_the_token_that_began_it(tokens: Path) -> None:
    async with running(ScriptedBackend(endless()), tokens) as relay:
        anna, bob = relay_token(relay, "anna"), relay_token(relay, "bob")
        async with relay.chat(HELLO_BODY, headers=RESUME | anna) as response:
            path = f"/api/streams/{response.headers['x-stream-id']}"
            for method in ("GET", "DELETE"):
                assert (await relay.client.request(method, path, headers=bob)).status_code == 404
                assert (await relay.client.request(method, path)).status_code == 401
            assert relay.backend.open == 1


async def test_delete_stops_the_server_before_it_answers(tokens: Path) -> None:
    backend = ScriptedBackend(endless())
    async with running(backend, tokens) as relay:
        async with relay.chat(HELLO_BODY, headers=RESUME) as response:
            path = f"/api/streams/{response.headers['x-stream-id']}"
        assert backend.open == 1
        assert (await relay.client.delete(path)).status_code == 204
        assert backend.open == 0
        assert (await relay.client.delete(path)).status_code == 404
        assert not relay.relay.streams.places


async def test_after_the_grace_a_stream_is_stopped_and_forgotten(tokens: Path) -> None:
    backend = ScriptedBackend(endless())
    async with running(backend, tokens, Settings(grace=0.02)) as relay:
        async with relay.chat(HELLO_BODY, headers=RESUME) as response:
            path = f"/api/streams/{response.headers['x-stream-id']}"
        await until(lambda: backend.open == 0)
        assert (await relay.client.get(path)).status_code == 404
        assert not relay.relay.streams._recordings


async def test_what_is_no_longer_held_is_gone_rather_than_skipped(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), *[Delta("x" * 100)] * 100, Finished()))
    async with running(backend, tokens, Settings(resume_bytes=1000)) as relay:
        async with relay.chat(HELLO_BODY, headers=RESUME) as response:
            key = response.headers["x-stream-id"]
            assert len(await objects_of(response)) == 102
        for after, status in (("5", 410), ("999", 410), ("x", 400), ("-1", 400), ("²", 400), ("101", 200)):
            raw = [(b"last-event-id", after.encode())]
            assert (await relay.client.get(f"/api/streams/{key}", headers=raw)).status_code == status, after


async def test_a_refusal_leaves_nothing_to_come_back_to(tokens: Path) -> None:
    async with running(ScriptedBackend((ServerFault("No."),)), tokens) as relay:
        answer = await relay.client.post("/api/chat", json=HELLO_BODY, headers=RESUME)
        assert answer.status_code == 502
        assert not relay.relay.streams._recordings


async def test_only_so_many_finished_streams_are_held(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens, Settings(streams=2)) as relay:
        keys = []
        for _ in range(5):
            async with relay.chat(HELLO_BODY, headers=RESUME) as response:
                await objects_of(response)
            keys.append(response.headers["x-stream-id"])
        found = [(await relay.client.get(f"/api/streams/{key}")).status_code for key in keys]
    assert found == [404, 404, 404, 200, 200]


async def test_nobody_pushes_out_the_streams_of_others(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens, Settings(streams=4, streams_per_token=2)) as relay:
        anna, bob = relay_token(relay, "anna"), relay_token(relay, "bob")

        async def hold(key: dict[str, str]) -> str:
            async with relay.chat(HELLO_BODY, headers=RESUME | key) as response:
                await objects_of(response)
            return f"/api/streams/{response.headers['x-stream-id']}"

        hers = [await hold(anna) for _ in range(2)]
        his = [await hold(bob) for _ in range(10)]
        found = [(await relay.client.get(path, headers=anna)).status_code for path in hers]
        assert found == [200, 200]
        found = [(await relay.client.get(path, headers=bob)).status_code for path in his]
        assert found == [404] * 8 + [200] * 2


@pytest.mark.parametrize("again", [False, True], ids=["removed", "replaced"])
async def test_the_replies_of_a_token_end_with_it(tokens: Path, again: bool) -> None:
    backend = ScriptedBackend(endless())
    async with running(backend, tokens, Settings(revocation=0.02)) as relay, AsyncExitStack() as stack:
        anna, bob = relay_token(relay, "anna"), relay_token(relay, "bob")
        hers = [
            events_of(await stack.enter_async_context(relay.chat(HELLO_BODY, headers=anna | more)))
            for more in ({}, RESUME)
        ]
        his = events_of(await stack.enter_async_context(relay.chat(HELLO_BODY, headers=bob)))
        for events in (*hers, his):
            await take(events, 2)
        TokenFile(tokens).remove("anna")
        if again:
            TokenFile(tokens).add("anna")
        async with asyncio.timeout(3):
            for events in hers:
                (last,) = [json.loads(event.data) async for event in events]
                assert last["error"]["type"] == "unauthorized"
        await until(lambda: backend.open == 1)
        assert len(relay.relay.streams._recordings) == 1
        TokenFile(tokens).remove("bob")
        (last,) = [json.loads(event.data) async for event in his]
        assert last["error"]["type"] == "unauthorized"


async def test_without_a_token_replies_go_on_when_the_first_one_is_made(tokens: Path) -> None:
    go = asyncio.Event()
    backend = ScriptedBackend((Accepted(), go.wait, Finished()))
    async with (
        running(backend, tokens, Settings(revocation=0.005, silence=0.02)) as relay,
        relay.chat(HELLO_BODY) as response,
    ):
        relay_token(relay, "anna")
        chunks = response.aiter_bytes()
        _ = [await anext(chunks) for _ in range(4)]
        go.set()
        assert b'"done"' in b"".join([chunk async for chunk in chunks])


async def test_a_relay_that_stops_says_so_in_its_streams(tokens: Path) -> None:
    backend = ScriptedBackend(endless())
    async with running(backend, tokens) as relay, relay.chat(HELLO_BODY) as response:
        events = events_of(response)
        await take(events, 2)
        relay.server.should_exit = True
        (last,) = [json.loads(event.data) async for event in events]
        assert "stopped" in last["error"]["message"]
        await until(lambda: backend.open == 0)


async def test_two_hundred_streams_at_once_are_held_in_bounded_memory(tokens: Path) -> None:
    count, pieces = 200, 100
    go = asyncio.Event()
    backend = ScriptedBackend((Accepted(), *[Delta("x" * 1000)] * pieces, go.wait, Finished()))
    settings = Settings(streams=count, streams_per_token=count, resume_bytes=10_000)
    async with running(backend, tokens, settings) as relay:
        limits = httpx.Limits(max_connections=None)
        url = f"http://127.0.0.1:{relay.port}"
        async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:
            answers = [
                await stack.enter_async_context(
                    client.stream("POST", "/api/chat", json=HELLO_BODY, headers=RESUME)
                )
                for _ in range(count)
            ]
            assert len(relay.relay.streams._recordings) == count
            refused = await client.post("/api/chat", json=HELLO_BODY)
            assert refused.status_code == 429
            go.set()
            # a buffer: `resume_bytes` unread and one piece, as much again of what was read
            assert held(relay) <= count * (2 * settings.resume_bytes + 1100)
            told = await asyncio.gather(*map(objects_of, answers))
            assert held(relay) <= count * (2 * settings.resume_bytes + 1100)
    assert {len(items) for items in told} == {pieces + 2}


def held(relay: Running) -> int:
    """How many bytes of replies are in memory."""
    streams = relay.relay.streams
    return sum(stream.buffer.held for stream in streams._recordings)


def relay_token(relay: Running, name: str) -> dict[str, str]:
    """The header of a new token."""
    return {"authorization": f"Bearer {TokenFile(relay.tokens).add(name)}"}


async def take(events: AsyncGenerator[ServerEvent, None], count: int) -> list[ServerEvent]:
    return [await anext(events) for _ in range(count)]


async def resumed(relay: Running, key: str, after: str | None = None) -> AsyncGenerator[ServerEvent, None]:
    headers = {} if after is None else {"last-event-id": after}
    async with relay.client.stream("GET", f"/api/streams/{key}", headers=headers) as response:
        assert response.status_code == 200
        async for event in events_of(response):
            yield event
