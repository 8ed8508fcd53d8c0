"""Drawing without colours, for who asked for none (`NO_COLOR`) and for terminals that have none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from textual.app import App

_SGR: Final = re.compile(r"\x1b\[([\d;]+)m")
_COLOUR: Final = re.compile(r"(?<!\d)(?:[345]8;(?:5;\d+|2;\d+;\d+;\d+)|[349][0-79]|10[0-7]|59)(?!\d);?")


def wants_colours(app: App[Any], environ: Mapping[str, str]) -> bool:
    """Whether to send colours: not for `NO_COLOR`, and not where neither Rich nor `COLORTERM` knows of any.

    Textual does not ask the latter: it takes a terminal without colours for one that has all of them.
    """
    return not app.no_color and (app.console.color_system is not None or bool(environ.get("COLORTERM")))


def without_colours(data: str) -> str:
    """`data` with what its SGR sequences say of attributes (bold, dim, reverse ...) alone."""
    return _SGR.sub(_attributes, data)


def _attributes(sequence: re.Match[str]) -> str:
    rest = _COLOUR.sub("", sequence[1]).rstrip(";")
    return f"\x1b[{rest}m" if rest else ""
