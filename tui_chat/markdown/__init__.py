"""Markdown that grows by the token, as rows of a terminal.

    document = Document()
    layout = document.layout(80, Palette.from_theme(app.theme_variables))
    document.append("Some *Mark")
    layout.height, layout.strip(0), layout.take_changed()

There is one engine for the live reply and the finished one: a unit (`units`) settles as soon as its source is
complete, and what is not settled is read on trial. `blocks` reads lines, `inline` text, `code` code, `maths`
formulas, which `atoms` sets; `growing` tells what an open end will be; `draw` makes rows, `layout` keeps them.
"""

from __future__ import annotations

from tui_chat.markdown.code import suffix_of
from tui_chat.markdown.copying import copied
from tui_chat.markdown.document import Document, count_fences
from tui_chat.markdown.draw import Row
from tui_chat.markdown.layout import CodeBlock, Layout, Link
from tui_chat.markdown.palette import Palette


def warm_up() -> None:
    """Load the parser and the lexers ahead of the first reply, which then need not wait for them. Takes 0.1 s."""
    Document("*a*\n\n```python\nb\n```\n").layout(80, Palette.plain()).strip(0)


__all__ = [
    "CodeBlock",
    "Document",
    "Layout",
    "Link",
    "Palette",
    "Row",
    "copied",
    "count_fences",
    "suffix_of",
    "warm_up",
]
