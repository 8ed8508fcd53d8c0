"""Replies to stream. Every fourth token is a mark, by which the bench sees on the screen how far the reply is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tests.bench.hostile import HOSTILE

MARK_EVERY: Final = 4
_TEXT: Final = """\
the of and to in is that for it as was with be by on not he his but at are this have from or had an they which
one you were all her she there would their we him been has when who will no more if out so up said what its
about than into them can only other time new some could these two may first then do any like my now over such
our man me even most made after also well must before many through system model value number process stream
window buffer signal memory answer question"""
_WORDS: Final = _TEXT.split()

Word = Callable[[int], str]
"""The word of token `i`: a mark, or any."""


def mark(tag: str, index: int) -> str:
    """The mark of a token: `tag` is two letters of the stream."""
    return f"q{tag}{index:05d}"


def is_marked(index: int, count: int) -> bool:
    """Whether token `index` of `count` is a mark; the last one always is."""
    return index % MARK_EVERY == 0 or index == count - 1


def tokens(kind: str, count: int, tag: str) -> list[str]:
    """`count` tokens of a kind of Markdown, the same at every call; a hostile kind has its own, and then a mark."""
    seed = random.Random(7)

    def word(index: int) -> str:
        return mark(tag, index) if is_marked(index, count) else seed.choice(_WORDS)

    if kind in HOSTILE:
        return [*HOSTILE[kind](), f"\n\n{mark(tag, count - 1)}"]
    make = KINDS[kind]
    return [make(index, word) for index in range(count)]


def _prose(index: int, word: Word) -> str:
    end = ".\n\n" if index % 90 == 89 else "." if index % 14 == 13 else ""
    return word(index) + (end or " ")


def _giant_paragraph(index: int, word: Word) -> str:
    return word(index) + (". " if index % 14 == 13 else " ")


def _fence(index: int, word: Word) -> str:
    column = index % 8
    opening = "```python\n" if index == 0 else ""
    return (
        opening
        + ("    " if column == 0 else "")
        + word(index)
        + (" = ", "(", ", ", ") + ", " * ", "[", "]  # ", "\n")[column]
    )


def _table(index: int, word: Word) -> str:
    head = "| alpha | beta | gamma | delta |\n|---|---|---|---|\n" if index == 0 else ""
    column = index % 8
    return (
        head
        + ("| " if column == 0 else "")
        + word(index)
        + (" |\n" if column == 7 else " | " if column % 2 else " ")
    )


def _list(index: int, word: Word) -> str:
    item, column = divmod(index, 12)
    if column:
        return " " + word(index)
    bullet = "    - " if item % 5 == 4 else "- " if item % 3 else "1. "
    return ("\n" if index else "") + bullet + word(index)


def _mixed(index: int, word: Word) -> str:
    """What a chat model really writes: a heading, prose, a list, prose, a fence; 232 tokens a round."""
    place = index % 232
    if place < 4:
        return ("## " if place == 0 else "") + word(index) + ("\n\n" if place == 3 else " ")
    if place < 74 or 114 <= place < 184:
        text = word(index)
        text = f"**{text}**" if place % 17 == 9 else f"`{text}`" if place % 17 == 13 else text
        return text + (".\n\n" if place in (73, 183) else " ")
    if place < 114:
        column = (place - 74) % 8
        return (
            ("- " if column == 0 else "")
            + word(index)
            + ("\n\n" if place == 113 else "\n" if column == 7 else " ")
        )
    column = (place - 184) % 6
    opening = "```python\n" if place == 184 else ""
    closing = "\n```\n\n" if place == 231 else "\n" if column == 5 else " "
    return opening + ("    " if column == 0 else "") + word(index) + closing


def _maths(index: int, word: Word) -> str:
    """An explanation with inline formulas, and a displayed one every 60 tokens."""
    place = index % 60
    if place >= 50:
        opening = "\n\n$$\n" if place == 50 else ""
        closing = "\n$$\n\n" if place == 59 else " "
        return opening + rf"\frac{{\text{{{word(index)}}}}}{{\sqrt{{x_{place}}}}} +" + closing
    text = word(index)
    return (rf"$\sum_{{i=1}}^{{n}} x_i^2$ {text}" if place % 7 == 3 else text) + " "


KINDS: Final[dict[str, Callable[[int, Word], str]]] = {
    "prose": _prose,
    "mixed": _mixed,
    "fence": _fence,
    "table": _table,
    "list": _list,
    "paragraph": _giant_paragraph,
    "maths": _maths,
}
"""How each kind makes its tokens."""
