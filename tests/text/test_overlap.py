"""A continuation joined to a cut text: what it repeats is trimmed, what is new is kept, however it is split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.text.overlap import OverlapTrimmer

WORDS = st.lists(
    st.sampled_from(["queue", "a", "blocks", "the", "한국어", "😀", "producer.", "\n\n", "x = 1"]), min_size=8
)
TEXTS = WORDS.map(" ".join)


def trimmed(before: str, pieces: list[str]) -> str:
    trimmer = OverlapTrimmer(before)
    return "".join([*map(trimmer.feed, pieces), trimmer.finish()])


@given(TEXTS, TEXTS, st.data())
def test_the_result_does_not_depend_on_how_it_is_split(before: str, text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert trimmed(before, pieces) == trimmed(before, [text])


@given(TEXTS, st.integers(12, 60), st.sampled_from(["", " ", "\n"]))
def test_a_repeated_end_is_trimmed(before: str, length: int, space: str) -> None:
    end = before[-length:].lstrip()
    if len(end) >= 12:
        assert trimmed(before, [space + end + "§ new"]) == "§ new"


@given(
    st.text(st.characters(categories=["L"], max_codepoint=0x5FF), min_size=1), st.text("0123456789 ", min_size=1)
)
def test_what_repeats_nothing_is_kept_whole(before: str, text: str) -> None:
    assert trimmed(before, [text]).strip() == text.strip()


@pytest.mark.parametrize(
    ("before", "continuation", "joined"),
    [
        ("A bounded queue", " blocks.", "A bounded queue blocks."),
        ("A bounded queue", "blocks.", "A bounded queue blocks."),
        ("A bounded queue blocks", "queue blocks the producer", "A bounded queue blocks the producer"),
        ("the end of the", " the beginning", "the end of the the beginning"),
        ("- one\n", "- two", "- one\n- two"),
        ("He said", ", and left", "He said, and left"),
        ("short", "short and more", "short and more"),
        ("今天天气很好", "我们去玩", "今天天气很好我们去玩"),
        ("about 3.14", "159", "about 3.14159"),
        ("def f(x):\n    ", "    y = 2", "def f(x):\n    y = 2"),
        ("A bounded ", " queue", "A bounded queue"),
        ("A bounded ", "queue", "A bounded queue"),
    ],
)
def test_the_seam_reads_well(before: str, continuation: str, joined: str) -> None:
    assert before + trimmed(before, [continuation]) == joined


def test_little_is_held_back() -> None:
    trimmer = OverlapTrimmer("A bounded queue blocks the producer.")
    assert trimmer.feed("Something else") == " Something else".lstrip()
    assert trimmer.feed(" at once") == " at once"
