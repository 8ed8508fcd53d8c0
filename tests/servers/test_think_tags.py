"""Thinking inside of the answer, however the pieces are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.events import Delta, Thinking, WasThinking
from tui_chat.servers.think_tags import ThinkTags


def sort(*pieces: str, tags: ThinkTags | None = None) -> tuple[str, str]:
    """Thinking and answer as a conversation would have them at the end."""
    tags = tags or ThinkTags()
    thinking, answer = "", ""
    for piece in [*(piece for text in pieces for piece in tags.feed(text)), *tags.close()]:
        match piece:
            case Thinking(text):
                thinking += text
            case Delta(text):
                answer += text
            case WasThinking():
                thinking, answer = thinking + answer, ""
    return thinking, answer


CASES = [
    ("plain text", ("", "plain text")),
    ("<think>a</think>b", ("a", "b")),
    ("<think>\na\n</think>\n\nb\n\nc", ("a\n", "b\n\nc")),
    ("\n\n<think>a</think>b", ("a", "b")),
    ("<think></think>b", ("", "b")),
    ("<think>\n\n</think>\n\nb", ("", "b")),
    ("<think>never closed", ("never closed", "")),
    ("<think>a <think> b</think>c", ("a <think> b", "c")),
    ("<think>a</think>b <think>c</think> d", ("a", "b <think>c</think> d")),
    ("<thin air", ("", "<thin air")),
    ("<thi", ("", "<thi")),
    ("  \n ", ("", "  \n ")),
    ("I see.\n</think>\n\nb", ("I see.", "b")),
    ("</think>b", ("", "b")),
    ("say </think> to end", ("", "say </think> to end")),
    ("```\n<think>\nx\n</think>\n```", ("", "```\n<think>\nx\n</think>\n```")),
    ("I see.\n</think>\nb\n</think>\nc", ("I see.", "b\n</think>\nc")),
    ("a\n</thinking>", ("", "a\n</thinking>")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_tags_count_only_where_thinking_belongs(text: str, expected: tuple[str, str]) -> None:
    assert sort(text) == expected
    assert sort(*text) == expected


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(st.sampled_from(["<think>", "</think>", "<", "th", ">", "\n", " ", "ab", "</"]), max_size=20),
    cuts=st.lists(st.integers(min_value=0, max_value=120), max_size=6),
)
def test_the_cuts_do_not_matter_and_nothing_gets_lost(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole = sort(text)
    assert sort(*(text[a:b] for a, b in itertools.pairwise(edges))) == whole
    assert "".join(whole).count("ab") == text.count("ab")


def test_a_plain_reply_has_no_tags() -> None:
    assert sort("<think>a</think>b", tags=ThinkTags(plain=True)) == ("", "<think>a</think>b")


def test_a_server_that_tells_thinking_apart_leaves_only_debris_to_drop() -> None:
    tags = ThinkTags()
    tags.settle()
    assert sort("\n</think>\n\nb\n</think>\nc", tags=tags) == ("", "b\n</think>\nc")
    tags = ThinkTags()
    assert [*tags.feed("answer\n</th")] == [Delta("answer")]
    tags.settle()
    assert sort("ink>", tags=tags) == ("", "\n</think>")


def test_endless_white_space_is_not_hoarded() -> None:
    tags = ThinkTags()
    assert (
        sum(len(piece.text) for _ in range(100) for piece in tags.feed(" " * 10) if isinstance(piece, Delta)) > 700
    )


def test_what_cannot_be_a_tag_goes_out_at_once() -> None:
    tags = ThinkTags()
    assert [*tags.feed("Hello")] == [Delta("Hello")]
    assert [*tags.feed(" <")] == [Delta(" ")]
    assert [*tags.feed(" b")] == [Delta("< b")]
