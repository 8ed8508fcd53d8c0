"""What a person sees: each kind of block, at an ordinary and at a narrow width."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.theme import BUILTIN_THEMES
from tui_chat.markdown.copying import copied
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout, Link
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.wrap import _SIMPLE, _breaks, _general_breaks, wrap

from tests.markdown.helpers import PALETTE, THEME, rows, screen, shown


def layout_of(source: str, width: int = 60) -> Layout:
    return Layout(Document(source), width, Palette())


def test_a_list_shows_its_markers_and_hangs_its_text() -> None:
    assert screen("- one two three\n  - [x] done\n10. ten\n10. next", 12) == [
        "• one two",
        "  three",
        "  ☑ done",
        "10. ten",
        "11. next",
    ]


def test_the_bar_of_a_quote_goes_on_through_its_blank_rows() -> None:
    assert screen("> a\n>\n> - b\n\nc") == ["▎ a", "▎", "▎ • b", "", "c"]


def test_a_fence_shows_language_and_what_copies_it_and_marks_wrapped_lines() -> None:
    layout = Layout(
        Document("```go title\nabcdefghijkl\n```\n~~~\nx\n~~~"), 12, PALETTE, copies="#{number} c copy"
    )
    assert [line.rstrip() for line in shown(layout)] == [
        "  go title",
        "  abcdefghi",
        " ↪jkl",
        "",
        "",
        "",
        "  x",
        "",
    ]
    layout = Layout(Document("```go\nx = 1\n```"), 60, PALETTE, copies="#{number} c copy")
    assert shown(layout) == ["  go  #1 c copy ", "  x = 1         ", " " * 16]


def test_a_panel_is_about_as_wide_as_its_code_and_no_wider_than_there_is_room() -> None:
    for length in range(1, 80, 7):
        layout = Layout(Document(f"```\na\n{'x' * length}\n"), 60, PALETTE)
        widths = {layout.strip(y).cell_length for y in range(layout.height)}
        assert len(widths) == 1
        assert length + 3 <= max(widths) < length + 12 or max(widths) == 60


def test_without_colours_a_line_runs_along_the_code() -> None:
    layout = Layout(Document("```go\nabcdefghijkl\n```"), 12, Palette(), copies="#{number} c copy")
    assert shown(layout) == ["┌ go", "│ abcdefghi", "│↪jkl", "└ "]


def test_a_table_is_sized_to_its_cells_and_aligned() -> None:
    assert screen("| a | b | c |\n|:-:|--:|---|\n| wide | 1 | x<br>y |") == [
        " a   │ b │ c",
        "─────┼───┼──",
        "wide │ 1 │ x",
        "     │   │ y",
    ]


def test_cells_wrap_where_the_table_is_too_wide() -> None:
    lines = screen("| name | text |\n|---|---|\n| a | one two three four five six |", 25)
    assert lines[2:] == ["a       │ one two three", "        │ four five six"]


def test_columns_that_wrap_stay_and_a_row_with_a_longer_word_is_a_list_of_values() -> None:
    rows = "| name | text |\n|---|---|\n| a | one two three four five six |\n"
    before = screen(rows, 28)
    assert before[2:] == ["a       │ one two three four", "        │ five six"]
    lines = screen(rows + "| incomplete | x |\n| b | y |", 28)
    assert lines[: len(before)] == before
    assert lines[len(before) :] == [
        *("─" * 12, "name: incomplete", "text: x"),
        *("────────┼───────────────────", "b       │ y"),
    ]


def test_a_very_narrow_table_is_a_list_of_values() -> None:
    source = "| first | second | third |\n|---|---|---|\n| alpha | beta | **gamma** |"
    assert screen(source, 16)[-3:] == ["first: alpha", "second: beta", "third: gamma"]


def test_a_column_does_not_follow_a_cell_that_is_still_open() -> None:
    def growing(source: str) -> list[str]:
        return shown(Layout(Document(source, growing=True), 60, PALETTE))

    head = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert growing(head + "| a long long cell")[0] == growing(head + "| a long long cell that goes on")[0]
    assert growing(head + "| a long long cell")[-1].startswith("a long long")  # one row, cut off for a moment
    assert growing(head + "| a long long cell |")[0] != growing(head)[0]
    assert screen(head + "| a long long cell")[-1].startswith("a long long cell")


@given(st.lists(st.lists(st.text("abc ", max_size=30), min_size=3, max_size=3), min_size=1), st.integers(8, 60))
def test_no_word_of_a_table_is_cut_but_one_wider_than_the_screen(cells: list[list[str]], width: int) -> None:
    source = "| x | y | z |\n|---|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in cells)
    words = {word for row in cells for cell in row for word in cell.split() if len(word) < width - 3}
    assert words <= set(re.split(r"[^abc]+", "\n".join(screen(source, width))))


def test_a_faint_rule_parts_rows_only_where_a_cell_wraps() -> None:
    source = "| a | b |\n|---|---|\n| 1 | one two three |\n| 2 | four |\n"
    assert [line for line in screen(source, 40) if "┼" in line] == ["──┼──────────────"]
    assert len([line for line in screen(source, 14) if "┼" in line]) == 2


def test_nesting_too_deep_for_the_width_still_shows_everything() -> None:
    lines = screen("> " * 12 + "- 1. word", 12)
    assert "word" in lines[-1]
    assert "1." in "".join(lines)
    assert all(cell_len(line) <= 12 for line in lines)


@pytest.mark.parametrize("text", ["👩‍👩‍👧", "e\u0301", "❤\ufe0f", "🇩🇪"])
def test_what_is_one_character_is_never_broken(text: str) -> None:
    for width in range(8, 14):
        assert all(line == text * line.count(text) for line in screen(text * 20, width))


def test_closing_punctuation_does_not_begin_a_row() -> None:
    assert screen("日本語の文。日本語", 11)[1][0] != "。"
    assert screen("日本語の文。", 10) == ["日本語の", "文。"]


@given(st.text(alphabet="ab  -/.é", max_size=80), st.integers(1, 20))
def test_both_ways_of_breaking_text_agree(text: str, width: int) -> None:
    if (
        not any(part and part.isspace() for part in text.splitlines())
        and not text.startswith(" ")
        and "  " not in text
    ):
        assert _breaks(text, width, words=True) == _general_breaks(text, width, words=True)


def test_characters_held_for_simple_fill_one_cell() -> None:
    simple = [chr(code) for code in range(0x10000) if _SIMPLE.fullmatch(chr(code))]
    assert len(simple) > 1000
    assert {cell_len(char) for char in simple} == {1}


def test_more_text_changes_nothing_but_the_last_row() -> None:
    text = "one two threeeeeeeeeeeeee four 日本語 five " * 3
    for end in range(len(text)):
        before = wrap([(text[:end], Style())], 11)
        assert wrap([(text, Style())], 11)[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize(
    "source", ["a\tb", "*a*\tb", "`a\tb`", "a&#9;b", "$a\tb$", "| a\tb |\n|---|", "$$\na\tb\n$$", "\ta\tb"]
)
def test_no_tab_reaches_the_screen(source: str) -> None:
    assert not any("\t" in line for line in screen(source))


def test_a_heading_stands_apart_above() -> None:
    assert screen("a\n## b\nc") == ["a", "", "b", "c"]
    assert screen("a\n# bc\nd") == ["a", "", "bc", "━━", "d"]


@pytest.mark.parametrize("heading", ["# <details>", "# <b></b>", "<details>\n==="])
def test_a_heading_that_shows_nothing_takes_no_row(heading: str) -> None:
    assert screen(heading) == []


def test_headings_are_told_from_each_other_and_from_links() -> None:
    for palette in (Palette.from_theme(THEME | {"accent": "#ffc473"}), Palette()):
        styles = [palette.headings[level] for level in (1, 2)]
        assert len({*styles, palette.link}) == 3
        assert not any(style.underline for style in palette.headings[:3])
    assert Palette.from_theme(THEME).table_head.color != Palette.from_theme(THEME).link.color


@pytest.mark.parametrize("name", ["NOTE", "tip", "Important", "WARNING", "caution"])
def test_an_alert_is_a_quote_with_its_name(name: str) -> None:
    assert screen(f"a\n\n> [!{name}]\n> b\n>\n> c\n\n> d") == [
        *("a", "", f"▎ {name.capitalize()}", "▎ b", "▎", "▎ c", "", "▎ d"),
    ]
    layout = Layout(Document(f"> [!{name}]\n> b"), 40, Palette.from_theme(THEME | {"success": "#4ebf71"}))
    assert copied(layout, (0, 0), (2, 0)) == f"> [!{name}]\n> b"


@pytest.mark.parametrize("text", ["> [!HELLO]", "> [!NOTE] and more", "[!NOTE]", "> a\n> [!NOTE]"])
def test_what_only_looks_like_an_alert_stays_as_written(text: str) -> None:
    assert "[!" in "".join(screen(text))


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("<b>a</b> <i>b</i> <del>c</del> <STRONG>d</STRONG>", ["a b c d"]),
        ("H<sub>2</sub>O, x<sup>n+1</sup>", ["H₂O, xⁿ⁺¹"]),
        ("<kbd>Ctrl</kbd>+<kbd>C</kbd>", ["Ctrl+C"]),
        ("a<br>b<br/>c<br />d", ["a", "b", "c", "d"]),
        ("<details>\n<summary>More</summary>\n\ntext\n\n</details>\n\nend", ["▾ More", "", "text", "", "end"]),
    ],
)
def test_harmless_html_is_drawn(source: str, drawn: list[str]) -> None:
    assert screen(source) == drawn


@pytest.mark.parametrize(
    "text",
    ["<b>a", "a</b>", "<b class=x>a</b>", "x<sup>Q</sup>", "<script>b</script>", "`<b>a</b>`", "<u>a</u>", "<i"],
)
def test_other_html_and_what_is_not_closed_stays_as_written(text: str) -> None:
    assert screen(text) == [text.strip("`")]


def test_html_and_odd_links_stay_as_written() -> None:
    for text in (
        "List<String>",
        "<think>",
        "[a](javascript:x)",
        "[a](file:///etc)",
        "[a](./b.md)",
        "![i](data:x)",
    ):
        assert screen(text) == [text]


def test_maths_holds_no_emphasis_and_money_is_no_maths() -> None:
    assert screen("\\(a_1 * b_1 * c\\) and $x_1 + y_1$ and $$a *b* c$$") == [
        "a₁ ∗ b₁ ∗ c and x₁ + y₁ and a ∗ b ∗ c"
    ]
    for text in ("$5_a_ and US$6", "from $5 to $6", "$\\unknown *b* c$"):
        assert screen(text) == [text]


@pytest.mark.parametrize(
    "text", ["&#27;[31m", "&#8238;x", "<http://x.example/%1b%5b>", "[a](http://x.example/\x9b)", "&#13;&#155;"]
)
def test_nothing_decoded_can_act_on_the_terminal(text: str) -> None:
    everything = "".join(screen(text))
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or ord(char) == 0x202E for char in everything)


def test_links_carry_where_they_lead_and_are_listed_in_order() -> None:
    layout = layout_of(
        "[one two](https://a.example) and https://b.example/x_y_z.\n\n[3]\n\n[3]: mailto:a@b.example", 12
    )
    assert [(link.text, link.href) for link in layout.links()] == [
        ("one two", "https://a.example"),
        ("https://b.example/x_y_z", "https://b.example/x_y_z"),
        ("3", "mailto:a@b.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
    ]
    first = layout.links()[0]
    assert first == Link("one two", "https://a.example", ((0, 0, 7),))
    hrefs = [segment.style.meta.get("href") for segment in layout.strip(0) if segment.style]
    assert "https://a.example" in hrefs


def test_a_link_in_several_styles_is_one_and_tells_its_cells() -> None:
    link, other = layout_of("See [a **bold** link](https://a.example) [b](https://a.example/b) here.", 60).links()
    assert (link.text, link.href) == ("a bold link", "https://a.example")
    assert (link.places[0][1], link.places[-1][2]) == (4, 15)
    assert other.places == ((0, 16, 17),)


def test_code_blocks_are_numbered_and_give_their_code() -> None:
    layout = layout_of("```go\n\ta := 1\n```\ntext\n- ```\n  b\n  ```\n\n~~~py\nopen")
    blocks = layout.code_blocks()
    assert [(block.number, block.language, block.source) for block in blocks] == [
        (1, "go", "\ta := 1\n"),
        (2, "", "b\n"),
        (3, "py", "open\n"),
    ]
    lines = shown(layout)
    assert all(lines[block.first_row].lstrip(" •")[0] == "┌" for block in blocks)
    assert all(lines[block.last_row].strip()[0] == "└" for block in blocks)


def test_indented_code_is_one_block_with_its_blank_lines() -> None:
    layout = layout_of("Run:\n\n    cd x\n    make\n\n\n        more\n\nend\n\n- a\n\n      code\n- b\n")
    blocks = layout.code_blocks()
    assert [block.source for block in blocks] == ["cd x\nmake\n\n\n    more\n", "code\n"]
    block = blocks[0]
    rows = [row[:10].rstrip(" ─") for row in shown(layout)[block.first_row - 1 : block.last_row + 2]]
    assert rows == ["", "┌", "│ cd x", "│ make", "│", "│", "│     more", "└", ""]


def test_a_row_that_is_not_there_is_an_error() -> None:
    layout = layout_of("a")
    with pytest.raises(IndexError):
        layout.strip(1)
    with pytest.raises(IndexError):
        layout.row(-1)
    assert layout_of("").height == 0


def test_no_role_is_told_by_colour_alone() -> None:
    for palette in (Palette.from_theme(THEME), Palette.from_theme({"primary": "ansi_blue"}), Palette()):
        assert palette.link.underline
        assert all(style.bold or style.italic or style.underline for style in palette.headings)
    assert shown(layout_of("`x`")) == ["`x`"]
    assert screen("`x`") == ["x"]


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_every_theme_of_textual_makes_a_palette(name: str) -> None:
    variables = BUILTIN_THEMES[name].to_color_system().generate()
    palette = Palette.from_theme(variables)
    by_terminal = name.startswith("ansi")
    assert palette.code_ticks == by_terminal
    assert (palette.code_inline.bgcolor is None) == by_terminal
    assert palette not in [
        Palette.from_theme(theme.to_color_system().generate())
        for other, theme in BUILTIN_THEMES.items()
        if other != name
    ]


def test_a_palette_of_the_terminals_own_colours_is_dim_where_others_blend() -> None:
    palette = Palette.from_theme(
        {"foreground": "ansi_default", "background": "ansi_default", "primary": "ansi_blue"}
    )
    assert palette.dim.dim
    assert Palette.from_theme(THEME).dim.color is not None


def test_importing_the_engine_does_not_import_the_parsers() -> None:
    script = (
        "import sys, tui_chat.markdown.layout as _\n"
        "print([m for m in ('markdown_it', 'pygments.lexer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_of_settled_units_are_kept_within_bounds() -> None:
    layout = layout_of("word " * 10 + "\n\n" + "line\n\n" * 3000)
    assert len(rows(layout)) > 6000
    assert sum(len(drawn) for drawn in layout._drawn.values()) <= 700
