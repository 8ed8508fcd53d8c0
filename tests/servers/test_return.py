"""llama.cpp's replies that survive a dropped connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_chat.errors import Cut, ReplyError, Unreachable
from tui_chat.events import Dropped, Event
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers import backend as backends
from tui_chat.servers.backend import HttpBackend, connect

from tests import server
from tests.loopback import Exchange, Loopback
from tests.servers.openai_recordings import recorded
from tests.servers.test_openai_wire import joined, sse

REQUEST = ChatRequest("tiny", (Message(Role.USER, parts_of("Hello")),))
EMOJI = recorded("llamacpp-chat-emoji.txt").body
THOUGHTS = sse(
    {"choices": [{"index": 0, "delta": {"content": "<thi"}}]},
    {"choices": [{"index": 0, "delta": {"content": "nk>hm 🦊</think>a < b"}}]},
    {"choices": [{"index": 0, "delta": {"content": " é\ud83e"}}]},
    {"choices": [{"index": 0, "delta": {"content": "\udd8a <"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}},
    "[DONE]",
)


class KeptReplies(Loopback):
    """A llama.cpp that keeps its replies: each connection ends at the next cut, and the next one goes on from there."""

    def __init__(self, body: bytes, *cuts: int, keeps: bool = True) -> None:
        """`cuts`: places in `body` at which the connection breaks, one after the other."""
        self.body, self.keeps = body, keeps
        self.cuts = [*cuts]
        self.asked: list[tuple[str, str]] = []
        """Methods and paths, without the name of the reply."""
        self.names: set[str] = set()
        self.hold: asyncio.Event | None = None
        """Whether a whole answer waits for this before its end."""
        super().__init__(self._handle)

    async def _handle(self, exchange: Exchange) -> None:
        request = exchange.request
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.names.add(query.get("conv_id") or request.headers["x-conversation-id"])
        begin = int(query.get("from", 0))
        self.asked.append(
            (request.method, f"{urlsplit(request.path).path}{f':{begin}' if 'from' in query else ''}")
        )
        if request.method == "DELETE":
            await exchange.answer(204 if self.keeps else 404, b"", "")
        elif request.method == "GET" and not self.keeps:
            await exchange.answer(404, b'{"error":{"code":404,"message":"File Not Found"}}', server.JSON)
        else:
            await self._stream(exchange, begin)

    async def _stream(self, exchange: Exchange, begin: int) -> None:
        end = self.cuts.pop(0) if self.cuts else None
        if end == -1:
            exchange.writer.close()
            return
        await exchange.start(200, server.SSE)
        if part := self.body[begin:end]:
            await exchange.send(part)
        if end is not None:
            exchange.writer.close()
            return
        if self.hold is not None:
            await self.hold.wait()
        await exchange.end()

    def backend(self) -> HttpBackend:
        made = connect(Server(self.url, kind=Kind.OPENAI, flavour=Flavour.LLAMACPP))
        assert isinstance(made, HttpBackend)
        return made


async def events_of(kept: KeptReplies) -> tuple[list[Event], ReplyError | None]:
    """All events but `Dropped`, with neighbouring texts joined, and the error at the end."""
    backend, events = kept.backend(), list[Event]()
    try:
        async with aclosing(backend.reply(REQUEST)) as reply:
            async for event in reply:
                if not isinstance(event, Dropped):
                    events.append(event)
    except ReplyError as error:
        return joined(events), error
    finally:
        await backend.aclose()
    return joined(events), None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "FIRST_PAUSE", 0.0)


@pytest.mark.usefixtures("impatient")
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([EMOJI, THOUGHTS]), st.data())
def test_cut_at_any_bytes_the_reply_is_the_same(body: bytes, data: st.DataObject) -> None:
    last = body.rindex(b'"finish_reason"')
    cuts = sorted(data.draw(st.lists(st.integers(0, last), min_size=1, max_size=4)))

    async def both() -> None:
        async with KeptReplies(body) as whole, KeptReplies(body, *cuts) as broken:
            assert await events_of(broken) == await events_of(whole)
            assert broken.asked[1:] == [("GET", f"/v1/stream:{cut}") for cut in cuts]
            assert len(broken.names) == 1

    asyncio.run(both())


async def test_a_reply_is_whole_without_the_usage_that_follows_it() -> None:
    end = THOUGHTS.index(b'{"choices": [], "usage"')
    async with KeptReplies(THOUGHTS, end) as kept:
        _, error = await events_of(kept)
        assert error is None
        assert kept.asked == [("POST", "/v1/chat/completions")]


async def test_an_older_server_has_no_more_and_what_was_held_back_is_told() -> None:
    end = THOUGHTS.rindex(b'{"choices": [{"index": 0, "delta": {}')  # behind "<", which may begin a tag
    async with KeptReplies(THOUGHTS, end, keeps=False) as kept:
        events, error = await events_of(kept)
        assert isinstance(error, Cut)
        assert str(events[-1].text).endswith("🦊 <")  # type: ignore[union-attr]
        assert kept.asked[1:] == [("GET", f"/v1/stream:{end}")]


async def test_a_server_that_ends_without_an_end_is_asked_once_more() -> None:
    end = THOUGHTS.rindex(b'{"choices": [{"index": 0, "delta": {}')
    async with KeptReplies(THOUGHTS[:end]) as kept:
        _, error = await events_of(kept)
        assert isinstance(error, Cut)
        assert [method for method, _ in kept.asked] == ["POST", "GET"]


async def test_a_request_without_an_answer_goes_on_if_the_server_has_it() -> None:
    async with KeptReplies(EMOJI) as whole, KeptReplies(EMOJI, -1) as kept:
        assert await events_of(kept) == await events_of(whole)
        assert kept.asked == [("POST", "/v1/chat/completions"), ("GET", "/v1/stream:0")]


@pytest.mark.usefixtures("impatient")
async def test_a_web_page_instead_of_the_rest_is_not_read_and_the_rest_is_asked_for_again() -> None:
    class BehindAPortal(KeptReplies):
        pages = 2

        async def _handle(self, exchange: Exchange) -> None:
            if exchange.request.method == "GET" and self.pages:
                self.pages -= 1
                await exchange.answer(200, b"<html>Please log in</html>", "text/html")
            else:
                await super()._handle(exchange)

    async with KeptReplies(EMOJI) as whole, BehindAPortal(EMOJI, len(EMOJI) // 2) as kept:
        assert await events_of(kept) == await events_of(whole)
        assert kept.pages == 0


async def test_a_server_that_is_not_there_is_asked_once() -> None:
    async with KeptReplies(EMOJI) as kept:
        url = kept.url
    backend = connect(Server(url, kind=Kind.OPENAI, flavour=Flavour.LLAMACPP))
    with pytest.raises(Unreachable):
        await anext(backend.reply(REQUEST))


@pytest.mark.parametrize("place", [0, len(EMOJI) // 2])
async def test_stopping_deletes_the_reply(place: int) -> None:
    async with KeptReplies(EMOJI[:place]) as kept:
        kept.hold = asyncio.Event()
        backend = kept.backend()
        reply = backend.reply(REQUEST)
        waiting = asyncio.ensure_future(_all(reply))
        while not kept.asked:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await reply.aclose()
        assert kept.asked[1:] == [("DELETE", "/v1/stream")]
        await backend.aclose()


async def _all(reply: AsyncGenerator[Event, None]) -> None:
    async for _ in reply:
        pass


async def test_a_whole_reply_is_not_deleted() -> None:
    async with KeptReplies(EMOJI) as kept:
        await events_of(kept)
        assert [method for method, _ in kept.asked] == ["POST"]
