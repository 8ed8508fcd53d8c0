"""Splitting bytes into lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import Garbled
from tui_chat.servers.lines import Lines

LINE = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"\r"))


def split(chunks: list[bytes], limit: int = 1000) -> list[bytes]:
    lines = Lines(limit)
    return [line for chunk in chunks for line in lines.feed(chunk)] + [lines.rest()]


@given(st.lists(LINE, min_size=1), st.lists(st.integers(0, 400)))
def test_any_chunks_give_the_lines_that_were_joined(lines: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(lines)
    places = sorted(min(cut, len(data)) for cut in cuts)
    chunks = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    assert split(chunks) == lines


def test_only_a_newline_ends_a_line() -> None:
    odd = "a\u2028b\u2029c\u0085d\x0b\x0c\x1c\x1d\x1e\re".encode()
    assert split([odd + b"\n" + odd]) == [odd, odd]


def test_the_rest_is_given_once() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o") == []
    assert lines.rest() == b"two"
    assert lines.rest() == b""


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 11 + b"\n"], [b"x"] * 11, [b"\n", b"x" * 5, b"x" * 6]])
def test_a_line_beyond_the_limit_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(Garbled, match="more than 10 bytes"):
        split(chunks, limit=10)


def test_the_limit_counts_for_each_line_and_not_for_the_stream() -> None:
    assert split([b"x" * 10 + b"\n"] * 100, limit=10) == [b"x" * 10] * 100 + [b""]


def test_a_line_in_many_chunks_is_joined_once() -> None:
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(b"x") == []
    assert len(lines._parts) == 1000  # kept apart until the end: that is what makes it linear
    assert lines.feed(b"\n") == [b"x" * 1000]
