"""The promise that a token costs the same at the end of a long reply, as counts: no clock, so no flaky run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from tui_chat.markdown import inline
from tui_chat.markdown.blocks import BlockParser
from tui_chat.markdown.code import Highlighter, LexState
from tui_chat.markdown.document import Document
from tui_chat.markdown.draw import Painter
from tui_chat.markdown.layout import Layout

from tests.markdown.helpers import PALETTE
from tests.markdown.sources import KINDS, tokens


@dataclass(slots=True)
class Work:
    """What was done for one token."""

    lines: int = 0
    characters: int = 0
    rows: int = 0
    coloured: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    work = Work()
    line, parse, draw, colour = BlockParser.line, inline.parse, Painter.draw, Highlighter.line

    def counted_line(self: BlockParser, text: str, **options: bool) -> None:
        work.lines += 1
        line(self, text, **options)

    def counted_parse(text: str, references: Any) -> list[inline.Span]:
        work.characters += len(text)
        return parse(text, references)

    def counted_draw(self: Painter, *arguments: Any) -> Any:
        drawn = draw(self, *arguments)
        work.rows += len(drawn[0])
        return drawn

    def counted_colour(self: Highlighter, text: str, state: LexState) -> Any:
        work.coloured += len(text)
        return colour(self, text, state)

    with (
        patch.object(BlockParser, "line", counted_line),
        patch.object(inline, "parse", counted_parse),
        patch.object(Painter, "draw", counted_draw),
        patch.object(Highlighter, "line", counted_colour),
    ):
        yield work


def step(document: Document, layout: Layout, token: str) -> None:
    document.append(token)
    height = layout.height
    layout.take_changed()
    for y in range(max(0, height - 40), height):
        layout.strip(y)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_costs_the_same_at_the_end_of_a_long_reply(kind: str) -> None:
    document = Document()
    layout = Layout(document, 100, PALETTE)
    every = list(tokens(kind, 20_000))
    document.append("".join(every[:-700]))
    step(document, layout, "")
    with counted() as work:
        for token in every[-700:]:
            work.lines = work.characters = work.rows = work.coloured = 0
            step(document, layout, token)
            assert work.lines <= 4
            assert work.characters <= 2_600
            assert work.rows <= 90
            assert work.coloured <= 1_000
    assert document.source == "".join(every)


def test_a_table_is_drawn_anew_only_when_its_columns_change() -> None:
    document = Document("| a | b |\n|---|---|\n" + "| one two | three four five |\n" * 2000)
    layout = Layout(document, 20, PALETTE)
    assert layout.height > 2000
    with counted() as work:
        for _ in range(50):
            for token in ("| one", " two |", " three ", "**four** five", " |\n"):
                step(document, layout, token)
    assert work.rows < 50 * 5 * 100


def test_a_wider_cell_in_a_table_that_fits_measures_no_row_again() -> None:
    document = Document("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 2000)
    layout = Layout(document, 80, PALETTE)
    assert layout.height == 2002
    with counted() as work:
        step(document, layout, "| wider than before | 2 |\n")
    assert layout.take_changed() is None
    assert work.rows < 100
    assert layout.strip(0).text.startswith("a                 │ b")


def test_opening_a_finished_reply_draws_each_unit_once() -> None:
    source = "".join(tokens("mixed", 4000))
    with counted() as work:
        layout = Layout(Document(source), 80, PALETTE)
        height = layout.height
        assert work.rows == height
        layout.strip(height - 1)
        assert work.rows == height


def test_what_is_not_looked_at_is_not_drawn() -> None:
    document = Document()
    with counted() as work:
        for token in tokens("prose", 2000):
            document.append(token)
    assert work == Work()
