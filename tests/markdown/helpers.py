"""What the Markdown tests share: sources, and the rows of a document as values."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import strategies as st
from tui_chat.markdown.document import Document
from tui_chat.markdown.draw import Row
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.palette import Palette
from tui_chat.markdown.units import Unit

CORPUS: dict[str, list[str]] = json.loads((Path(__file__).parent / "corpus.json").read_text())
"""Snippets for each section of the CommonMark and GFM specifications, and for what chat models write besides."""
SNIPPETS = [snippet for snippets in CORPUS.values() for snippet in snippets]

THEME = {"foreground": "#e0e0e0", "background": "#121212", "surface": "#1e1e1e", "primary": "#0178d4"}
PALETTE = Palette.from_theme(THEME | {"success": "#4ebf71", "warning": "#fea62b", "accent": "#ffc473"})

FRAGMENTS = st.sampled_from(
    [
        *(
            "word ",
            "two words ",
            "\n",
            "\n\n",
            "  ",
            "    ",
            "\t",
            "- ",
            "* ",
            "1. ",
            "7) ",
            "> ",
            "# ",
            "### ",
            "---\n",
        ),
        *(
            "===\n",
            "```\n",
            "```py\n",
            "~~~\n",
            "`code`",
            "`",
            "**",
            "*",
            "_",
            "~~",
            "[x](https://a.example/b)",
            "[r]",
        ),
        *(
            "\n[r]: https://r.example\n",
            "[^1]",
            "\n[^1]: note\n",
            "| a | b |\n|---|---|\n",
            "| 1 | 2 |\n",
            "| **long cell** | ",
        ),
        *(
            "<br>",
            "<div>",
            "$x$",
            "$$\n",
            "\\[\n",
            "\\]\n",
            "\\(y\\)",
            "- [ ] ",
            "- [x] ",
            "日本語。",
            "👩‍👧 ",
            "e\u0301",
        ),
        *(
            "def f(): '''\n",
            "/* c\n",
            "*/",
            "&amp;",
            "\\",
            "https://b.example/q_r ",
            "![i](https://i.example/p.png)",
        ),
    ]
)
MARKDOWN = st.lists(FRAGMENTS, max_size=24).map("".join)


def units_of(document: Document) -> list[Unit]:
    """All that it is made of."""
    while not document.is_read:
        document.read()
    return [*map(document.units.__getitem__, range(len(document.units))), *document.tail]


def rows(layout: Layout) -> list[Row]:
    return [layout.row(y) for y in range(layout.height)]


def fresh(source: str, width: int) -> list[Row]:
    return rows(Layout(Document(source), width, PALETTE))


def shown(layout: Layout) -> list[str]:
    return [layout.strip(y).text for y in range(layout.height)]


def screen(source: str, width: int = 80) -> list[str]:
    """What stands on the screen, in attributes only."""
    return shown(Layout(Document(source), width, Palette.from_theme(THEME)))
