"""Heights: a Fenwick tree that must agree with plain sums, whatever is done to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.markdown.heights import Heights

HEIGHT = st.integers(0, 50)
OPERATION = st.one_of(
    st.tuples(st.just("append"), HEIGHT, st.just(0)),
    st.tuples(st.just("set"), HEIGHT, st.integers(0, 1000)),
    st.tuples(st.just("pop"), st.just(0), st.just(0)),
)


@given(st.lists(HEIGHT, max_size=40), st.lists(OPERATION, max_size=60))
def test_it_agrees_with_plain_sums(start: list[int], operations: list[tuple[str, int, int]]) -> None:
    heights, plain = Heights(start), list(start)
    for name, height, where in operations:
        if name == "append":
            heights.append(height)
            plain.append(height)
        elif plain and name == "set":
            index = where % len(plain)
            assert heights.set(index, height) == height - plain[index]
            plain[index] = height
        elif plain and name == "pop":
            heights.pop()
            plain.pop()
    assert heights.total == sum(plain)
    assert [heights.top(index) for index in range(len(plain) + 1)] == [
        sum(plain[:i]) for i in range(len(plain) + 1)
    ]
    rows = [(index, row) for index, height in enumerate(plain) for row in range(height)]
    assert [heights.find(y) for y in range(len(rows))] == rows


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_a_row_outside_gives_the_nearest_end(start: list[int]) -> None:
    heights = Heights(start)
    assert heights.find(-5) == (0, 0)
    assert heights.find(10_000) == (len(start) - 1, start[-1] - 1)
