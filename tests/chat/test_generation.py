"""A reply in flight: what is kept of it, how it ends, when it is tried again, and each of its states."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tui_chat.chat.progress import ALLOWED, Phase, Progress
from tui_chat.chat.retry import RetryKind
from tui_chat.errors import Busy, Cut, Garbled, NoSuchModel, ReplyError, ServerFault, StoreError, Unreachable
from tui_chat.events import (
    Accepted,
    Continued,
    Delta,
    Event,
    Finished,
    Loading,
    PromptProgress,
    Thinking,
    ToolCall,
    WasThinking,
)
from tui_chat.messages import Message, State, Usage
from tui_chat.parts import parts_of
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.store.store import Store
from tui_chat.tasks import start_task

from tests.chat.kit import Clock, Reception, ScriptedBackend, Step, ask, empty_reply, reception
from tests.servers.imitations import Imitation, replay

GOOD: list[Step] = [Accepted(), Delta("All "), Delta("well."), Finished("stop", Usage(3, 2))]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock by which pauses take no time."""
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


async def stopped(received: Reception, task: asyncio.Task[None]) -> None:
    await received.generation.stop()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_arrives_is_kept_apart_as_answer_and_thinking() -> None:
    usage, clock = Usage(10, 4), Clock()
    script: list[Step] = [
        Accepted(),
        Thinking("hm"),
        Thinking("m"),
        Delta("An "),
        Delta("answer"),
        Finished("stop", usage),
    ]

    async def hear(event: Event) -> None:
        clock.now += 1.5 if isinstance(event, Thinking) else 0.25

    async with reception(ScriptedBackend([script]), clock=clock, hear=hear) as received:
        await received.run()
        message = received.message
    assert (message.thinking, message.text) == ("hmm", "An answer")
    assert (message.state, message.finish, message.error) == (State.COMPLETE, "stop", "")
    assert message.usage == replace(usage, thinking_seconds=3.0)
    assert received.generation.state is Phase.ENDED


async def test_a_reply_that_goes_on_keeps_how_long_it_had_thought() -> None:
    cut = empty_reply(parts=parts_of("An ", "hmm"), usage=Usage(thinking_seconds=3.0))
    script: list[Step] = [Accepted(), Thinking("where was I"), Delta("answer"), Finished("stop", Usage(10, 4))]
    async with reception(ScriptedBackend([script]), cut, clock=Clock()) as received:
        await received.run()
        assert received.message.usage == Usage(10, 4, thinking_seconds=3.0)


async def test_what_was_taken_for_the_answer_becomes_thinking_when_the_server_says_so() -> None:
    script: list[Step] = [Delta("let me see"), WasThinking(), Delta("Yes."), Finished()]
    async with reception(ScriptedBackend([script])) as received:
        await received.run()
        assert (received.message.thinking, received.message.text) == ("let me see", "Yes.")


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
    async with reception(backend) as received:
        await received.run()
        assert (received.message.text, received.message.state) == ("half", state)
        assert isinstance(received.generation.error, ReplyError)
        assert received.message.error == str(received.generation.error)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("failure", [Unreachable("nobody"), Cut("gone")])
async def test_before_the_first_token_it_is_tried_again_with_growing_pauses(
    failure: ReplyError, clock: Clock
) -> None:
    backend = ScriptedBackend([[failure], [Accepted(), failure], [failure], GOOD])
    async with reception(backend, clock=clock) as received:
        await received.run()
        assert sum(clock.slept) == pytest.approx(2 + 4 + 8)
        assert len(backend.requests) == 4
        message = received.message
    assert (message.text, message.state, received.generation.error) == ("All well.", State.COMPLETE, None)


async def test_it_says_how_long_it_pauses_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), []

    async def sleep(seconds: float) -> None:
        said.append((received.generation.retry_in, str(received.generation.error)))
        await clock.sleep(seconds)

    async with reception(ScriptedBackend([[Unreachable("nobody")], GOOD]), clock=clock) as received:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        await received.run()
    assert said == [(2.0, "nobody"), (1.0, "nobody")]
    assert received.generation.retry_in is None


