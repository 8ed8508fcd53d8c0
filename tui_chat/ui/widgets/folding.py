"""Long texts in the composer stand there as labels: Textual's `TextArea` lays out all it holds at every key."""

from __future__ import annotations

import re
from typing import Final

from textual.widgets.text_area import DocumentBase, Location

CHARACTERS: Final = 10_000
"""Characters that the composer holds as they are: a key takes some 10 ms in a line of so many."""
LINES: Final = 200
"""Lines from which on a text is folded."""
PASTED_LINES: Final = 21
"""As `LINES`, for a paste: it would push what is typed out of view."""
UNFOLDED: Final = 40_000
"""Characters that the composer holds after a text was unfolded; none of its lines is longer than `CHARACTERS`."""
_SHORT: Final = 1_000
"""Characters of a text that stays as it is whatever stands beside it: what is typed, most of all."""


class FoldedTexts:
    """Texts and the labels that stand for them. A label is one thing: it is edited whole or not at all."""

    def __init__(self, unfold: str = "", edit: str = "") -> None:
        """`unfold` and `edit`: what a label says of a text that can be unfolded, and of one that is too long."""
        self._hints = unfold, edit
        self._texts: dict[str, str] = {}
        """By their labels."""
        self._labels = re.compile(r"(?!)")
        """Matches every label."""
        self._last = ("", "")
        """The last text that was unfolded, and the result."""

    def fold(self, text: str, beside: int = 0, lines: int = LINES) -> str:
        """`text`, or a label for it if it has so many lines, or is too long to stand beside so many characters."""
        long = len(text) > _SHORT and len(text) + beside > CHARACTERS
        if not long and _lines(text) < lines:
            return text
        whole = self.unfold(text)
        count = _lines(whole)
        extent = f"{count:,} lines" if count > 1 else f"{len(whole):,} characters"
        label = f"[text {len(self._texts) + 1}: {extent} · {self._hints[not can_unfold(whole)]}]"
        self._texts[label] = whole
        self._labels = re.compile("|".join(map(re.escape, self._texts)))
        return label

    def unfold(self, text: str) -> str:
        """`text` with its labels replaced by their texts."""
        if self._last[0] != text:
            self._last = (text, self._labels.sub(lambda label: self._texts[label[0]], text))
        return self._last[1]

    def around(self, line: str, column: int) -> tuple[int, int] | None:
        """The span of the label around a column of a line, if there is one."""
        spans = (label.span() for label in self._labels.finditer(line))
        return next((span for span in spans if span[0] < column < span[1]), None)

    def beyond(self, document: DocumentBase, location: Location, *, after: bool = True) -> Location:
        """A place that is not within a label: the nearest one after it, or before it."""
        row, column = location
        if row >= document.line_count:  # Textual cuts the last line up to the one after it
            return location
        span = self.around(document.get_line(row), column)
        return location if span is None else (row, span[after])

    def nearest(self, text: str, index: int) -> tuple[int, int] | None:
        """The span of the label nearest to a character, if there is one."""
        spans = (label.span() for label in self._labels.finditer(text))
        return min(spans, key=lambda span: max(span[0] - index, index - span[1]), default=None)


def can_unfold(text: str, beside: int = 0) -> bool:
    """Whether keys stay quick in a text beside so many other characters: a long line slows them down most."""
    return len(text) + beside <= UNFOLDED and max(map(len, text.split("\n"))) <= CHARACTERS


def _lines(text: str) -> int:
    return text.count("\n") + (text[-1:] not in ("", "\n"))
