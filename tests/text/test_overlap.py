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


EXACT = st.booleans()


def trimmed(before: str, pieces: list[str], *, exact: bool = False) -> str:
    trimmer = OverlapTrimmer(before, exact=exact)
    return "".join([*map(trimmer.feed, pieces), trimmer.finish()])


def split(text: str, data: st.DataObject) -> list[str]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(TEXTS, TEXTS, EXACT, st.data())
def test_the_result_does_not_depend_on_how_it_is_split(
    before: str, text: str, exact: bool, data: st.DataObject
) -> None:
    text = data.draw(
        st.sampled_from([text, before + text, before[: len(text)] + text, before[-len(text) :] + text])
    )
    assert trimmed(before, split(text, data), exact=exact) == trimmed(before, [text], exact=exact)


@given(TEXTS, st.text("§¶ ", max_size=9), EXACT, st.data())
def test_what_repeats_all_that_was_there_is_trimmed_whoever_sends_it(
    before: str, new: str, exact: bool, data: st.DataObject
) -> None:
    assert trimmed(before, split(before + new, data), exact=exact) == new


@given(st.text("ab \n", min_size=1), st.text("ab \n"), EXACT)
def test_an_echo_in_one_piece_is_trimmed_however_short(before: str, new: str, exact: bool) -> None:
    if before.strip():
        assert trimmed(before, [before, new], exact=exact) == new


@given(st.text("ha ", min_size=2), st.text("ha "), st.data())
def test_an_exact_continuation_that_does_not_repeat_all_of_it_loses_nothing(
    before: str, text: str, data: st.DataObject
) -> None:
    before = "§" + before
    assert trimmed(before, split(text, data), exact=True) == text


@given(st.text("ha ", max_size=9).map("h{}a".format))
def test_an_exact_continuation_of_few_words_that_repeats_them_token_by_token_loses_nothing(text: str) -> None:
    assert trimmed(text, [*text, "!"], exact=True) == text + "!"


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


@pytest.mark.parametrize(
    ("before", "continuation"),
    [
        ("He laughs: ha ha ", "ha ha!"),
        ("| a | b |\n| --- | --- ", "| --- | --- |"),
        ("zeros: 0, 0, 0, 0, 0, 0, ", "0, 0, 0, 0, 0, 0, 1"),
        ("A bounded queue", "s"),
        ("def f(x):\n    ", "    y = 2"),
        ("A bounded ", " queue"),
    ],
)
def test_an_exact_continuation_is_joined_as_it_is(before: str, continuation: str) -> None:
    assert trimmed(before, [continuation], exact=True) == continuation


@pytest.mark.parametrize("exact", [True, False])
def test_an_echo_may_lack_the_blanks_at_the_ends(exact: bool) -> None:
    assert trimmed("\nA bounded queue \n", ["A bounded queue", "; it blocks"], exact=exact) == "; it blocks"


def test_little_is_held_back() -> None:
    trimmer = OverlapTrimmer("A bounded queue blocks the producer.")
    assert trimmer.feed("Something else") == " Something else".lstrip()
    assert trimmer.feed(" at once") == " at once"
