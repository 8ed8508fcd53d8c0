"""Cut long paragraphs, so that settled text is never read again.

The cut is a function of the source alone: whether a position is taken depends only on what stands before it. So a
paragraph is cut alike however its text arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

SOFT: Final = 800
"""Characters after which a paragraph is cut as soon as no inline construct is open."""
LINES: Final = 30
"""Lines after which it is cut so, too."""
HARD: Final = 2000
"""Characters at which it is cut in any case."""
STALE: Final = 500
"""Characters after which an inline construct that was not closed no longer counts as open."""

_SPECIAL: Final = re.compile(r"\\[()\[\]]|\\.|`+|\*+|_+|~~+|\$+|\]\(|[\[\])]", re.DOTALL)
_REST: Final = re.compile(r"[ \n。！？；，、]")
_CLOSED_BY: Final = {"[": "]", "\\(": "\\)", "\\[": "\\]", "](": ")"}
_OPENED_BY: Final = {closer: opener for opener, closer in _CLOSED_BY.items()}


def cut(text: str) -> int:
    """Where to cut `text`, the source of an unfinished paragraph; 0 if it is not long enough yet."""
    lines = text.split("\n", LINES)
    begin = min(SOFT, len(text) - len(lines[-1]) - 1) if len(lines) > LINES else SOFT
    if len(text) <= begin:
        return 0
    spans = list(_constructs(text[:HARD]))
    for rest in _REST.finditer(text, begin, HARD):
        position = rest.end()
        if not any(start < position < min(end, start + STALE) for start, end in spans):
            return position
    if len(text) < HARD:
        return 0
    return text.rfind(" ", SOFT, HARD) + 1 or HARD


def _constructs(text: str) -> Iterator[tuple[int, int]]:
    """The spans of code, emphasis, links and maths, roughly; one that is not closed ends where it goes stale."""
    opened: dict[str, int] = {}
    code = ""
    for special in _SPECIAL.finditer(text):
        mark, start, end = special.group(), special.start(), special.end()
        if code and start - opened[code] <= STALE:
            if mark == code:
                yield opened.pop(code), end
                code = ""
        elif mark[0] == "`":
            code = mark
            opened[code] = start
        elif mark in _OPENED_BY or mark == "](":
            opener = _OPENED_BY.get(mark, "[")
            if opener in opened:
                yield opened.pop(opener), end
                if mark == "](":
                    opened[mark] = start
        elif mark in _CLOSED_BY:
            opened.setdefault(mark, start)
        elif mark in opened:
            yield opened.pop(mark), end
        elif mark[0] != "\\" and not text[end : end + 1].isspace():
            opened[mark] = start
    for start in opened.values():
        yield start, start + STALE
