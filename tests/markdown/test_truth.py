"""Nothing is swallowed, nothing is too wide, and the structure is the one that Markdown has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.units import (
    Break,
    CodeStart,
    Definition,
    Item,
    Note,
    Quote,
    TableRow,
    Text,
)

from tests.markdown.helpers import CORPUS, MARKDOWN, PALETTE, SNIPPETS, rows, shown, units_of

UNSHOWN = re.compile(
    r"""(?<=\])\((?:<[^<>\n]*>|[^\s()]|\([^\s()]*\))*(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)   # where a link leads, its title
      | (?<=\])\[[^\]]*\]                                       # the label of a reference
      | &\#?\w+;                                                # entities, which are shown decoded
      | (?<=\[)[xX](?=\]\s)                                     # the mark of a task
      | ^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*(?:\d+[.)])             # an item's number, which may be counted
      | </?(?:br|b|i|s|em|strong|del|kbd|details|summary|su[bp])\s*/?>    # HTML that is drawn
      | \\[a-zA-Z]+                                            # a command of maths
    """,
    re.VERBOSE | re.MULTILINE,
)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def read(layout: Layout) -> str:
    """All that stands on the screen, without wrapping."""
    return "".join(("" if row.continues else "\n") + "".join(s.text for s in row.segments) for row in rows(layout))


def missing(source: str, width: int) -> list[str]:
    screen = read(Layout(Document(source), width, PALETTE))
    screen += unicodedata.normalize("NFKC", screen)  # raised and lowered figures
    screen += unicodedata.normalize("NFD", screen)  # an accent that maths puts on its letter
    return [word for word in words(UNSHOWN.sub(" ", source)) if word not in screen]


@pytest.mark.parametrize("section", CORPUS)
def test_no_word_of_the_source_is_missing_on_screen(section: str) -> None:
    for snippet in CORPUS[section]:
        assert missing(snippet, 200) == [], snippet


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
@example("~~~~two words ```")
@example("```python title='x.py'")
def test_no_word_of_any_source_is_missing_on_screen(source: str) -> None:
    assert missing(source + "\n", 200) == []  # a cell that is still open may be wrapped within a word


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
def test_no_row_is_wider_than_the_width(source: str) -> None:
    for width in (8, 11, 40):
        layout = Layout(Document(source), width, PALETTE)
        assert all(layout.strip(y).cell_length <= width for y in range(layout.height)), shown(layout)


def test_no_row_of_the_corpus_is_wider_than_the_width_or_told_wrong() -> None:
    for width in (8, 15, 33, 80):
        for snippet in SNIPPETS:
            layout = Layout(Document(snippet), width, PALETTE)
            for y in range(layout.height):
                strip = layout.strip(y)
                assert strip.cell_length == sum(segment.cell_length for segment in strip) <= width, snippet


CONTAINERS = {"blockquote": "quote", "list_item": "item"}
LEAVES = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "fence": "fence",
    "code_block": "code",
    "hr": "break",
    "table_open": "table",
}

Leaf = tuple[str, tuple[str, ...]]


def expected_leaves(source: str) -> list[Leaf]:
    """The leaves that markdown-it sees, each with its containers."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    path: list[str] = []
    leaves = []
    for token in markdown.parse(source):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in CONTAINERS and token.nesting == 1:
            path.append(CONTAINERS[name])
        elif name in CONTAINERS:
            path.pop()
        elif token.type in LEAVES:
            leaves.append((LEAVES[token.type], tuple(path)))
    return leaves


def own_leaves(source: str) -> Iterator[Leaf]:
    document = Document(source)
    for unit in units_of(document):
        kind = ""
        if isinstance(unit, Text) and (unit.level or unit.text) and not unit.joined:
            kind = "heading" if unit.level else "paragraph"
        elif isinstance(unit, CodeStart):
            kind = "fence" if unit.text else "code"
        elif isinstance(unit, Break):
            kind = "break"
        elif isinstance(unit, TableRow) and unit.head:
            kind = "table"
        if kind:
            yield kind, tuple(_name(container) for container in unit.place.path)


def _name(container: Quote | Item | Note) -> str:
    return {Quote: "quote", Item: "item", Note: "note"}[type(container)]


OUR_WAY = re.compile(
    r"""\[\^ | \]:                                           # footnotes and definitions
      | \$\$\s*$ | \\\[(?!.*\]\()                              # displayed maths
      | ^[ \t>]*[-=][ \t]*$                                  # a setext underline of one character
      | ^(?:[ \t]*(?:[-+*>]|\d+[.)])|[ ]{4}|[ ]*\t).*\n[ ]*\|---    # where only one of us sees a table's head
    """,
    re.VERBOSE | re.MULTILINE,
)


@pytest.mark.parametrize("section", CORPUS)
def test_blocks_are_those_that_markdown_it_sees(section: str) -> None:
    for snippet in CORPUS[section]:
        if not OUR_WAY.search(snippet):
            assert list(own_leaves(snippet)) == expected_leaves(snippet), snippet


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
@example("\\[x](https://a.example/b)")
def test_blocks_of_any_source_are_those_that_markdown_it_sees(source: str) -> None:
    if not OUR_WAY.search(source):
        assert list(own_leaves(source)) == expected_leaves(source)


def test_definitions_and_notes_are_units_of_their_own() -> None:
    document = Document("[a]: https://a.example\n[b]: https://b.example\n\n[^1]: note\n    more\n")
    kinds = [type(unit) for unit in units_of(document)]
    assert kinds == [Definition, Definition, Text]
    assert all(one.place != other.place or one != other for one, other in pairwise(units_of(document)))
