"""A document that is read and laid out by pieces, and forgets units, shows what it would show at once."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.markdown import document, layout, pages
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout

from tests.markdown.helpers import MARKDOWN, PALETTE, fresh, rows, units_of
from tests.markdown.sources import KINDS, tokens
from tests.markdown.test_counts import counted

SHORT = "- a\n" * 20_000


@settings(max_examples=150, deadline=None)
@given(st.lists(MARKDOWN, max_size=4), st.integers(1, 40), st.integers(1, 5))
def test_small_pieces_and_small_pages_show_the_same(parts: list[str], piece: int, page: int) -> None:
    source = "".join(parts)
    expected = fresh(source, 40), units_of(Document(source)), Layout(Document(source), 40, PALETTE).code_blocks()
    with (
        patch.object(document, "PIECE", piece),
        patch.object(layout, "PIECE", piece),
        patch.object(pages, "UNITS", page),
        patch.object(pages, "KEPT", 1),
    ):
        grown = Document()
        shown = Layout(grown, 40, PALETTE, by_pieces=True)
        for part in parts:
            grown.append(part)
            while shown.advance():
                assert shown.height >= 0
        assert (rows(shown), units_of(grown), shown.code_blocks()) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_is_little_work_also_at_another_width(kind: str) -> None:
    text = Document("".join(tokens(kind, 20_000)))
    for width in (100, 60):
        shown, pieces = Layout(text, width, PALETTE, by_pieces=True), 0
        more = True
        with counted() as work:
            while more:
                more, pieces = shown.advance(), pieces + 1
                assert work.characters < 10_000
                assert work.rows < 400
                work.characters = work.rows = 0
        assert pieces > 20


def test_units_that_nobody_looks_at_are_not_kept() -> None:
    text = Document(SHORT)
    shown = Layout(text, 80, PALETTE)
    assert shown.height == 20_000
    assert shown.strip(10_000).text == "• a"
    kept = sum(map(len, text.units._kept.values())) + len(text.units._last)
    assert kept < 20_000 / 3
    assert len(text.units) + len(text.tail) == 20_000


def test_a_long_text_is_read_once_when_it_is_laid_out() -> None:
    with counted() as work:
        assert Layout(Document(SHORT), 80, PALETTE).height == 20_000
    assert work.lines < 1.1 * 20_000


def test_references_that_are_defined_again_draw_nothing_again() -> None:
    text = Document("".join(f"[a]: http://x/{number}\n\n[a]\n\n" for number in range(500)))
    shown = Layout(text, 80, PALETTE)
    height = shown.height
    with counted() as work:
        for character in "\n[a]: http://x/y":
            text.append(character)
            assert shown.height >= height
    assert work.rows < 100
