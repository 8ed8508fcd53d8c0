"""Our two themes. Each colour is chosen three times: for truecolor, for 256 colours and for 16.

The driver sends a colour that the terminal has unchanged. A test holds every pair that is used to a contrast of
4.5 for text and 3 for marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui_chat.terminal.colours import Depth

DARK: Final = "tui-chat-dark"
LIGHT: Final = "tui-chat-light"

_Chosen = Mapping[str, tuple[str, str, str]]
"""By role: truecolor, one of xterm's 256, one of its 16."""
_DEPTHS: Final = {Depth.TRUE: 0, Depth.INDEXED: 1, Depth.SIXTEEN: 2, Depth.NONE: 2}

_DARK: Final[_Chosen] = {
    "background": ("#14161b", "#1c1c1c", "#000000"),
    "surface": ("#1c1f26", "#262626", "#000000"),  # code, and what opens over the chat
    "panel": ("#22262f", "#303030", "#000000"),  # prompts, and where one writes
    "foreground": ("#dcdfe6", "#dadada", "#ffffff"),
    "text-muted": ("#979fad", "#a8a8a8", "#e5e5e5"),
    "rule": ("#626a79", "#767676", "#7f7f7f"),
    "you": ("#f4b36c", "#ffaf5f", "#ffff00"),
    "model": ("#76d0b3", "#87d7af", "#00ff00"),
    "primary": ("#8cb4fa", "#87afff", "#00ffff"),
    "secondary": ("#7fc6dd", "#87d7ff", "#00cdcd"),
    "accent": ("#cda6f6", "#d7afff", "#ff00ff"),
    "success": ("#a3d07c", "#afd787", "#00ff00"),
    "warning": ("#efc86c", "#ffd75f", "#ffff00"),
    "error": ("#f78f8f", "#ff8787", "#ff0000"),
    "error-ground": ("#4a1f27", "#5f0000", "#cd0000"),
    "error-words": ("#ffe3e3", "#ffd7d7", "#ffffff"),
    "chosen-ground": ("#2f4a73", "#005f87", "#00cdcd"),
    "chosen-words": ("#ffffff", "#ffffff", "#000000"),
}
_LIGHT: Final[_Chosen] = {
    "background": ("#fdfcfa", "#ffffff", "#ffffff"),
    "surface": ("#f5f3ef", "#eeeeee", "#ffffff"),
    "panel": ("#eeebe5", "#e4e4e4", "#ffffff"),
    "foreground": ("#23262d", "#262626", "#000000"),
    "text-muted": ("#5d626e", "#585858", "#000000"),
    "rule": ("#8b8980", "#808080", "#7f7f7f"),
    "you": ("#9a4a00", "#875f00", "#0000ee"),
    "model": ("#0b6b58", "#005f5f", "#0000ee"),
    "primary": ("#1f57b8", "#005faf", "#0000ee"),
    "secondary": ("#0a6580", "#005f87", "#0000ee"),
    "accent": ("#7d3bb0", "#8700af", "#cd00cd"),
    "success": ("#37690f", "#005f00", "#0000ee"),
    "warning": ("#8a5200", "#875f00", "#cd0000"),
    "error": ("#b3202f", "#af0000", "#cd0000"),
    "error-ground": ("#f9dcdc", "#ffd7d7", "#cd0000"),
    "error-words": ("#7a0f1c", "#5f0000", "#ffffff"),
    "chosen-ground": ("#2b5cab", "#005faf", "#0000ee"),
    "chosen-words": ("#ffffff", "#ffffff", "#ffffff"),
}


def own_themes(depth: Depth) -> tuple[Theme, Theme]:
    """The dark and the light theme for so many colours."""
    return _theme(DARK, _DARK, depth), _theme(LIGHT, _LIGHT, depth)


def _theme(name: str, chosen: _Chosen, depth: Depth) -> Theme:
    colours = {role: every[_DEPTHS[depth]] for role, every in chosen.items()}
    hues = ("primary", "secondary", "accent", "success", "warning", "error")
    cursor = {"background": colours["foreground"], "foreground": colours["background"]}
    variables = {
        **{f"text-{hue}": colours[hue] for hue in hues},
        **{role: colours[role] for role in ("text-muted", "rule", "you", "model", "error-ground", "error-words")},
        "text-disabled": colours["text-muted"],
        "block-cursor-text-style": "bold",
        **{f"input-cursor-{part}": colour for part, colour in cursor.items()},
    }
    for what in ("block-cursor", "screen-selection", "input-selection"):
        variables[f"{what}-background"] = colours["chosen-ground"]
        variables[f"{what}-foreground"] = colours["chosen-words"]
    for state in ("", "-hover", "-active"):
        variables[f"scrollbar{state}"] = colours["rule" if not state else "foreground"]
    main = (*hues, "foreground", "background", "surface", "panel")
    given: dict[str, Any] = {role: colours[role] for role in main}
    return Theme(name=name, dark=chosen is _DARK, variables=variables, **given)


def add_roles(variables: dict[str, str], depth: Depth) -> None:
    """Add the roles that only our themes have to the variables of any other theme."""
    # A veil mixes colours, and the nearest of 16 to a mixture may be the ground itself.
    variables["veil"] = "transparent" if depth is Depth.SIXTEEN else f"{variables['background']} 60%"
    variables.setdefault("you", variables["text-primary"])
    variables.setdefault("model", variables["text-accent"])
    variables.setdefault("error-ground", variables["error-muted"])
    variables.setdefault("error-words", variables["text-error"])
    try:
        text, ground = Color.parse(variables["foreground"]), Color.parse(variables["background"])
    except ColorParseError:
        return
    variables.setdefault("rule", "ansi_bright_black" if ground.ansi is not None else ground.blend(text, 0.4).hex)
