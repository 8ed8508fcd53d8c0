"""Grapheme clusters and their widths in cells, for all drawing.

They are Rich's, as in Textual's layout, but with both halves of a flag in one cluster.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import CellSpan, split_graphemes

JOINER: Final = "\u200d"
_SIGNS: Final = "\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
_IDLE_JOINER: Final = re.compile(f"(?<![{_SIGNS}\ufe0f]){JOINER}|{JOINER}(?![{_SIGNS}])")
"""A joiner that is not between two emoji."""
_NO_JOINER: Final = "\u034f"
"""Has no width, like a joiner, but does not affect the character after it."""
_FIRST_JOINERS: Final = re.compile(f"(?:{JOINER}.?)+", re.DOTALL)
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


def unjoined(text: str) -> str:
    """`text` without joiners except between emoji, of the same length.

    Rich lets a joiner swallow any character after it, even a letter; terminals do not.
    """
    return _IDLE_JOINER.sub(_NO_JOINER, text) if JOINER in text else text


def clusters(text: str) -> list[CellSpan]:
    """Start, end and cells (0 to 2) of each cluster of `text`; the cells add up to Rich's `cell_len`."""
    if text.startswith(JOINER) and (first := _FIRST_JOINERS.match(text)):
        size = first.end()
        spans = [(start + size, end + size, cells) for start, end, cells in split_graphemes(text[size:])[0]]
        return [(0, size, 0), *spans]
    spans, _ = split_graphemes(text)
    return _with_flags(text, spans) if _FLAG.search(text) else spans


def _with_flags(text: str, spans: list[CellSpan]) -> list[CellSpan]:
    paired: list[CellSpan] = []
    for start, end, cells in spans:
        if paired and _FLAG.match(text, paired[-1][0], start + 1) and paired[-1][1] - paired[-1][0] == 1:
            first, _, size = paired[-1]
            paired[-1] = (first, end, size + cells)
        else:
            paired.append((start, end, cells))
    return paired
