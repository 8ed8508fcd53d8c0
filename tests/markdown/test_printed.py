"""Markdown printed to a terminal that scrolls: however it came, it ends as if it had been there at once."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_chat.markdown.printed import Printed
from tui_chat.text.sanitize import clean

from tests.terminal.emulator import Emulator

COLUMNS, ROWS = 30, 120
PIECES = (
    "word",
    " ",
    "\n",
    "\n\n",
    "1. a\n2",
    ". ",
    "- ",
    "> ",
    "# ",
    "| a | b |\n",
    "|---|---|\n",
    "```\n",
    "**",
    "漢字",
    "👩‍👩‍👧",
    "[x](",
    "http://a/b)",
)


def shown(chunks: list[str], rows: int = ROWS) -> list[str]:
    """What a terminal shows at the end."""
    screen, printed = Emulator(COLUMNS, ROWS), Printed(COLUMNS, rows)
    written = [*map(printed.append, chunks), printed.close()]
    screen.feed("".join(written).replace("\n", "\r\n"))
    return [row.rstrip() for row in screen.text]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
@example(["1. a\n2", ". ", "\n\n", "word"])
@example(["word\n", "- ", "\n\n", "| a | b |\n", "|---|---|\n"])
def test_it_ends_as_if_it_had_come_at_once(chunks: list[str]) -> None:
    assert shown(chunks) == shown(["".join(chunks)])
    assert shown(chunks) == shown(chunks, rows=0)


@settings(deadline=None)
@given(st.text("ab \n*|-`#\x00é", max_size=60), st.integers(1, 200))
def test_only_its_own_sequences_are_written(text: str, columns: int) -> None:
    printed = Printed(columns, 10)
    written = printed.append(clean(text)) + printed.close()
    rest = re.sub(r"\x1b\[[\d;]*[mAJ]|\r", "", written)
    assert not [character for character in rest if ord(character) < 32 and character != "\n"]


@pytest.mark.parametrize(
    ("href", "linked"), [("https://a.b/c", True), ("javascript:x", False), ("file:///x", False)]
)
def test_links_that_lead_to_the_web_can_be_clicked(href: str, linked: bool) -> None:
    printed = Printed(COLUMNS, 0)
    printed.append(f"[x]({href})")
    assert (f";{href}\x1b\\" in printed.close()) is linked


def test_a_token_costs_a_few_bytes_however_long_the_text_is() -> None:
    printed = Printed(COLUMNS, 20)
    sizes = [len(printed.append(f"word{number} ")) for number in range(500)]
    assert sum(sizes) < 15 * 500
    assert all(later < 100 for _, later in pairwise(sizes))
