"""Maths as Unicode: formulas as one would write them by hand, and everything else as it was written."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.markdown.copying import copied
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.maths import _DEEPEST, drawn
from tui_chat.markdown.palette import Palette

from tests.markdown.helpers import PALETTE, screen, shown

_TEXT = (Path(__file__).parent / "formulas.txt").read_text()
TABLE = {
    source: [row.removeprefix("    ") for row in rows.splitlines()]
    for source, rows in re.findall(r"^(\S.*)\n((?:    .*\n)+)", _TEXT, re.MULTILINE)
}
"""Formulas and how they are drawn, each read by eye."""


def test_the_table_is_as_long_as_was_promised() -> None:
    assert len(TABLE) >= 80


@pytest.mark.parametrize("source", TABLE)
def test_a_formula_is_written_as_by_hand(source: str) -> None:
    assert list(drawn(source) or ()) == TABLE[source]


@pytest.mark.parametrize("source", TABLE)
def test_a_formula_comes_at_once_when_it_is_complete_and_moves_nothing(source: str) -> None:
    """In a paragraph of its own, and in the middle of one: rows never become fewer, nor does a word go up."""
    for before, after in (("So we get:\n\n", "\n\nAnd on.\n"), ("We know that " + "word " * 12, " and so on.\n")):
        text = before + source + after
        document = Document(growing=True)
        layout = Layout(document, 80, PALETTE)
        rows: list[str] = []
        for character in text:
            document.append(character)
            now = shown(layout)
            assert len(now) >= len(rows)
            assert now[: len(rows) - 1][:-1] == rows[:-1][:-1]
            rows = now
        document.growing = False
        assert shown(layout) == screen(text)


@pytest.mark.parametrize("source", TABLE)
def test_a_copy_is_what_was_written(source: str) -> None:
    for text in (f"{source}\n", f"see {source} there"):
        layout = Layout(Document(text), 200, PALETTE)
        assert copied(layout, (0, 0), (layout.height, 0)).strip() == text.strip()
        if text.startswith("see"):
            assert copied(layout, (0, 0), (0, layout.strip(0).cell_length)) == text


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $6.",
        "Pay $5, then pay another 6$ later.",
        "Set $HOME and $PATH, or $HOME:$PATH.",
        "`$x^2$` and `\\(y\\)`",
        "```\n$x^2$\n$$\ny^2\n$$\n```",
        "$\\unknown{x}^2$",
        "$\\frac{a$",
        "$x^$",
        "$$\n\\begin{tikzpicture} \\draw (0,0); \\end{tikzpicture}\n$$",
        "\\(a % comment\\)",
        "\\[ \\left( x \\]",
        "$$\nx^2\n\nand no end",
    ],
)
def test_what_is_no_maths_or_not_understood_stays_as_it_was_written(text: str) -> None:
    shown_ = "\n".join(screen(text))
    for line in filter(None, text.replace("`", "").split("\n")):
        assert line in shown_


PARTS = st.sampled_from(
    [
        *(
            r"\frac{a}{b}",
            r"\frac",
            r"\sqrt[3]",
            r"\sqrt",
            r"\sum",
            r"\hat",
            r"\text{if }",
            r"\left(",
            r"\right)",
            r"\left",
        ),
        *(
            r"\begin{pmatrix}",
            r"\end{pmatrix}",
            r"\begin{cases}",
            r"\end{cases}",
            r"\\",
            "&",
            "{",
            "}",
            "^",
            "_",
            "'",
            "$",
        ),
        *(
            "x",
            "y",
            "12",
            "+",
            "-",
            "=",
            " ",
            "(",
            ")",
            "[",
            "]",
            "|",
            ",",
            "%",
            "#",
            "~",
            "é",
            "漢",
            "\n",
            "\\",
            r"\alpha",
        ),
        *(
            r"\mathbb{R}",
            r"\nonsense",
            r"\int",
            r"\lim",
            r"\,",
            r"\quad",
            r"\{",
            r"\}",
            r"\operatorname{foo}",
            "\u0301",
        ),
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(PARTS, max_size=14).map("".join),
    st.sampled_from([("$", "$"), ("$$", "$$"), (r"\(", r"\)"), (r"\[", r"\]")]),
)
def test_nothing_raises_and_no_text_is_lost(formula: str, ends: tuple[str, str]) -> None:
    source = ends[0] + formula + ends[1]
    rows = drawn(source)
    assert rows is None or all(rows) or len(rows) > 1
    if rows is not None:
        written = unicodedata.normalize("NFKD", "".join(rows))
        words = re.sub(r"\\sqrt\[3\]|\\(?:begin|end)\{\w+\}|\\[a-zA-Z]+|\\.|漢", " ", formula)
        assert all(letter in written for letter in re.findall(r"[a-z0-9]", words))
    Layout(Document(source), 40, PALETTE).strip(0)


@given(st.text(max_size=40))
def test_an_unknown_command_leaves_everything_as_it_was(text: str) -> None:
    assert drawn(f"\\({text}\\nonsense\\)") is None


@pytest.mark.parametrize(
    "part", ["{", r"\frac{", r"\left(", r"\begin{matrix}", r"\sqrt", "^", r"x^{", r"\hat", "[", "$", "\\"]
)
def test_hostile_nesting_is_not_drawn(part: str) -> None:
    for count in (_DEEPEST + 1, 200, 5000):
        assert drawn(f"$${part * count}$$") is None or part in "[\\"
        Layout(Document(f"$${part * count}$$"), 40, PALETTE).strip(0)


def test_what_is_too_long_or_too_deep_is_not_parsed() -> None:
    with patch("pylatexenc.latexwalker.LatexWalker") as walker:
        for source in ("$" + "x" * 3000 + "$", "$$" + "{" * 100 + "}" * 100 + "$$"):
            assert drawn(source) is None
    assert not walker.called


def test_the_parser_is_loaded_with_the_first_formula() -> None:
    script = (
        "import sys; from tui_chat.markdown.layout import Document, Layout, Palette\n"
        "for text in ('a *b*', '$5', '$x^2$'):\n"
        "    Layout(Document(text), 80, Palette()).strip(0); print('pylatexenc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_a_formula_is_read_once_however_often_its_paragraph_is_drawn() -> None:
    document = Document("It is $x^2 + 7y$ here", growing=True)
    layout = Layout(document, 80, Palette())
    layout.strip(0)
    with patch("pylatexenc.latexwalker.LatexWalker") as walker:
        for _ in range(50):
            document.append(" word")
            layout.strip(layout.height - 1)
    assert not walker.called


def test_a_formula_wider_than_the_screen_is_wrapped_or_shown_as_it_was_written() -> None:
    matrix = r"\begin{pmatrix} aaaaaaaa & bbbbbbbbb \\ c & d \end{pmatrix}"
    assert all(len(row) <= 16 for row in screen(f"$$ {matrix} $$", 16))
    assert "pmatrix" in "".join(screen(f"$$ {matrix} $$", 16))
    assert screen("$$a = b + c + d + e + f$$", 12)[0].startswith("a = b")
