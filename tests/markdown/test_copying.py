"""What is copied is the text, not how it was wrapped and framed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.markdown.copying import copied
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.palette import Palette

from tests.markdown.helpers import SNIPPETS, THEME

WIDTHS = (8, 12, 20, 40, 80)
END = (10**9, 0)


def layout_of(source: str, width: int) -> Layout:
    return Layout(Document(source), width, Palette.from_theme(THEME))


def everything(source: str, width: int) -> str:
    return copied(layout_of(source, width), (0, 0), END)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "source",
    [
        "one two three four five six seven eight nine ten eleven\ntwelve thirteen",
        "- one two three four five six seven\n- [x] eight nine ten\n  1. eleven twelve thirteen fourteen",
        "> quoted words that go on and on\n>\n> > and deeper ones as well",
        "| name | what |\n|---|:-:|\n| one two three | four five six seven |\n| **a** | `b` |",
        "```python\ndef function(argument, another):\n    return argument + another\n\nprint()\n```",
        "日本語の文章です、とても長い文章です。終わり",
        "a-word-that-is-much-longer-than-any-width-that-there-is-to-fit-it-in",
        "[^1]: a note of several words\n\n$$\nx + y\n$$\n\n***",
    ],
)
def test_copying_all_gives_back_the_source(source: str, width: int) -> None:
    assert everything(source, width) == source


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1), min_size=1),
    st.sampled_from(WIDTHS),
)
def test_paragraphs_of_words_come_back_at_any_width(paragraphs: list[list[str]], width: int) -> None:
    source = "\n\n".join(" ".join(words) for words in paragraphs)
    assert everything(source, width) == source


def test_a_copy_does_not_depend_on_the_width() -> None:
    for snippet in SNIPPETS:
        if "\t" not in snippet:  # a wrapped line of code gives its tabs as spaces
            assert len({_squeezed(everything(snippet, width)) for width in (30, 60, 90)}) == 1, snippet


def _squeezed(text: str) -> str:
    return re.sub(r"\n\s*", "\n", text)


def test_part_of_a_row_is_what_is_seen_there() -> None:
    layout = layout_of("- one two three four\n\n| a | b |\n|---|---|\n| left | right |", 80)
    assert copied(layout, (0, 2), (0, 5)) == "one"
    assert copied(layout, (0, 0), (0, 5)) == "- one"
    assert copied(layout, (4, 0), (4, 4)) == "left"
    assert copied(layout, (2, 0), (4, 99)) == "| a | b |\n|---|---|\n| left | right |"


def test_a_selection_from_the_middle_to_the_middle_joins_wrapped_rows() -> None:
    layout = layout_of("one two three four five", 9)
    assert [layout.strip(y).text for y in range(layout.height)] == ["one two", "three", "four five"]
    assert copied(layout, (0, 4), (2, 4)) == "two three four"


def test_code_is_copied_with_its_tabs_and_without_its_gutter() -> None:
    layout = layout_of("```make\nall:\n\techo 'hi'\n```", 40)
    assert copied(layout, (1, 0), (3, 0)) == "all:\n\techo 'hi'"
    assert copied(layout, (0, 0), END) == "```make\nall:\n\techo 'hi'\n```"


def test_wide_characters_are_picked_by_their_cells() -> None:
    layout = layout_of("日本語 abc", 80)
    assert copied(layout, (0, 2), (0, 4)) == "本"
    assert copied(layout, (0, 6), (0, 9)) == " ab"