async def test_it_gives_up_after_some_attempts(clock: Clock) -> None:
    backend = ScriptedBackend([[Unreachable("nobody")]])
    async with reception(backend, clock=clock) as received:
        await received.run()
        assert (received.message.state, received.message.error) == (State.FAILED, "nobody")
    assert len(backend.requests) == 7
    assert sum(clock.slept) == pytest.approx(2 + 4 + 8 + 16 + 30 + 30)


@pytest.mark.parametrize("failure", [NoSuchModel("no such"), ServerFault("exploded"), Busy("full")])
async def test_what_would_fail_again_is_not_tried_again(failure: ReplyError, clock: Clock) -> None:
    backend = ScriptedBackend([[failure], GOOD])
    async with reception(backend, clock=clock) as received:
        await received.run()
        assert received.message.state is State.FAILED
    assert len(backend.requests) == 1
    assert received.generation.error is failure


async def test_a_busy_server_is_asked_again_when_it_wishes(clock: Clock) -> None:
    async with reception(ScriptedBackend([[Busy("full", retry_after=11.0)], GOOD]), clock=clock) as received:
        await received.run()
        assert received.message.state is State.COMPLETE
    assert sum(clock.slept) == pytest.approx(11)


async def test_a_server_that_wishes_for_long_is_left_to_the_user(clock: Clock) -> None:
    backend = ScriptedBackend([[Busy("full", retry_after=3600.0)], GOOD])
    async with reception(backend, clock=clock) as received:
        await received.run()
    assert len(backend.requests) == 1
    assert received.generation.error is not None
    assert "60 minutes" in received.generation.error.hint


async def test_cancelling_stops_it_at_once_and_keeps_what_came() -> None:
    backend = ScriptedBackend([[Accepted(), Delta("half"), asyncio.Event()]])
    async with reception(backend) as received:
        task = start_task(received.generation.run())
        while Delta("half") not in received.heard:
            await asyncio.sleep(0)
        await stopped(received, task)
        assert backend.closed == 1
        assert (received.message.text, received.message.state) == ("half", State.STOPPED)
        assert received.generation.error is None


async def test_what_is_held_back_at_the_seam_is_kept_when_it_is_stopped() -> None:
    cut = empty_reply().with_text("A bounded queue blocks")
    backend = ScriptedBackend([[Continued(exact=False), Accepted(), Delta("bounded qu"), asyncio.Event()]])
    async with reception(backend, cut) as received:
        task = start_task(received.generation.run())
        while received.generation.state is not Phase.ANSWERING:
            await asyncio.sleep(0)
        await stopped(received, task)
        assert received.message.text == "A bounded queue blocks bounded qu"


async def test_stopping_in_a_pause_ends_the_trying() -> None:
    backend = ScriptedBackend([[Unreachable("nobody")], GOOD])
    async with reception(backend) as received:
        task = start_task(received.generation.run())
        while received.generation.retry_in is None:
            await asyncio.sleep(0)
        await stopped(received, task)
        assert (received.message.state, received.message.error) == (State.STOPPED, "")
    assert len(backend.requests) == 1


async def test_an_exact_continuation_follows_directly() -> None:
    reply = empty_reply(parts=parts_of("One two", "hm"))
    script: list[Step] = [Continued(exact=True), Accepted(), Delta(" two"), Delta(" three"), Finished()]
    async with reception(ScriptedBackend([script]), reply) as received:
        await received.run()
        assert (received.message.text, received.message.thinking) == ("One two two three", "hm")


@pytest.mark.parametrize("said", [[Continued(exact=True)], [Continued(exact=False)], []])
async def test_what_repeats_the_whole_prefill_is_trimmed_whatever_the_server_promised(said: list[Step]) -> None:
    reply = empty_reply().with_text("A bounded queue is best ")
    script: list[Step] = [*said, Accepted(), Delta("A bounded queue is best q"), Delta("ueues."), Finished()]
    async with reception(ScriptedBackend([script]), reply) as received:
        events = await received.run()
        assert received.message.text == "A bounded queue is best queues."
    assert [event.text for event in events if isinstance(event, Delta)] == ["q", "ueues."]


