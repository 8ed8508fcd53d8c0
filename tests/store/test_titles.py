"""A chat is named by what its first prompt says first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.store.values import TITLE_LIMIT, title_of


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("What is a queue?", "What is a queue?"),
        ("\n\n  ## Heading ##\nmore", "Heading"),
        ("```python\nprint(1)", "print(1)"),
        ("```\n$ ls -l", "$ ls -l"),
        ("---\n> - 1. deep", "deep"),
        ("3.14 is pi", "3.14 is pi"),
        ("日本語の質問\n二行目", "日本語の質問"),
        ("a \t  b", "a b"),
        ("???", "???"),
        (" \n\t\n", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_line_that_says_something(prompt: str, title: str) -> None:
    assert title_of(prompt) == title


@given(st.text())
def test_a_title_is_one_short_safe_line(prompt: str) -> None:
    title = title_of(prompt)
    assert len(title) <= TITLE_LIMIT
    assert "\n" not in title
    assert "\x1b" not in title


def test_a_long_line_is_cut_visibly() -> None:
    assert title_of("word " * 100).endswith("…")
