"""The transcript's styles, resolved once from the app's theme."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError

from tui_chat.markdown.palette import Palette


@dataclass(frozen=True, slots=True)
class Look:
    """Styles by role. Nothing relies on colour alone, so that `NO_COLOR` loses no meaning."""

    text: Style
    dim: Style
    user: Style
    prompt: Style
    """The ground of a prompt."""
    assistant: Style
    warning: Style
    error: Style
    found: Style
    """A match of the words to find."""
    found_here: Style
    """The current match."""
    selected: Style
    """The colour of selected text, if the theme has one; its ground is the screen's."""
    markdown: Palette
    thinking: Palette
    copies: str
    """The label of a code block that names the key to copy it; `{number}` stands for the block's number."""


def resolve(app: App[Any], copies: str = "") -> Look:
    """The look of the app's present theme; `copies`: see `Look`."""
    variables = app.theme_variables
    palette = Palette() if app.no_color else Palette.from_theme(variables)

    def colour(name: str) -> Color | None:
        try:
            parsed = None if app.no_color else Color.parse(variables.get(name, ""))
        except ColorParseError:
            return None
        return parsed if parsed is not None and parsed.a == 1 else None

    def text(name: str, *, bold: bool = True) -> Style:
        return Style(color=found.rich_color if (found := colour(name)) else None, bold=bold or None)

    panel = colour("panel")
    return Look(
        text=palette.text,
        dim=palette.dim,
        user=text("you"),
        prompt=Style() if panel in (None, colour("background")) else Style(bgcolor=panel.rich_color),
        assistant=text("model"),
        warning=text("text-warning"),
        error=text("text-error"),
        found=Style(bold=True, underline=True),
        found_here=Style(bold=True, reverse=True),
        selected=text("screen-selection-foreground", bold=False),
        markdown=palette,
        copies=copies,
        thinking=replace(palette, text=palette.dim + Style(italic=True)),
    )
