"""One reply in flight: what is kept of it, how it ends, and when it is tried again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from tui_chat.backends.openai import OpenAIBackend
from tui_chat.chat.progress import Phase
from tui_chat.chat.turn import Turn
from tui_chat.errors import Busy, Cut, Garbled, NoSuchModel, ReplyError, ServerFault, Unreachable
from tui_chat.events import Accepted, Continued, Delta, Event, Finished, Thinking, WasThinking
from tui_chat.messages import ChatRequest, Message, State, Usage
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Server

from tests.backends.imitations import Imitation, answer, replay
from tests.chat.kit import Clock, ScriptedBackend, Step, empty_reply

REQUEST = ChatRequest("tiny", ())
GOOD: list[Step] = [Accepted(), Delta("All "), Delta("well."), Finished("stop", Usage(3, 2))]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock by which pauses take no time."""
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


async def run(turn: Turn) -> list[Event]:
    async with aclosing(turn.events()) as events:
        return [event async for event in events]


async def test_what_arrives_is_kept_apart_as_answer_and_thinking() -> None:
    usage = Usage(10, 4)
    turn = Turn(
        ScriptedBackend(
            [[Accepted(), Thinking("hm"), Thinking("m"), Delta("An "), Delta("answer"), Finished("stop", usage)]]
        ),
        REQUEST,
        empty_reply(),
        clock := Clock(),
    )
    async for event in turn.events():
        clock.now += 1.5 if isinstance(event, Thinking) else 0.25
    message = turn.message
    assert (message.thinking, message.text) == ("hmm", "An answer")
    assert (message.state, message.finish, message.error) == (State.COMPLETE, "stop", "")
    assert message.usage == replace(usage, thinking_seconds=3.0)
    assert turn.progress.phase is Phase.ENDED


async def test_a_reply_that_goes_on_keeps_how_long_it_had_thought() -> None:
    cut = empty_reply(parts=parts_of("An ", "hmm"), usage=Usage(thinking_seconds=3.0))
    backend = ScriptedBackend(
        [[Accepted(), Thinking("where was I"), Delta("answer"), Finished("stop", Usage(10, 4))]]
    )
    turn = Turn(backend, REQUEST, cut, Clock())
    await run(turn)
    assert turn.message.usage == Usage(10, 4, thinking_seconds=3.0)


async def test_what_was_taken_for_the_answer_becomes_thinking_when_the_server_says_so() -> None:
    turn = Turn(
        ScriptedBackend([[Delta("let me see"), WasThinking(), Delta("Yes."), Finished()]]), REQUEST, empty_reply()
    )
    await run(turn)
    assert (turn.message.thinking, turn.message.text) == ("let me see", "Yes.")


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ([], State.INTERRUPTED),
        ([Cut("gone")], State.INTERRUPTED),
        ([Garbled("nonsense")], State.INTERRUPTED),
        ([ServerFault("exploded")], State.FAILED),
    ],
)
async def test_an_end_without_an_end_marker_keeps_what_came_and_is_not_tried_again(
    ending: list[Step], state: State
) -> None:
    backend = ScriptedBackend([[Accepted(), Delta("half"), *ending], GOOD])
    turn = Turn(backend, REQUEST, empty_reply())
    await run(turn)
    assert (turn.message.text, turn.message.state) == ("half", state)
    assert isinstance(turn.error, ReplyError)
    assert turn.message.error == str(turn.error)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("failure", [Unreachable("nobody"), Cut("gone")])
async def test_before_the_first_token_it_is_tried_again_with_growing_pauses(
    failure: ReplyError, clock: Clock
) -> None:
    backend = ScriptedBackend([[failure], [Accepted(), failure], [failure], GOOD])
    turn = Turn(backend, REQUEST, empty_reply(), clock)
    await run(turn)
    assert sum(clock.slept) == pytest.approx(2 + 4 + 8)
    assert len(backend.requests) == 4
    assert (turn.message.text, turn.message.state, turn.error) == ("All well.", State.COMPLETE, None)


async def test_it_says_how_long_it_pauses_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), []

    async def sleep(seconds: float) -> None:
        said.append((turn.retry_in, str(turn.error)))
        await clock.sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    turn = Turn(ScriptedBackend([[Unreachable("nobody")], GOOD]), REQUEST, empty_reply(), clock)
    await run(turn)
    assert said == [(2.0, "nobody"), (1.0, "nobody")]
    assert turn.retry_in is None


async def test_it_gives_up_after_some_attempts(clock: Clock) -> None:
    backend = ScriptedBackend([[Unreachable("nobody")]])
    turn = Turn(backend, REQUEST, empty_reply(), clock)
    await run(turn)
    assert len(backend.requests) == 7
    assert sum(clock.slept) == pytest.approx(2 + 4 + 8 + 16 + 30 + 30)
    assert (turn.message.state, turn.message.error) == (State.FAILED, "nobody")


@pytest.mark.parametrize("failure", [NoSuchModel("no such"), ServerFault("exploded"), Busy("full")])
async def test_what_would_fail_again_is_not_tried_again(failure: ReplyError, clock: Clock) -> None:
    backend = ScriptedBackend([[failure], GOOD])
    turn = Turn(backend, REQUEST, empty_reply(), clock)
    await run(turn)
    assert len(backend.requests) == 1
    assert turn.message.state is State.FAILED
    assert turn.error is failure


async def test_a_busy_server_is_asked_again_when_it_wishes(clock: Clock) -> None:
    turn = Turn(ScriptedBackend([[Busy("full", retry_after=11.0)], GOOD]), REQUEST, empty_reply(), clock)
    await run(turn)
    assert sum(clock.slept) == pytest.approx(11)
    assert turn.message.state is State.COMPLETE


