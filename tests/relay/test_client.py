"""tui-chat as the relay's client, over a line that breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tui_chat.errors import Busy, Cut, NoSuchModel, ReplyError, ServerFault, TooLong, Unauthorized, Unreachable
from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Dropped,
    Event,
    Finished,
    PromptProgress,
    Thinking,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import ChatRequest, Message, Model, Role, State, Usage
from tui_chat.parts import parts_of
from tui_chat.relay.problems import problem_of
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import Kind, Secret, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.dialects.relay import event_in, object_from
from tui_chat.servers.probe import detect

from tests.chat.kit import reception
from tests.relay.kit import MODEL, USAGE, ScriptedBackend, Step, running, until

REQUEST = ChatRequest("tiny", (Message(Role.USER, parts_of("Hi")),))
WORDS = tuple(Delta(f"{number} ") for number in range(30))

texts = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"]), max_size=20)
counts = st.none() | st.integers(0, 10**9)
seconds = st.none() | st.floats(0, 1e6)
events = st.one_of(
    texts.map(Delta),
    texts.map(Thinking),
    st.just(Accepted()),
    st.just(WasThinking()),
    st.booleans().map(Continued),
    st.integers(1, 99).flatmap(lambda total: st.builds(PromptProgress, st.integers(0, total), st.just(total))),
    st.builds(ToolCall, texts, texts),
    st.builds(
        Finished,
        st.sampled_from(["stop", "length"]),
        st.none()
        | st.builds(Usage, counts, counts, seconds, seconds, seconds).filter(lambda usage: usage != Usage()),
    ),
)


class Line:
    """A TCP line to a relay that can be cut, and stay cut."""

    def __init__(self, port: int) -> None:
        self.down = False
        self.calls = 0
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Line]:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        async with self._server:
            yield self
            self.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        if self.down:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        await asyncio.gather(_pump(reader, back), _pump(there, writer))
        self._writers -= {writer, back}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort() if reader.exception() else writer.close()


@examples(max_examples=100, deadline=None)
@given(events)
def test_events_arrive_as_they_were_sent(event: Event) -> None:
    assert event_in(object_from(event)) == event


@pytest.mark.parametrize(
    "error",
    [
        Cut("x"),
        ServerFault("x", "y"),
        NoSuchModel("x", "y", status=404),
        TooLong("x", "y", status=400),
        Busy("x", "y", status=503, retry_after=3.0),
    ],
)
def test_errors_arrive_as_what_they_were(error: ReplyError) -> None:
    with pytest.raises(type(error)) as caught:
        event_in(problem_of(error).body)
    if isinstance(error, NoSuchModel | TooLong):
        assert str(caught.value) == str(error)
    if not isinstance(error, Cut):
        assert caught.value.hint == error.hint
    if isinstance(caught.value, Busy):
        assert caught.value.retry_after == 3.0


def test_what_the_relay_says_is_sanitised() -> None:
    assert event_in({"delta": "a\x1b[2J"}) == Delta("a␛[2J")
    with pytest.raises(ServerFault, match="␛"):
        event_in({"error": {"message": "\x1b]0;x\x07"}})


def test_words_of_later_versions_are_skipped() -> None:
    assert event_in({"mood": "good"}) is None


async def test_a_reply_arrives_whole_with_all_that_the_server_told(tokens: Path) -> None:
    script: tuple[Event, ...] = (
        Continued(True),
        Accepted(),
        PromptProgress(1, 2),
        Thinking("Hm"),
        *WORDS,
        Finished("length", USAGE),
    )
    async with running(ScriptedBackend(script), tokens) as relay:
        backend = HttpBackend(Server(relay.url, kind=Kind.RELAY))
        got = [event async for event in backend.reply(replace(REQUEST, prefill="Hel"))]
        assert relay.backend.requests[0].prefill == "Hel"
        assert relay.backend.open == 0
    assert got == list(script)


@pytest.mark.parametrize("blank", ["", " ", "\u3000", "\u200b"])
def test_a_blank_error_is_told_by_its_kind(blank: str) -> None:
    with pytest.raises(Busy, match="busy"):
        event_in({"error": {"type": "busy", "message": blank}})


async def test_what_the_server_behind_sends_back_of_the_prefill_is_trimmed(tokens: Path) -> None:
    script = (Continued(True), Accepted(), Delta("Hello, "), Delta("you"), Finished())
    begun = Message(Role.ASSISTANT, parts_of("Hello, "), state=State.STREAMING)
    async with (
        running(ScriptedBackend(script), tokens) as relay,
        reception(HttpBackend(Server(relay.url, kind=Kind.RELAY)), begun) as received,
    ):
        assert [event.text for event in await received.run() if isinstance(event, Delta)] == ["you"]
        assert received.message.text == "Hello, you"


async def test_models_are_the_servers_own(tokens: Path) -> None:
    async with running(ScriptedBackend(), tokens) as relay:
        backend = HttpBackend(Server(relay.url, name="box", kind=Kind.RELAY))
        assert await backend.models() == [replace(MODEL, server="box")]
        assert await backend.describe(MODEL.name) == replace(MODEL, server="box")
        assert await backend.loaded() == []
        with pytest.raises(NoSuchModel):
            await backend.describe("../health")
        assert (await detect(Server(relay.url))).kind is Kind.RELAY
    assert await backend.loaded() == ()


async def test_models_in_memory_are_told_with_the_window_that_they_have_there(tokens: Path) -> None:
    here = Model(MODEL.name, window=512, loaded=True)
    async with running(ScriptedBackend(in_memory=(here,)), tokens) as relay:
        backend = HttpBackend(Server(relay.url, name="box", kind=Kind.RELAY))
        assert await backend.loaded() == [replace(MODEL, server="box", window=512, loaded=True)]
        await relay.client.post("/api/chat", json={"message": "Hi"})
    assert relay.backend.requests[0].model == MODEL.name


async def test_a_dropped_line_heals_and_nothing_is_lost_or_said_twice(tokens: Path) -> None:
    held = [asyncio.Event() for _ in range(3)]
    script: tuple[Step, ...] = (
        Accepted(),
        *WORDS[:10],
        held[0].wait,
        *WORDS[10:20],
        held[1].wait,
        *WORDS[20:],
        held[2].wait,
        Finished(),
    )
    async with running(ScriptedBackend(script), tokens) as relay, Line(relay.port).laid() as line:
        got: list[Event] = []
        async with aclosing(HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST)) as reply:
            async for event in reply:
                got.append(event)
                if event in (WORDS[9], WORDS[19], WORDS[29]):
                    line.cut()
                    held[len(got) // 10 - 1].set()
        assert line.calls == 4
        assert len(relay.backend.requests) == 1
    assert got.count(Dropped()) == 3
    assert [event for event in got if event != Dropped()] == [Accepted(), *WORDS, Finished()]


async def test_a_line_that_is_gone_for_a_while_is_tried_again(tokens: Path) -> None:
    script: tuple[Event, ...] = (Accepted(), *WORDS, Finished())
    hold = asyncio.Event()
    steps: tuple[Step, ...] = (*script[:5], hold.wait, *script[5:])
    backend = ScriptedBackend(steps)
    async with running(backend, tokens) as relay, Line(relay.port).laid() as line:
        got = []
        async for event in HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST):
            got.append(event)
            if event == script[4]:
                line.down = True
                line.cut()
                hold.set()
                asyncio.get_running_loop().create_task(_up_again(line, after=line.calls + 2))
    assert [event for event in got if event != Dropped()] == list(script)


async def _up_again(line: Line, after: int) -> None:
    await until(lambda: line.calls >= after)
    line.down = False


async def _all(reply: AsyncGenerator[Event, None]) -> None:
    async for _ in reply:
        pass


async def test_a_line_that_falls_silent_counts_as_dropped(tokens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.servers.dialects.relay.ReplyDecoder.patience", 0.05)
    backend = ScriptedBackend((Accepted(), Delta("a"), asyncio.Event().wait))
    async with running(backend, tokens) as relay, Line(relay.port).laid() as line:
        reply = HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST)
        assert [await anext(reply), await anext(reply)] == [Accepted(), Delta("a")]
        assert await anext(reply) == Dropped()
        waiting = asyncio.ensure_future(_all(reply))
        await until(lambda: line.calls >= 3)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: backend.open == 0)


async def test_a_line_that_stays_away_is_an_interruption(tokens: Path) -> None:
    backend = ScriptedBackend((Accepted(), Delta("a"), asyncio.Event().wait))
    async with running(backend, tokens, Settings(grace=0.5)) as relay, Line(relay.port).laid() as line:
        reply = HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST)
        assert [await anext(reply), await anext(reply)] == [Accepted(), Delta("a")]
        line.down = True
        line.cut()
        with pytest.raises((Cut, Unreachable)):
            await _all(reply)
        await until(lambda: backend.open == 0)


async def test_a_relay_that_was_started_anew_is_an_interruption(tokens: Path) -> None:
    script = (Accepted(), Delta("a"), asyncio.Event().wait)
    async with running(ScriptedBackend(script), tokens) as first:
        line = Line(first.port)
        async with line.laid():
            reply = HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST)
            assert [await anext(reply), await anext(reply)] == [Accepted(), Delta("a")]
            async with running(ScriptedBackend(script), tokens) as second:
                line._target = second.port
                line.cut()
                with pytest.raises(Cut):
                    await _all(reply)
                assert second.backend.requests == []


async def test_an_error_of_the_server_is_not_mistaken_for_a_dropped_line(tokens: Path) -> None:
    for error in (Cut("It broke."), ServerFault("It failed.")):
        backend = ScriptedBackend((Accepted(), Delta("a"), error))
        async with running(backend, tokens) as relay, Line(relay.port).laid() as line:
            with pytest.raises(type(error)):
                _ = [event async for event in HttpBackend(Server(line.url, kind=Kind.RELAY)).reply(REQUEST)]
            assert line.calls == 1


@pytest.mark.parametrize("way", ["close", "cancel"])
async def test_stopping_stops_the_server_behind_the_relay(tokens: Path, way: str) -> None:
    backend = ScriptedBackend((Accepted(), asyncio.Event().wait))
    async with running(backend, tokens) as relay:
        reply = HttpBackend(Server(relay.url, kind=Kind.RELAY)).reply(REQUEST)
        await anext(reply)
        if way == "cancel":
            waiting = asyncio.ensure_future(anext(reply))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await reply.aclose()
        assert backend.open == 0
        assert not relay.relay.streams._recordings


async def test_a_refusal_is_told_as_what_it_is(tokens: Path) -> None:
    token = TokenFile(tokens).add("anna")
    backend = ScriptedBackend((NoSuchModel("No such model.", "Get it.", status=404),))
    async with running(backend, tokens) as relay:
        with pytest.raises(Unauthorized):
            await anext(HttpBackend(Server(relay.url, kind=Kind.RELAY)).reply(REQUEST))
        with pytest.raises(NoSuchModel) as caught:
            await anext(HttpBackend(Server(relay.url, key=Secret(token), kind=Kind.RELAY)).reply(REQUEST))
    assert caught.value.hint == "Get it."
