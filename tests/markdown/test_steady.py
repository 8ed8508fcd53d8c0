"""While an answer streams its rows stay: what is at the end of it may change, but nothing goes up again or down."""

from __future__ import annotations

import pytest
from tui_chat.markdown import Document

from tests.markdown.helpers import PALETTE, screen, shown

ANSWERS = {
    "tight list": "Here it is:\n\n- first item\n- second item, of words\n* a star\n+ a plus\n\nAfter it.\n",
    "ordered list": "Steps:\n\n1. one\n2. two\n3. three\n10. ten\n4) four\n\nEnd.",
    "loose list": "- a\n\n- b\n\n  more of it\n\n- c\n\nText\n",
    "nested list": "- a\n  - b\n    - c\n  - d\n- e\n  1. x\n  2. y\n\n     more\n- f\n",
    "list below text": "Text\n- a\n- b\n1. c\n2. d\nlazy\n",
    "empty items": "- a\n-\n- c\n\n1.\n2. x\n-\n  text\n",
    "tasks": "- [ ] open\n- [x] done\n- [ ] last\n",
    "tables": "Look:\n\n| a | b |\n|---|---|\n| 1 | two words |\n| 3 | 4 |\n\nAfter\n\ntext\n| x |\n|---|\n| y |\n",
    "fences": "Code:\n```python\nx = 1\n\n    y\n```\nmore\n\n- item\n  ```sh\n  ls\n  ```\n- next\n",
    "headings": "# One\nText\n## Two\n\nText\n### Three\n- a\n---\nText\n***\nSetext\n======\nx\n= 1\nend",
    "quotes": "text\n> a\n> b\n>\n> c\n\n> new\n> - item\n> - item\nlazy\n",
    "maths": "So\n$$\nx = 1\n$$\nand\n\\[\ny\n\\]\nend\n",
    "notes": "see [^1] and [x][1]\n\n[1]: http://a.example/c\n[^1]: a note\n    goes on\n\nend",
    "indented code": "Run:\n\n    cd x\n    make\n\n    more\n\nend\n\n- a\n\n      code\n- b\n",
}


def letters(row: str) -> str:
    """What stays of a row whose columns or marks change."""
    return "".join(filter(str.isalnum, row))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("width", [48, 80])
@pytest.mark.parametrize("size", [1, 4])
def test_no_row_of_a_growing_answer_moves(answer: str, width: int, size: int) -> None:
    source = ANSWERS[answer]
    document = Document()
    layout = document.layout(width, PALETTE)
    seen: list[str] = []
    for start in range(0, len(source), size):
        document.append(source[start : start + size])
        now = shown(layout)
        assert len(now) >= len(seen), (document.source, seen, now)
        above = len(seen) - 3  # the last block of these answers is that short
        assert [*map(letters, now)][: max(0, above)] == [*map(letters, seen)][: max(0, above)], document.source
        seen = now


@pytest.mark.parametrize("marker", ["-", "*", "2.", "2)", "- [ ]", ">"])
def test_a_marker_without_text_yet_stands_where_it_will(marker: str) -> None:
    for before in ("1. a\n", "- a\n", "# a\n", "> a\n\n"):
        yet, then = (screen(f"{before}{marker}{text}") for text in ("", " b"))
        assert len(yet) == len(then)
