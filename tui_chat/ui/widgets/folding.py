"""Long texts in the composer stand there as labels: Textual's `TextArea` lays out all it holds at every key."""

from __future__ import annotations

import re
from typing import Final

CHARACTERS: Final = 10_000
"""Characters that the composer holds as they are: a key takes some 10 ms among so many."""
LINES: Final = 200
_SHORT: Final = 1_000
"""Characters of a text that stays as it is whatever stands beside it: what is typed, most of all."""
_LABEL: Final = re.compile(r"\[text (\d+): [^\[\]\n]*\]")


class FoldedTexts:
    """Texts and the labels that stand for them. A label is one thing: it is edited whole or not at all."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._labels: list[str] = []
        self._last = ("", "")
        """The last text that was unfolded, and the result."""

    def fold(self, text: str, beside: int = 0) -> str:
        """`text`, or a label for it where it is too long to stand beside so many other characters."""
        long = len(text) > _SHORT and len(text) + beside > CHARACTERS
        if not long and text.count("\n") < LINES:
            return text
        whole = self.unfold(text)
        label = f"[text {len(self._texts) + 1}: {whole.count(chr(10)) + 1:,} lines, {len(whole):,} characters]"
        self._texts.append(whole)
        self._labels.append(label)
        return label

    def unfold(self, text: str) -> str:
        """`text` with its labels replaced by their texts."""
        if self._last[0] != text:
            self._last = (text, _LABEL.sub(lambda match: self._text_of(match) or match[0], text))
        return self._last[1]

    def around(self, line: str, column: int) -> tuple[int, int] | None:
        """The span of the label around a column of a line, if there is one."""
        for match in _LABEL.finditer(line):
            if match.start() < column < match.end() and self._text_of(match) is not None:
                return match.span()
        return None

    def _text_of(self, match: re.Match[str]) -> str | None:
        number = int(match[1][:9]) - 1
        known = 0 <= number < len(self._labels) and self._labels[number] == match[0]
        return self._texts[number] if known else None
