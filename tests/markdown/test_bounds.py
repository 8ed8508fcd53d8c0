"""Texts that nobody writes, but a model caught in a loop or somebody hostile does: what they cost, as counts."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from markdown_it.parser_inline import ParserInline
from markdown_it.token import Token
from tui_chat.markdown import inline, wrap
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout

from tests.markdown.helpers import PALETTE, rows, units_of

WIDTH = 100


@pytest.mark.parametrize("mark", ["!", "[", ":", "*", "\\[", "![", "~", "<", "&", "$", "`", "_*"])
def test_a_loop_of_marks_is_taken_as_text_and_all_of_it_shown(mark: str) -> None:
    parsed = 0
    parse = ParserInline.parse

    def counted(self: ParserInline, text: str, *arguments: Any) -> list[Token]:
        nonlocal parsed
        parsed += len(text)
        return parse(self, text, *arguments)

    text = "x" + mark * (100_000 // len(mark))
    with patch.object(ParserInline, "parse", counted):
        layout = Layout(Document(text), WIDTH, PALETTE)
        assert "".join(row.text for row in rows(layout)) == text
    assert parsed < 2 * inline._MOST_MARKS


@pytest.mark.parametrize("mark", ["\u0301", "\u200b", "\u200d", "\ufe0f"])
def test_a_row_of_characters_without_width_comes_to_an_end(mark: str) -> None:
    looked_at = 0
    graphemes_of = wrap.graphemes_of

    def counted(text: str) -> list[tuple[int, int, int]]:
        nonlocal looked_at
        looked_at += len(text)
        return graphemes_of(text)

    text = "a" + mark * 50_000
    with patch.object(wrap, "graphemes_of", counted):
        layout = Layout(Document(text), WIDTH, PALETTE)
        shown = [row.text for row in rows(layout)]
    assert "".join(shown) == text
    assert max(map(len, shown)) <= wrap._CHARACTERS_PER_CELL * WIDTH
    assert looked_at < 5 * len(text)


def test_nesting_ends_where_nobody_can_read_it() -> None:
    document = Document("> " * 5000 + "x\n\n" + "- " * 5000 + "y")
    assert max(len(unit.place.path) for unit in units_of(document)) <= 100
