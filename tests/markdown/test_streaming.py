"""One engine: however a source arrives, its rows are those of the source at once."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.markdown.document import Document
from tui_chat.markdown.draw import Row
from tui_chat.markdown.layout import Layout

from tests.markdown.helpers import CORPUS, MARKDOWN, PALETTE, fresh, rows
from tests.markdown.sources import KINDS, tokens

WIDTHS = (8, 13, 24, 40, 80, 200)


def stream(pieces: Iterable[str], width: int, *, compare: bool = True) -> list[Row]:
    """Append the pieces one by one; each time the rows are those of a fresh document, and what changed is told."""
    document = Document()
    layout = Layout(document, width, PALETTE)
    seen: list[Row] = []
    for piece in pieces:
        document.append(piece)
        changed = layout.take_changed()
        now = rows(layout) if compare else seen
        if compare:
            assert now == fresh(document.source, width), document.source
            same = len(now) if changed is None else changed
            assert now[:same] == seen[:same], (document.source, changed)
            assert changed is not None or len(now) == len(seen)
        seen = now
    return rows(layout)


@pytest.mark.parametrize("section", CORPUS)
def test_rows_streamed_by_the_character_are_those_of_each_prefix(section: str) -> None:
    for index, snippet in enumerate(CORPUS[section]):
        stream(snippet, WIDTHS[index % len(WIDTHS)])


@settings(max_examples=150, deadline=None)
@given(MARKDOWN, st.data())
def test_any_split_of_any_source_gives_the_rows_of_each_prefix(source: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=8)))
    pieces = [source[start:end] for start, end in zip([0, *cuts], [*cuts, len(source)], strict=True)]
    stream(pieces, data.draw(st.sampled_from(WIDTHS)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [30, 100])
def test_a_long_reply_of_each_kind_ends_with_the_rows_of_its_source(kind: str, width: int) -> None:
    pieces = list(tokens(kind, 2500))
    assert stream(pieces, width, compare=False) == fresh("".join(pieces), width)


@pytest.mark.parametrize("width", [30, 100, 1500])
@pytest.mark.parametrize(
    "unit",
    [
        "word ",
        "日本語の文章です。",
        "x",
        "*open ",
        "`open ",
        "[open ",
        "$5 and ",
        "é👩‍👧",
        "a\nb ",
        "https://a.example/",
    ],
)
def test_one_giant_paragraph_is_cut_alike_however_it_comes(unit: str, width: int) -> None:
    source = "- " + unit * (6000 // len(unit))
    expected = fresh(source, width)
    for size in (31, 997, 2001):
        pieces = [source[start : start + size] for start in range(0, len(source), size)]
        assert stream(pieces, width, compare=False) == expected


@pytest.mark.parametrize("head", ["```py\n", "    ", "> ```\n> ", "| a |\n|---|\n| ", "# ", "$$\n", "   \t" * 800])
def test_a_giant_line_of_any_kind_is_cut_alike_however_it_comes(head: str) -> None:
    source = head + "value = 'x' + y; " * 300 + "\nand after\n"
    expected = fresh(source, 60)
    for size in (13, 999, 4000):
        pieces = [source[start : start + size] for start in range(0, len(source), size)]
        assert stream(pieces, 60, compare=False) == expected


def test_a_definition_that_comes_late_links_what_was_shown_long_before() -> None:
    source = "see [docs][1] now\n\n| a |\n|---|\n| [docs][1] |\n\n- [1]\n\n" + "text\n\n" * 40
    stream([source, *"[1]: https://example.com/d\n", "\n", "[1]: https://example.com/late\n", "end"], 30)
