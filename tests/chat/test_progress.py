"""Phases and figures of a reply, from its events."""

from __future__ import annotations

from tui_chat.chat.progress import Phase, Progress
from tui_chat.events import Accepted, Delta, Finished, PromptProgress, Thinking
from tui_chat.messages import Usage

from tests.chat.kit import Clock


def connecting(clock: Clock) -> Progress:
    """A reply that is asked for."""
    progress = Progress(clock)
    progress.enter(Phase.COMMITTING)
    progress.enter(Phase.CONNECTING)
    return progress


def test_the_phases_of_a_reply_that_thinks() -> None:
    clock = Clock()
    progress = connecting(clock)
    phases = [progress.phase]
    for event in (
        Accepted(),
        PromptProgress(5, 10),
        Thinking("a"),
        Thinking("b"),
        Delta("c"),
        Finished("stop", Usage(3)),
    ):
        clock.now += 1
        progress.take(event)
        phases.append(progress.phase)
    assert phases == [
        Phase.CONNECTING, Phase.WAITING, Phase.READING, Phase.THINKING, Phase.THINKING, Phase.ANSWERING, Phase.ANSWERING,
    ]  # fmt: skip
    assert progress.read == (5, 10)
    assert progress.thought_seconds == 2
    assert progress.first_token_seconds == 3
    assert progress.phase_seconds == 1
    assert progress.seconds == 6
    assert (progress.reason, progress.usage) == ("stop", Usage(3))


def test_the_speed_is_pieces_per_second_since_the_first() -> None:
    clock = Clock()
    progress = connecting(clock)
    assert progress.speed is None
    progress.take(Delta("a"))
    assert progress.speed is None
    for _ in range(10):
        clock.now += 0.5
        progress.take(Delta("b"))
    clock.now += 100
    assert progress.speed == 2.0


def test_thinking_that_is_cut_has_lasted_until_the_cut() -> None:
    clock = Clock()
    progress = connecting(clock)
    progress.take(Thinking("a"))
    clock.now += 4
    progress.enter(Phase.ENDED)
    assert progress.thought_seconds == 4


def test_thinking_in_several_pieces_is_counted_together_and_the_answer_is_not() -> None:
    clock = Clock()
    progress = connecting(clock)
    for event, seconds in ((Thinking("a"), 4), (Delta("b"), 10), (Thinking("c"), 2), (Delta("d"), 10)):
        progress.take(event)
        clock.now += seconds
    assert progress.thought_seconds == 6


def test_the_time_of_a_reply_begins_with_its_request() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.enter(Phase.COMMITTING)
    clock.now += 5
    assert not progress.asked
    progress.enter(Phase.CONNECTING)
    clock.now += 1
    assert progress.asked
    assert progress.seconds == 1
