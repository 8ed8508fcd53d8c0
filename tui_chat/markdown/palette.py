"""The styles of drawn Markdown, taken from a theme.

Nothing is told by colour alone: headings differ in weight and line, code stands on a panel or has a gutter, links
are underlined, and where colours are few or none inline code keeps its backticks, and keys get brackets.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from rich.style import Style
from textual.color import Color, ColorParseError

_NONE = Style()
_DIM = Style(dim=True)
_BOLD = Style(bold=True)
_ITALIC = Style(italic=True)
_UNDERLINE = Style(underline=True)
_STRIKE = Style(strike=True)
_HEADINGS = (_BOLD, _BOLD, _BOLD + _ITALIC, _BOLD + _ITALIC, _ITALIC, _ITALIC + _DIM)
_ROLES = ("primary", "secondary", "accent", "success", "warning", "error")
ALERTS = ("note", "tip", "important", "warning", "caution")


@dataclass(frozen=True, slots=True)
class Palette:
    """A style per role; without arguments, attributes only, as for NO_COLOR.

    Args:
        headings: levels 1 to 6; a line runs below the first.
        alerts: the bars and names of quotes like `> [!NOTE]`, by `ALERTS`.
        panel: the ground of code, if it has a colour; `panel_label` its first row and wrap marks.
        frame: rules, and the line that replaces the panel; `table_rule` the fainter lines in tables.
        syntax: by the name of a Pygments token type (`Keyword`, `Literal.String`); the most specific one counts.
        code_ticks: inline code keeps its backticks.
    """

    text: Style = _NONE
    dim: Style = _DIM
    headings: tuple[Style, ...] = _HEADINGS
    emphasis: Style = _ITALIC
    strong: Style = _BOLD
    strike: Style = _STRIKE
    code_inline: Style = _NONE
    code: Style = _NONE
    panel: Style = _NONE
    panel_label: Style = _DIM
    frame: Style = _DIM
    link: Style = _UNDERLINE
    marker: Style = _BOLD
    quote: Style = _DIM
    alerts: Mapping[str, Style] = field(default_factory=lambda: dict.fromkeys(ALERTS, _NONE))
    kbd: Style = _BOLD
    table_head: Style = _BOLD
    table_rule: Style = _DIM
    maths: Style = _ITALIC
    syntax: Mapping[str, Style] = field(
        default_factory=lambda: {"Keyword": _BOLD, "Comment": _ITALIC, "Name.Class": _BOLD}
    )
    code_ticks: bool = True

    @property
    def has_panel(self) -> bool:
        """Whether code stands on a ground of its own."""
        return self.panel.bgcolor is not None

    @classmethod
    def from_theme(cls, variables: Mapping[str, str]) -> Self:
        """The palette of a Textual theme, from `App.theme_variables`; a colour that cannot be told is left out."""
        colors = _Colors(variables)
        primary, secondary, accent, success, warning, error = map(colors.role, _ROLES)
        text = colors.style("foreground")
        ground = colors.ground()
        muted = colors.muted()
        return cls(
            text=text,
            dim=muted,
            headings=(accent + _BOLD, accent + _BOLD, text + _BOLD, *_HEADINGS[3:]),
            code_inline=warning + ground,
            code=text,
            panel=ground,
            panel_label=muted,
            frame=muted,
            link=primary + _UNDERLINE,
            marker=primary,
            quote=secondary,
            alerts=dict(zip(ALERTS, (primary, success, accent, warning, error), strict=True)),
            kbd=ground + _BOLD,
            table_head=text + _BOLD,
            table_rule=colors.blended(0.4),
            maths=accent + _ITALIC,
            syntax={
                **dict.fromkeys(("Keyword", "Name.Tag", "Operator.Word"), primary),
                **dict.fromkeys(("Keyword.Type", "Name.Builtin", "Generic.Subheading"), secondary),
                **dict.fromkeys(("Name.Attribute", "Name.Class", "Name.Decorator", "Name.Function"), accent),
                **dict.fromkeys(("Literal.String", "Generic.Inserted"), success),
                **dict.fromkeys(
                    ("Keyword.Constant", "Literal.Number", "Literal.String.Escape", "Name.Constant"), warning
                ),
                **dict.fromkeys(("Name.Exception", "Generic.Deleted"), error),
                "Comment": muted + _ITALIC,
                "Generic.Heading": _BOLD,
            },
            code_ticks=not ground,
        )


class _Colors:
    """Looks colours up among a theme's variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        background = self._color("background")
        self._background = background if background and background.ansi is None else None
        """None where the theme paints with the terminal's own colours, whatever they are."""

    def style(self, *names: str) -> Style:
        """The first of the variables that holds a colour, as the colour of text."""
        color = self._color(*names)
        return Style(color=color.rich_color) if color else Style()

    def role(self, name: str) -> Style:
        """The colour of text in one of the theme's roles."""
        return self.style(f"text-{name}", name)

    def ground(self) -> Style:
        """A ground that differs from the background's."""
        color = self._color("surface", "panel") if self._background else None
        return Style(bgcolor=color.rich_color) if color not in (None, self._background) else _NONE

    def muted(self) -> Style:
        """Text that stands back."""
        chosen = self.style("text-muted")
        return chosen if chosen and self._background else self.blended(0.7)

    def blended(self, share: float) -> Style:
        """Text blended into the background, or dim where the terminal's own colours are used."""
        text = self._color("foreground")
        if text is None or self._background is None:
            return _DIM
        return Style(color=self._background.blend(text, share).rich_color)

    def _color(self, *names: str) -> Color | None:
        for name in names:
            with suppress(ColorParseError):
                return Color.parse(self._variables.get(name, ""))
        return None
