"""Clickable parts of a line of text."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style


def clickable(text: Content, action: str) -> Content:
    """`text`, which carries out an action when it is clicked."""
    return text.stylize(Style.from_meta({"@click": action}))