@pytest.mark.parametrize("recording", ["llamacpp-new-prefill.txt", "llamacpp-new-continue.txt"])
async def test_the_prefill_that_todays_llama_cpp_sends_back_is_trimmed(recording: str) -> None:
    reply = empty_reply().with_text("A bounded queue is best ")
    async with Imitation({"/v1/chat/completions": replay(recording)}) as server:
        backend = HttpBackend(Server(server.url, kind=Kind.OPENAI, flavour=Flavour.LLAMACPP))
        async with reception(backend, reply) as received:
            await received.run()
            assert received.message.text == "A bounded queue is best queues. The key idea is to `check"


async def test_what_a_continuation_in_words_repeats_is_trimmed() -> None:
    reply = empty_reply().with_text("A bounded queue blocks")
    again = [Delta("A bounded "), Delta("queue blocks"), Delta(" the producer.")]
    script: list[Step] = [Continued(exact=False), Accepted(), *again, Finished()]
    async with reception(ScriptedBackend([script]), reply) as received:
        events = await received.run()
        assert received.message.text == "A bounded queue blocks the producer."
    shown = [event.text for event in events if isinstance(event, Delta)]
    assert reply.text + "".join(shown) == received.message.text


async def test_what_is_held_back_at_the_seam_is_kept_when_the_line_breaks_and_nothing_is_asked_twice(
    clock: Clock,
) -> None:
    reply = empty_reply().with_text("A bounded queue blocks")
    backend = ScriptedBackend([[Continued(exact=False), Accepted(), Delta("bounded qu"), Cut("It broke")]])
    async with reception(backend, reply, clock=clock) as received:
        events = await received.run()
        assert received.message.state is State.INTERRUPTED
        assert received.message.text == "A bounded queue blocks bounded qu"
    assert events[-1] == Delta(" bounded qu")
    assert len(backend.requests) == 1


async def test_thinking_about_how_to_go_on_is_no_part_of_a_reply_that_goes_on() -> None:
    reply = empty_reply(parts=parts_of("half of it", "hm"))
    script: list[Step] = [
        Continued(exact=False),
        Thinking("How to go on?"),
        Delta("half of"),
        WasThinking(),
        Delta(", the rest"),
    ]
    async with reception(ScriptedBackend([[*script, Finished()]]), reply) as received:
        events = await received.run()
        assert (received.message.text, received.message.thinking) == ("half of it, the rest", "hm")
    assert not any(isinstance(event, Thinking) for event in events)


async def test_a_reply_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.chat.partial._LONGEST", 100)
    async with reception(ScriptedBackend([[Accepted(), *[Delta("0123456789")] * 50]])) as received:
        await received.run()
        assert received.message.text == "0123456789" * 10
        assert received.message.state is State.INTERRUPTED
        assert "longer" in received.message.error


async def test_a_cut_behind_a_tool_call_is_not_asked_again(clock: Clock) -> None:
    backend = ScriptedBackend([[Accepted(), ToolCall("look", "{}"), Cut("gone")], GOOD])
    async with reception(backend, clock=clock) as received:
        await received.run()
        assert received.message.state is State.INTERRUPTED
    assert len(backend.requests) == 1


# States


