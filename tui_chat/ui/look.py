"""The colours of the transcript, resolved from the app's theme once and passed down as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError

from tui_chat.markdown import Palette


@dataclass(frozen=True, slots=True)
class Look:
    """Styles by role. Nothing relies on colour alone, so that `NO_COLOR` loses no meaning."""

    text: Style
    dim: Style
    user: Style
    assistant: Style
    warning: Style
    error: Style
    found: Style
    """What is looked for, wherever it stands."""
    found_here: Style
    """The same, where the reader is."""
    mark: Style
    """The mark beside what was stepped to."""
    markdown: Palette
    thinking: Palette
    copies: str
    """What copies a code block, as its first row says it; `{number}` stands for its number in the message."""


def resolve(app: App[Any], copies: str = "") -> Look:
    """The look of the app's present theme; `copies`: see `Look`."""
    variables = app.theme_variables
    palette = Palette.from_theme(variables, no_color=app.no_color)

    def bold(*names: str) -> Style:
        for name in () if app.no_color else names:
            try:
                return Style(color=Color.parse(variables.get(name, "")).rich_color, bold=True)
            except ColorParseError:
                continue
        return Style(bold=True)

    return Look(
        text=palette.text,
        dim=palette.dim,
        user=bold("text-primary", "primary"),
        assistant=bold("text-accent", "accent"),
        warning=bold("text-warning", "warning"),
        error=bold("text-error", "error"),
        found=Style(bold=True, underline=True),
        found_here=Style(bold=True, reverse=True),
        mark=bold("text-accent", "accent"),
        markdown=palette,
        copies=copies,
        thinking=replace(palette, key=f"thinking|{palette.key}", text=palette.dim + Style(italic=True)),
    )
