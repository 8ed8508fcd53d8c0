"""Lines of text with parts that are clicked."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widgets import Static


def clickable(text: Content, action: str) -> Content:
    """`text`, which carries out an action when it is clicked."""
    return text.stylize(Style.from_meta({"@click": action}))


class Hint(Static):
    """A line of keys, as `Keymap.line` makes it."""

    auto_links = False