class Walk(Progress):
    """Notes the ways that were taken."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.taken: list[tuple[Phase, Phase]] = []

    def enter(self, phase: Phase) -> None:
        before = self.phase
        super().enter(phase)
        self.taken.append((before, phase))


LOADS, THINKS, SPEAKS, READS = Loading(43), Thinking("hm"), Delta("word"), PromptProgress(1, 2)
GONE, REFUSED = Unreachable("nobody"), ServerFault("exploded")
STOP = "stop"
"""In a script: it is stopped here."""
WALKS: list[list[Any]] = [
    [Accepted(), READS, THINKS, SPEAKS, THINKS, Finished()],
    [Accepted(), SPEAKS, Finished()],
    [Accepted(), THINKS, REFUSED],
    [Accepted(), READS, SPEAKS, STOP],
    [Accepted(), Finished()],
    [Accepted(), READS, REFUSED],
    [READS, REFUSED],
    [THINKS, STOP],
    [SPEAKS, STOP],
    [REFUSED],
    [GONE, "again", Accepted(), GONE, "again", Accepted(), READS, GONE, "again", Accepted(), STOP],
    [GONE, STOP],
    [LOADS, LOADS, Accepted(), SPEAKS, Finished()],
    [LOADS, STOP],
    [LOADS, GONE, "again", Accepted(), STOP],
]


async def walk(monkeypatch: pytest.MonkeyPatch, script: list[Any] | None) -> list[tuple[Phase, Phase]]:
    """The ways that a reply takes by a script; None: there is nothing to answer."""
    monkeypatch.setattr("tui_chat.chat.generation.Progress", Walk)
    scripts: list[list[Step]] = [[]]
    for step in script or []:
        if step == "again":
            scripts.append([])
        else:
            scripts[-1].append(asyncio.Event() if step == STOP else step)
    clock = Clock()
    if script and script[-2:] == [GONE, STOP]:
        scripts[-1].pop()
    else:
        monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    async with reception(None if script is None else ScriptedBackend(scripts), clock=clock) as received:
        generation = received.generation
        states = [generation.state]

        async def look() -> None:
            async for _ in generation.changes():
                states.append(generation.state)

        task, looking = start_task(generation.run()), start_task(look())
        if script and script[-1] == STOP:
            want = len([step for step in script if isinstance(step, Event)])
            while len(received.heard) < want or (generation.retry_in is None and script[-2] == GONE):
                await asyncio.wait([task], timeout=0.001)
            await stopped(received, task)
        else:
            await task
        await looking
        assert states[0] is Phase.QUEUED
        assert states[-1] is Phase.ENDED
        assert generation.ended
        progress = generation._progress
        assert isinstance(progress, Walk)
        return progress.taken


async def test_every_way_between_states_is_taken_and_no_other_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = set()
    for script in [None, *WALKS]:
        with monkeypatch.context() as patch:
            taken |= set(await walk(patch, script))
    assert taken == {(phase, after) for phase, afters in ALLOWED.items() for after in afters}
    assert set(ALLOWED) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_what_must_not_follow_a_state_is_refused_and_changes_nothing(phase: Phase) -> None:
    for other in Phase:
        progress = Progress(Clock())
        progress.phase = phase
        if other in ALLOWED[phase]:
            progress.enter(other)
            assert progress.phase is other
        else:
            with pytest.raises(ValueError, match=f"{other.name} cannot follow {phase.name}"):
                progress.enter(other)
            assert progress.phase is phase


EVENTS = st.sampled_from(
    [
        LOADS,
        Accepted(),
        Continued(True),
        Continued(False),
        READS,
        THINKS,
        SPEAKS,
        WasThinking(),
        ToolCall("a", "{}"),
    ]
)


@examples(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=12), st.sampled_from([Finished(), GONE, REFUSED, Cut("gone"), Garbled("?")]))
def test_no_order_of_events_takes_it_out_of_its_states_or_loses_a_word(said: list[Event], last: Any) -> None:
    """Whatever a server says in whatever order, the reply ends, and all that was heard is in it."""

    async def receive() -> None:
        clock, backend = Clock(), ScriptedBackend([[*said, last], [Finished()]])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "sleep", clock.sleep)
            async with reception(backend, clock=clock) as received:
                await received.run()
                assert received.generation.ended
                message = received.message
                words = sum(isinstance(event, Delta) for event in said)
                thoughts = sum(isinstance(event, Thinking) for event in said)
                assert (message.text + message.thinking).count("word") == words
                assert message.thinking.count("hm") == thoughts
                assert message.state is not State.STREAMING

    asyncio.run(receive())


async def test_a_version_of_which_nothing_came_gives_way_to_the_one_before() -> None:
    async with reception(ScriptedBackend([[REFUSED]]), kind=RetryKind.REGENERATE) as received:
        before = await ask(received.conversation, "before")
        await received.run()
        assert received.conversation.last == before


async def test_files_that_cannot_be_read_fail_it_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Store, messages: Any) -> tuple[Message, ...]:
        raise StoreError("The disk is broken.")

    monkeypatch.setattr(Store, "with_data", broken)
    backend = ScriptedBackend([GOOD])
    async with reception(backend) as received:
        await received.run()
        assert backend.requests == []
        assert (received.message.state, received.message.error) == (State.FAILED, "The disk is broken.")
        assert [message.text for message in received.conversation.branch] == ["go"]
