"""The colours that a terminal has: all, the 256 or 16 of xterm, or none; and whether its background is dark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from itertools import product
from typing import Final

from textual.color import Color


class Depth(Enum):
    """How many colours a terminal shows."""

    NONE = 0
    SIXTEEN = 16
    INDEXED = 256
    TRUE = 1 << 24


_SGR: Final = re.compile(r"\x1b\[([\d;]+)m")
_COLOUR: Final = re.compile(r"(?<!\d)(?:[345]8;(?:5;\d+|2;\d+;\d+;\d+)|[349][0-79]|10[0-7]|59)(?!\d);?")
_RGB: Final = re.compile(r"(?<!\d)([34])8;2;(\d+);(\d+);(\d+)")
_ITALIC: Final = re.compile(r"^((?:[12];)*)3(?![\d])")
"""Rich names attributes before colours, in this order."""
_DARK_ON_LIGHT: Final = re.compile(r"^((?:\d;)*?)1;((?:\d;)*3[0-7];(?:4[2367]|10\d))$")
"""Bold text that is darker than its ground: one of xterm's first eight colours on one of the lighter ones."""
_TRUE_TERMS: Final = ("-direct", "alacritty", "contour", "foot", "ghostty", "kitty", "wezterm")
"""Parts of TERM that tell of all colours: ssh hands TERM on, and does not hand COLORTERM on."""
_LEVELS: Final = (0, 95, 135, 175, 215, 255)
XTERM_16: Final = tuple(
    Color.parse(colour).rgb
    for colour in (
        *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
        *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
    )
)
XTERM_256: Final = (*product(_LEVELS, _LEVELS, _LEVELS), *((grey, grey, grey) for grey in range(8, 248, 10)))
"""From number 16 on: people choose the ones before as they like them."""


def depth_of(environ: Mapping[str, str]) -> Depth:
    """How many colours the terminal has that `environ` tells of (https://no-color.org, COLORTERM, TERM)."""
    term = environ.get("TERM", "")
    if "NO_COLOR" in environ:
        return Depth.NONE
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or any(part in term for part in _TRUE_TERMS):
        return Depth.TRUE
    if "256color" in term:
        return Depth.INDEXED
    named = bool(environ.get("COLORTERM"))
    return Depth.SIXTEEN if named or term not in ("", "dumb", "unknown", "vt100", "vt102", "vt220") else Depth.NONE


def in_depth(data: str, depth: Depth, *, italic: bool = True) -> str:
    """`data` with its SGR sequences in the colours that there are; one of xterm's own stays exactly what it is.

    Without any, what the sequences say of attributes (bold, dim, reverse ...) is left. Where there is no `italic`,
    as in GNU screen, which reverses instead, text is underlined. With 16 colours, dark text on a light ground is
    not bold: xterm, the Linux console and others brighten the first eight colours instead.
    """
    if depth is Depth.TRUE and italic:
        return data
    return _SGR.sub(lambda sequence: _converted(sequence[1], depth, italic=italic), data)


@lru_cache(maxsize=4096)
def _converted(parameters: str, depth: Depth, *, italic: bool) -> str:
    if not italic:
        parameters = _ITALIC.sub(r"\g<1>4", parameters)
    if depth is Depth.NONE:
        rest = _COLOUR.sub("", parameters).rstrip(";")
        return f"\x1b[{rest}m" if rest else ""
    if depth is not Depth.TRUE:
        parameters = _RGB.sub(lambda colour: _indexed(colour, depth), parameters)
    if depth is Depth.SIXTEEN:
        parameters = _DARK_ON_LIGHT.sub(r"\1\2", parameters)
    return f"\x1b[{parameters}m"


def _indexed(colour: re.Match[str], depth: Depth) -> str:
    wanted = int(colour[2]), int(colour[3]), int(colour[4])
    if depth is Depth.INDEXED:
        return f"{colour[1]}8;5;{16 + nearest(wanted, XTERM_256)}"
    number = nearest(wanted, XTERM_16)
    return str((60 if number > 7 else 0) + 10 * int(colour[1]) + number % 8)


def nearest(wanted: tuple[int, int, int], colours: tuple[tuple[int, int, int], ...]) -> int:
    """Which of some colours looks most like another (the "redmean" distance)."""
    red, green, blue = wanted

    def distance(number: int) -> float:
        r, g, b = colours[number]
        mean = (red + r) / 2
        return (
            (2 + mean / 256) * (red - r) ** 2 + 4 * (green - g) ** 2 + (2 + (255 - mean) / 256) * (blue - b) ** 2
        )

    return min(range(len(colours)), key=distance)


_ANSWER: Final = re.compile(r"rgba?:([\da-fA-F]{1,4})/([\da-fA-F]{1,4})/([\da-fA-F]{1,4})")
ASK_BACKGROUND: Final = "\x1b]11;?\x1b\\"
"""xterm's OSC 11: a terminal that knows it answers with its background."""


def is_dark(answer: str) -> bool | None:
    """Whether the background is dark that a terminal's answer to `ASK_BACKGROUND` tells; None if it tells none."""
    told = _ANSWER.match(answer)
    if told is None:
        return None
    red, green, blue = (int(part, 16) / int("f" * len(part), 16) for part in told.groups())
    return 0.3 * red + 0.59 * green + 0.11 * blue < 0.5


def is_dark_by(environ: Mapping[str, str]) -> bool | None:
    """Whether COLORFGBG tells of a dark background (rxvt, Konsole: `foreground;background` of the 16 colours)."""
    number = environ.get("COLORFGBG", "").rpartition(";")[2]
    return number not in ("7", "15") if number.isdecimal() else None
