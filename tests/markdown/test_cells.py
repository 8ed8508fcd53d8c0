"""Whatever a model sends: no row is wider than its width, and none holds a control character."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.terminal.frames import row_cells
from tui_chat.text.sanitize import clean

from tests.hostile import ACTING, DISPUTED, ENTITIES, WORDS
from tests.markdown.helpers import PALETTE, rows

MARKDOWN = [
    *("- ", "1. ", "- [ ] ", "> ", "# ", " |\n", "| ", " | ", "| a | b |\n|---|---|\n", "]: ", "---\n", "    "),
    *("`", "```", "```\n", "~~~", "**", "*", "_", "~~", "$", "$$\n", "\n", "\n\n", "<br>", "\\"),
    *("[", "](https://a.example/", ")", "![", "<https://a.example/", ">", "[^", "]", "\n[^1]: ", "\ndef f(): # "),
    *("\n[r]: https://r.example\n", "\n\n[r]: <https://a.example/", ">\n", "```py x="),
]
PIECES = ["", *DISPUTED, *ACTING, *ENTITIES, *WORDS, *MARKDOWN]
SOURCES = st.lists(st.sampled_from(PIECES), min_size=20, max_size=40).map("".join)
ACTS = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")


def check(layout: Layout, width: int) -> None:
    for row in rows(layout):
        texts = [segment.text for segment in row.segments]
        text = "".join(texts)
        assert not ACTS.search(text), texts
        drawn = len(row_cells("\x1b[m".join(texts)))
        assert drawn <= width, texts
        assert drawn == len(row_cells(text)) == cell_len(text) == row.strip().cell_length, texts


@settings(max_examples=400, deadline=None)
@example("```go\tx\n```", 20)
@example("[r]: <https://a.example/\tb>", 80)
@example("a\u200d " * 20, 20)
@given(SOURCES, st.sampled_from([8, 20, 38, 80]))
def test_no_row_is_wider_than_its_width_or_acts_on_a_terminal(source: str, width: int) -> None:
    check(Layout(Document(clean(source)), width, PALETTE), width)


@settings(max_examples=200, deadline=None)
@given(SOURCES, st.sampled_from([20, 38, 80]))
def test_nor_while_it_comes(source: str, width: int) -> None:
    document = Document()
    layout = Layout(document, width, PALETTE)
    for start in range(0, len(source), 7):
        document.append(clean(source[start : start + 7]))
        check(layout, width)
