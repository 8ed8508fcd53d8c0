"""Phases and figures of a reply, from its events."""

from __future__ import annotations

from tui_chat.chat.progress import Phase, Progress
from tui_chat.events import Accepted, Delta, Finished, PromptProgress, Thinking
from tui_chat.messages import Usage

from tests.chat.kit import Clock


def test_the_phases_of_a_reply_that_thinks() -> None:
    clock = Clock()
    progress = Progress(clock)
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
    progress = Progress(clock)
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
    progress = Progress(clock)
    progress.take(Thinking("a"))
    clock.now += 4
    progress.enter(Phase.ENDED)
    assert progress.thought_seconds == 4
