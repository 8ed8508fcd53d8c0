"""While an answer streams its rows stay: what is at the end of it may change, but nothing goes up again or down."""

from __future__ import annotations

from collections import Counter

import pytest
from tui_chat.markdown.document import Document
from tui_chat.markdown.growing import completed
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.units import TableRow

from tests.markdown.answers import answer, recorded, tokens
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
    "notes": "see [^1] and [1]\n\n[1]: http://a.example/c\n[^1]: a note\n    goes on\n\nend",
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
    document = Document(growing=True)
    layout = Layout(document, width, PALETTE)
    seen: list[str] = []
    for start in range(0, len(source), size):
        document.append(source[start : start + size])
        now = shown(layout)
        assert len(now) >= len(seen), (document.source, seen, now)
        above = [*map(letters, seen)][:-1]
        assert all(letters(now[y]).startswith(row) for y, row in enumerate(above)), document.source
        seen = now


@pytest.mark.parametrize("marker", ["-", "*", "2.", "2)", "- [ ]", ">"])
def test_a_marker_without_text_yet_stands_where_it_will(marker: str) -> None:
    for before in ("1. a\n", "- a\n", "# a\n", "> a\n\n"):
        yet, then = (screen(f"{before}{marker}{text}") for text in ("", " b"))
        assert len(yet) == len(then)


REAL = [*recorded(), *map(answer, range(190))]


def moves(text: str, seed: int, width: int) -> dict[int, int]:
    """How often the rows of a table moved while `text` came, by the table's `run`; no other row may.

    A row may get more at its end, and lose a word that wraps; it moves if it is another one then, but for the last
    row of all.
    """
    document = Document(growing=True)
    layout = Layout(document, width, PALETTE)
    seen: list[str] = []
    moved: Counter[int] = Counter()
    for token in tokens(text, seed):
        document.append(token)
        changed = layout.take_changed()
        if changed is None:
            continue
        assert layout.height >= len(seen), document.source
        now = [letters(layout.strip(y).text) for y in range(changed, layout.height)]
        for y, before, after in zip(range(changed, len(seen) - 1), seen[changed:], now, strict=False):
            if not after.startswith(before) and not (after and before.startswith(after)):
                unit = layout._unit(layout._heights.find(y)[0])
                assert isinstance(unit, TableRow), (document.source, before, after)
                moved[unit.run] += 1
                break
        seen[changed:] = now
    document.growing = False
    assert shown(layout) == shown(Layout(Document(text), width, PALETTE))
    return moved


@pytest.mark.parametrize("part", range(10))
def test_no_row_of_200_answers_moves_while_they_come(part: int) -> None:
    assert len(REAL) > 200
    for seed, text in enumerate(REAL[part::10]):
        moved = moves(text, seed, (48, 80, 120)[seed % 3])
        assert all(times <= 1 for times in moved.values()), (text, moved)  # a table that no longer fits


def test_a_star_below_an_item_is_no_rule_that_goes_again() -> None:
    """A nested item that begins bold was a rule for a moment: a blank row and a line, which went again."""
    for marks in ("- a\n  * **", "- a\n* **", "1. a\n   * *"):
        assert shown(Layout(Document(marks, growing=True), 60, PALETTE)) == shown(
            Layout(Document(marks.partition("\n")[0]), 60, PALETTE)
        )


@pytest.mark.parametrize(
    ("open_", "closed"),
    [
        ("a **bo", "a **bo**"),
        ("a **bo*", "a **bo**"),
        ("*it **bo", "*it **bo***"),
        ("a **b** c", "a **b** c"),
        ("~~ol", "~~ol~~"),
        ("use `co", "use `co`"),
        ("use ``a`", "use ``a``"),
        ("use `", "use "),
        ("see [do", "see [do](https://)"),
        ("see [do]", "see [do](https://)"),
        ("see [do](ht", "see [do](https://)"),
        ("see [do](https://a.b/(c", "see [do](https://a.b/(c)"),
        ("see [do](./x", "see [do](./x"),
        ("[a **b", "[a **b**](https://)"),
        *((same, same) for same in ("a[i", "[1] x", "[ ] x", "2 * 3 *x* y", "costs $5", "a * b")),
        ("costs $5, **b", "costs $5, **b**"),
        ("call *args. And", "call *args. And"),
        ("line *one\nline **two", "line *one\nline **two**"),
        ("snake_ca", "snake_ca"),
        ("<kbd>Ct", "<kbd>Ct</kbd>"),
        ("H<sub>2", "H<sub>2</sub>"),
        ("a <kb", "a "),
        ("a <kbd>", "a "),
        ("a <int", "a <int"),
        ("<b>a</b> b", "<b>a</b> b"),
        ("x\\", "x"),
    ],
)
def test_what_is_open_is_shown_as_what_it_will_be(open_: str, closed: str) -> None:
    assert completed(open_) == (closed, "")


@pytest.mark.parametrize(
    ("open_", "closed", "ahead"),
    [
        ("so $x_1 * **a", "so ", "$x_1 * **a"),
        ("**F: $x", "**F: **", "$x"),
        ("so \\(a * b", "so ", "\\(a * b"),
        ("$x$ and $y", "$x$ and ", "$y"),
        ("$HOME is set", "$HOME is set", ""),
        ("costs $5", "costs $5", ""),
    ],
)
def test_a_formula_that_is_open_is_kept_apart(open_: str, closed: str, ahead: str) -> None:
    assert completed(open_) == (closed, ahead)


@pytest.mark.parametrize(
    "end", ["**bo", "[x](", "`co", "- ", "1", "| a", "\\", "> [!NO", "a\n==", "```", "``", "$$", "~", "[^1"]
)
def test_what_is_held_back_is_shown_once_nothing_more_comes(end: str) -> None:
    for before in ("", "text\n", "- a\n\n", "```py\nx\n"):
        document = Document(before + end, growing=True)
        layout = Layout(document, 60, PALETTE)
        assert layout.height >= 0
        document.growing = False
        assert shown(layout) == screen(before + end, 60)


@pytest.mark.parametrize("width", [24, 40, 80])
def test_the_rows_of_a_table_change_once_at_most_while_rows_come(width: int) -> None:
    document = Document("| name | text |\n|---|---|\n", growing=True)
    layout = Layout(document, width, PALETTE)
    seen, changes = [*map(letters, shown(layout))], 0
    for size in range(1, 40):
        document.append(f"| {'a' * size} | words{' of many letters' * (size // 5)} |\n")
        now = [*map(letters, shown(layout))]
        changes += now[: len(seen)] != seen
        seen = now
    assert changes == 1
