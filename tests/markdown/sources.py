"""Markdown of each kind, of any length, for counting and measuring."""

from __future__ import annotations

from collections.abc import Callable, Iterator

TEXT = """the queue holds at most sixteen values and a sender waits until one of them was taken by somebody else
which is how back pressure works in practice whatever the language calls its channels"""
WORDS = TEXT.split()


def _words(count: int, start: int) -> str:
    return " ".join(WORDS[(start * 7 + index) % len(WORDS)] for index in range(count))


def prose(index: int) -> str:
    return _words(60 + index % 40, index).capitalize() + ".\n\n"


def giant_paragraph(index: int) -> str:
    return _words(20, index) + ", *so it goes* and `code` too. "


def many_lines(index: int) -> str:
    return _words(11, index) + "\n"


def fence(index: int) -> str:
    opening = "```python\n" if index == 0 else ""
    return (
        opening
        + f"def function_{index}(value: int, *, name: str = 'x{index}') -> int:\n    return value * {index}  # {_words(3, index)}\n"
    )


def table(index: int) -> str:
    head = "| name | what it does | see |\n|:--|---|--:|\n" if index == 0 else ""
    return head + f"| row {index} | {_words(4 + index % 9, index)} | **{index}** `x` |\n"


def nested_list(index: int) -> str:
    return "  " * (index % 4) + f"- {_words(9, index)} with `code`\n"


def quote(index: int) -> str:
    return f"> {_words(9, index)} *and so on*\n" if index % 8 else ">\n"


def mixed(index: int) -> str:
    kinds: tuple[Callable[[int], str], ...] = (
        lambda i: f"## Part {i}\n\n",
        prose,
        nested_list,
        lambda i: "```go\nfor i := range jobs {\n\tqueue <- i // " + _words(3, i) + "\n}\n```\n",
        lambda i: f"See [the docs](https://example.com/{i}) and **mind** the `gap`: \\(x_{i}\\).\n\n",
        lambda i: f"| a | b |\n|---|---|\n| {i} | {_words(3, i)} |\n\n",
        nested_list,
    )
    return kinds[index % len(kinds)](index)


def maths(index: int) -> str:
    kinds = (
        f"Then $x_{{{index}}} = \\frac{{{index} + 1}}{{2}}$ is {_words(5, index)}, as \\(y^{index}\\) is.\n",
        f"\n$$\n\\sum_{{k=1}}^{{{index}}} k = \\begin{{pmatrix}} {index} \\\\ 2 \\end{{pmatrix}}\n$$\n\n",
    )
    return kinds[index % 3 == 2]


KINDS: dict[str, Callable[[int], str]] = {
    kind.__name__: kind
    for kind in (prose, mixed, fence, table, nested_list, quote, giant_paragraph, many_lines, maths)
}


def tokens(kind: str, count: int) -> Iterator[str]:
    """`count` tokens of four characters or so."""
    index = done = 0
    while done < count:
        text = KINDS[kind](index)
        index += 1
        for start in range(0, len(text), 4):
            if done == count:
                return
            yield text[start : start + 4]
            done += 1
