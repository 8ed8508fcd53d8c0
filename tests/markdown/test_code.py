"""Code coloured line by line is coloured as it is at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name
from tui_chat.markdown.code import LexState, highlighter_for
from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout

from tests.markdown.helpers import PALETTE, shown

SAMPLES = {
    "python": 'def f(x):\n    """One\n    two."""\n    return f"{x!r:>10}" + \'\'\'a\nb\'\'\'  # end\n\n@deco\nclass A(B): pass\n',
    "c": '#include <a.h>\n/* one\n * two */ int main(void) { return 0; } /* "x" */\nchar *s = "/* no */";\n',
    "go": 's := `raw\nmore` + "x"\n/* c\n*/ func (t T) M() error { return nil }\n',
    "rust": '/* a\nb */ fn main() { let x: u32 = 1; println!("{}", x); }\n',
    "javascript": "const s = 'x';\n/* q\n */ function f(a) { return a => `x ${a} y`; }\n",
    "sql": "SELECT a, b -- c\nFROM t /* x\ny */ WHERE a = 'z';\n",
    "html": '<!-- a\nb --><p class="x">text</p>\n',
    "css": "/* a\nb */ p { color: red; }\n",
    "bash": "for f in *.txt; do\n  echo \"$f\" | sed 's/a/b/'\ndone\n",
    "ruby": 'def a(b)\n  puts "x #{b}"\nend\n',
    "java": "/** Doc\n * more */\npublic class A { int x = 1; }\n",
}


def colours(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Character by character, blanks left out: they show no colour, and lexers group them at will.

    Kinds of strings and comments are one here: whether a string is a docstring shows only where it ends.
    """
    return [(char, ".".join(kind.split(".")[:2])) for kind, text in tokens for char in text if not char.isspace()]


def by_line(language: str, code: str) -> list[tuple[str, str]]:
    highlighter = highlighter_for(language)
    assert highlighter is not None
    state = LexState()
    tokens = []
    for line in code.split("\n"):
        found, state = highlighter.line(line, state)
        assert "".join(text for _, text in found) == line
        tokens += found
    return tokens


@pytest.mark.parametrize("language", SAMPLES)
def test_lines_get_the_colours_of_the_whole(language: str) -> None:
    whole = get_lexer_by_name(language).get_tokens(SAMPLES[language])
    expected = colours([(str(kind).removeprefix("Token").removeprefix("."), text) for kind, text in whole])
    assert colours(by_line(language, SAMPLES[language])) == expected


@pytest.mark.parametrize(
    "language", [*SAMPLES, "yaml", "console", "json", "php", "sass", "haml", "makefile", "diff", "rst"]
)
@settings(max_examples=15, deadline=None)
@given(code=st.text(alphabet=st.sampled_from("ab1 \t\n\"'`/*<>{}()[]#-=:$%\\|.,;!@é日"), max_size=120))
def test_no_character_of_any_code_is_lost(language: str, code: str) -> None:
    by_line(language, code)


def test_an_unknown_language_has_no_colours_and_none_is_guessed() -> None:
    assert highlighter_for("no-such-language") is None
    assert highlighter_for("") is None
    assert highlighter_for("text") is None


def test_unbalanced_code_does_not_pile_up_state() -> None:
    highlighter = highlighter_for("c")
    assert highlighter is not None
    state = LexState()
    for _ in range(500):
        _, state = highlighter.line("int f() {{{{ (((", state)
    assert len(state.stack) < 100


UNFINISHED = {"c": "int main(void) {\n    foo();", "css": "a {", "html": "<div", "sh": "$(ls", "rust": "fn f("}


@pytest.mark.parametrize("language", UNFINISHED)
def test_a_block_of_code_that_is_unfinished_says_nothing_about_the_next_one(language: str) -> None:
    below = "```bash\nmake\n```\n\n```python\nx = 1\n```"
    source = f"```{language}\n{UNFINISHED[language]}\n```\n\n{below}"
    layout, alone = Layout(Document(source), 60, PALETTE), Layout(Document(below), 60, PALETTE)
    assert shown(layout)[-len(shown(alone)) :] == shown(alone)
    for row in range(1, alone.height):
        assert layout.row(layout.height - row).strip() == alone.row(alone.height - row).strip()
