"""The recording between a writer and its readers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.relay.problems import Problem
from tui_chat.relay.replay_buffer import ReplayBuffer


@st.composite
def plays(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What may happen to a buffer, in any order."""
    return draw(st.lists(st.tuples(st.sampled_from(["write", "take", "rewind"]), st.integers(0, 40)), max_size=60))


@settings(max_examples=150, deadline=None)
@given(plays(), st.integers(1, 60), st.integers(0, 60))
def test_a_tape_gives_every_piece_in_order_and_holds_no_more_than_it_may(
    play: list[tuple[str, int]], ahead: int, keep: int
) -> None:
    asyncio.run(_played(play, ReplayBuffer(ahead, keep), ahead, keep))


async def _played(play: list[tuple[str, int]], buffer: ReplayBuffer, ahead: int, keep: int) -> None:
    written: list[bytes] = []
    largest = rewound = 0
    for action, number in play:
        before = buffer.place
        if action == "write" and not await _waits(buffer.room):
            piece = f"[{len(written)}{'x' * number}]".encode()
            largest = max(largest, len(piece))
            written.append(piece)
            buffer.write(piece)
        elif action == "take":
            assert buffer.take() == b"".join(written[before : buffer.place])
            assert buffer.place == len(written)
        elif action == "rewind":
            try:
                buffer.rewind(number)
            except Problem:
                assert number > len(written) or len(b"".join(written[number:before])) > keep
                number = before
            assert buffer.place == number
            rewound = keep
        assert buffer.last == len(written)
        assert buffer.held <= ahead + largest + keep + rewound


async def test_the_reader_waits_for_news_and_the_writer_for_room() -> None:
    buffer = ReplayBuffer(ahead=3)
    assert await _waits(buffer.news)
    assert not await _waits(buffer.room)
    buffer.write(b"1234")
    assert not await _waits(buffer.news)
    assert await _waits(buffer.room)
    assert buffer.take() == b"1234"
    assert await _waits(buffer.news)
    assert not await _waits(buffer.room)
    buffer.close()
    assert not await _waits(buffer.news)
    assert buffer.finished


def test_without_keep_nothing_that_was_read_is_held() -> None:
    buffer = ReplayBuffer(ahead=100)
    for _ in range(3):
        buffer.write(b"x")
    buffer.take()
    assert buffer.held == 0
    buffer.rewind(3)
    with pytest.raises(Problem):
        buffer.rewind(2)


async def _waits(call: Callable[[], Coroutine[object, object, None]]) -> bool:
    """Whether a coroutine of the buffer has to wait."""
    waiting = asyncio.create_task(call())
    await asyncio.sleep(0)
    done = waiting.done()
    waiting.cancel()
    return not done