async def test_a_server_that_wishes_for_long_is_left_to_the_user(clock: Clock) -> None:
    backend = ScriptedBackend([[Busy("full", retry_after=3600.0)], GOOD])
    turn = Turn(backend, REQUEST, empty_reply(), clock)
    await run(turn)
    assert len(backend.requests) == 1
    assert turn.error is not None
    assert "60 minutes" in turn.error.hint


async def test_cancelling_stops_it_at_once_and_keeps_what_came() -> None:
    backend = ScriptedBackend([[Accepted(), Delta("half"), asyncio.Event()]])
    turn = Turn(backend, REQUEST, empty_reply())
    got_some = asyncio.Event()

    async def read() -> None:
        async with aclosing(turn.events()) as events:
            async for event in events:
                if isinstance(event, Delta):
                    got_some.set()

    task = asyncio.create_task(read())
    await got_some.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.closed == 1
    assert (turn.message.text, turn.message.state, turn.error) == ("half", State.STOPPED, None)


async def test_stopping_in_a_pause_ends_the_trying() -> None:
    backend = ScriptedBackend([[Unreachable("nobody")], GOOD])
    turn = Turn(backend, REQUEST, empty_reply())
    task = asyncio.create_task(run(turn))
    while turn.retry_in is None:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(backend.requests) == 1
    assert (turn.message.state, turn.message.error) == (State.STOPPED, "")


async def test_an_exact_continuation_follows_directly() -> None:
    reply: Message = empty_reply(parts=parts_of("One two", "hm"))
    backend = ScriptedBackend([[Continued(exact=True), Accepted(), Delta(" two"), Delta(" three"), Finished()]])
    turn = Turn(backend, replace(REQUEST, prefill=reply.text), reply)
    await run(turn)
    assert (turn.message.text, turn.message.thinking) == ("One two two three", "hm")


@pytest.mark.parametrize("said", [[Continued(exact=True)], [Continued(exact=False)], []])
async def test_what_repeats_the_whole_prefill_is_trimmed_whatever_the_server_promised(said: list[Step]) -> None:
    reply = empty_reply().with_text("A bounded queue is best ")
    script = [*said, Accepted(), Delta("A bounded queue is best q"), Delta("ueues."), Finished()]
    turn = Turn(ScriptedBackend([script]), replace(REQUEST, prefill=reply.text), reply)
    events = await run(turn)
    assert turn.message.text == "A bounded queue is best queues."
    assert [event.text for event in events if isinstance(event, Delta)] == ["q", "ueues."]


@pytest.mark.parametrize("recording", ["llamacpp-new-prefill.txt", "llamacpp-new-continue.txt"])
async def test_the_prefill_that_todays_llama_cpp_sends_back_is_trimmed(recording: str) -> None:
    reply = empty_reply().with_text("A bounded queue is best ")
    template = answer({"prompt": f"<|assistant|>{reply.text}"})
    async with Imitation({"/apply-template": template, "/v1/chat/completions": replay(recording)}) as server:
        backend = OpenAIBackend(Server(server.url, flavour=Flavour.LLAMACPP))
        turn = Turn(backend, replace(REQUEST, prefill=reply.text), reply)
        await run(turn)
    assert turn.message.text == "A bounded queue is best queues. The key idea is to `check"


async def test_what_a_continuation_in_words_repeats_is_trimmed() -> None:
    reply = empty_reply().with_text("A bounded queue blocks")
    again = [Delta("A bounded "), Delta("queue blocks"), Delta(" the producer.")]
    turn = Turn(
        ScriptedBackend([[Continued(exact=False), Accepted(), *again, Finished()]]),
        replace(REQUEST, prefill=reply.text),
        reply,
    )
    events = await run(turn)
    assert turn.message.text == "A bounded queue blocks the producer."
    shown = [event.text for event in events if isinstance(event, Delta)]
    assert reply.text + "".join(shown) == turn.message.text


async def test_what_is_held_back_at_the_seam_is_kept_when_the_line_breaks_and_nothing_is_asked_twice(
    clock: Clock,
) -> None:
    reply = empty_reply().with_text("A bounded queue blocks")
    backend = ScriptedBackend([[Continued(exact=False), Accepted(), Delta("bounded qu"), Cut("It broke")]])
    turn = Turn(backend, replace(REQUEST, prefill=reply.text), reply, clock)
    await run(turn)
    assert len(backend.requests) == 1
    assert turn.message.state is State.INTERRUPTED
    assert turn.message.text == "A bounded queue blocks bounded qu"


async def test_thinking_about_how_to_go_on_is_no_part_of_a_reply_that_goes_on() -> None:
    reply = empty_reply(parts=parts_of("half of it", "hm"))
    script: list[Step] = [
        Continued(exact=False),
        Thinking("How to go on?"),
        Delta("half of"),
        WasThinking(),
        Delta(", the rest"),
    ]
    turn = Turn(ScriptedBackend([[*script, Finished()]]), replace(REQUEST, prefill=reply.text), reply)
    events = await run(turn)
    assert (turn.message.text, turn.message.thinking) == ("half of it, the rest", "hm")
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_reply_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.chat.turn._LONGEST", 100)
    turn = Turn(ScriptedBackend([[Accepted(), *[Delta("0123456789")] * 50]]), REQUEST, empty_reply())
    await run(turn)
    assert turn.message.text == "0123456789" * 10
    assert turn.message.state is State.INTERRUPTED
    assert "longer" in turn.message.error
