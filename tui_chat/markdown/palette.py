"""The styles of drawn Markdown, taken from a theme.

Nothing is told by colour alone: headings differ in weight and line, code stands on a panel or has a gutter, links
are underlined, and where colours are few or none inline code keeps its backticks, and keys get brackets.
"""

from __future__ import annotations

from collections.abc import Mapping
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
ALERTS = ("note", "tip", "important", "warning", "caution")


@dataclass(frozen=True, slots=True)
class Palette:
    """A style per role.

    Args:
        key: tells palettes apart, for caches.
        headings: levels 1 to 6; a line runs below the first.
        alerts: the bars and names of quotes like `> [!NOTE]`, by `ALERTS`.
        panel: the ground of code, if it has a colour; `panel_label` its first row and wrap marks.
        frame: rules, and the line that replaces the panel; `table_rule` the fainter lines in tables.
        syntax: by the name of a Pygments token type (`Keyword`, `Literal.String`); the most specific one counts.
        code_ticks: inline code keeps its backticks.
    """

    key: str
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
    syntax: Mapping[str, Style] = field(default_factory=dict)
    code_ticks: bool = True

    @property
    def has_panel(self) -> bool:
        """Whether code stands on a ground of its own."""
        return self.panel.bgcolor is not None

    def __hash__(self) -> int:
        return hash(self.key)

    @classmethod
    def plain(cls) -> Self:
        """Attributes only, for NO_COLOR."""
        return cls(
            "plain",
            syntax={"Keyword": _BOLD, "Comment": _ITALIC, "Name.Class": _BOLD},
        )

    @classmethod
    def from_theme(cls, variables: Mapping[str, str], *, no_color: bool = False) -> Self:
        """The palette of a Textual theme, from `App.theme_variables`; a colour that cannot be told is left out."""
        if no_color:
            return cls.plain()
        colors = _Colors(variables)
        primary = colors.style("text-primary", "primary")
        accent = colors.style("text-accent", "accent")
        success = colors.style("text-success", "success")
        warning = colors.style("text-warning", "warning")
        secondary = colors.style("text-secondary", "secondary")
        error = colors.style("text-error", "error")
        muted = colors.muted()
        return cls(
            key="|".join(f"{name}={variables.get(name, '')}" for name in _KEYS),
            text=colors.style("foreground"),
            dim=muted,
            headings=(accent + _BOLD, accent + _BOLD, colors.style("foreground") + _BOLD, *_HEADINGS[3:]),
            code_inline=warning + colors.background("surface", "panel"),
            code=colors.style("foreground"),
            panel=colors.background("surface", "panel"),
            panel_label=muted,
            frame=muted,
            link=primary + _UNDERLINE,
            marker=primary,
            quote=secondary,
            alerts=dict(zip(ALERTS, (primary, success, accent, warning, error), strict=True)),
            kbd=colors.background("surface", "panel") + _BOLD,
            table_head=colors.style("foreground") + _BOLD,
            table_rule=colors.muted(0.4),
            maths=accent + _ITALIC,
            syntax={
                "Comment": muted + _ITALIC,
                "Keyword": primary,
                "Keyword.Constant": warning,
                "Keyword.Type": secondary,
                "Literal.String": success,
                "Literal.String.Escape": warning,
                "Literal.Number": warning,
                "Name.Builtin": secondary,
                "Name.Class": accent,
                "Name.Constant": warning,
                "Name.Decorator": accent,
                "Name.Exception": error,
                "Name.Function": accent,
                "Name.Tag": primary,
                "Name.Attribute": accent,
                "Operator.Word": primary,
                "Generic.Deleted": error,
                "Generic.Inserted": success,
                "Generic.Heading": _BOLD,
                "Generic.Subheading": secondary,
            },
            code_ticks=not colors.background("surface", "panel"),
        )


_KEYS = (
    *(
        "foreground",
        "background",
        "surface",
        "panel",
        "primary",
        "secondary",
        "accent",
        "success",
        "warning",
        "error",
    ),
    *("text-primary", "text-secondary", "text-accent", "text-success", "text-warning", "text-error", "text-muted"),
)


class _Colors:
    """Looks colours up among a theme's variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def style(self, *names: str) -> Style:
        """The first of the variables that holds a colour, as the colour of text."""
        color = self._first(names)
        return Style(color=color.rich_color) if color else Style()

    @property
    def are_the_terminals(self) -> bool:
        """Whether the theme paints with the terminal's own colours, whatever they are."""
        ground = self._first(("background",))
        return ground is None or ground.ansi is not None

    def background(self, *names: str) -> Style:
        """A ground that differs from the background's."""
        color = None if self.are_the_terminals else self._first(names)
        return _NONE if color in (None, self._first(("background",))) else Style(bgcolor=color.rich_color)

    def muted(self, share: float = 0.7) -> Style:
        """Text that stands back: blended into the background, or dim where the terminal's own colours are used."""
        if share == 0.7 and not self.are_the_terminals and (chosen := self._first(("text-muted",))) is not None:
            return Style(color=chosen.rich_color)
        text, ground = self._first(("foreground",)), self._first(("background",))
        if text is None or ground is None or self.are_the_terminals:
            return _DIM
        return Style(color=ground.blend(text, share).rich_color)

    def _first(self, names: tuple[str, ...]) -> Color | None:
        for name in names:
            try:
                return Color.parse(self._variables.get(name, ""))
            except ColorParseError:
                continue
        return None
