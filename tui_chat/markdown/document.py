"""A Markdown source that grows: what is complete is read once, what is not is read on trial."""

from __future__ import annotations

import re
from collections import ChainMap, deque
from collections.abc import Mapping
from typing import Final

from tui_chat.markdown.inline import labels_in, normal_label
from tui_chat.markdown.pages import Units
from tui_chat.markdown.reader import Reader
from tui_chat.markdown.units import Definition, TableRow, Text, Unit

PIECE: Final = 2000
"""Characters that are read in one go: some milliseconds, whatever they are."""
_FENCES: Final = re.compile(r"\n[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*+(`{3,}|~{3,})(.*)")
"""From the newline, which is found three times as fast as a beginning of a line."""


class Document:
    """Markdown, sanitised (`tui_chat.text.sanitize.clean`: its line ends are newlines), that may grow at its end.

    Reading is lazy: `append` only keeps the text until a layout asks.

    Args:
        growing: more is on its way, so that what is open at the end is shown as what it is going to be: `**bo` as
            bold, a `-` not at all until it is clear what it begins.
        blocks: code blocks before this document, which its own are numbered after.
    """

    def __init__(self, source: str = "", *, growing: bool = False, blocks: int = 0) -> None:
        self._growing = growing
        self._reader = Reader(blocks)
        self.units = Units(self._reader.clone())
        """The settled units: the list only ever grows."""
        self.tail: list[Unit] = []
        """The units after the settled ones, as if nothing followed."""
        self.defined: dict[str, str] = {}
        """Addresses of the settled definitions by normalised label, in order."""
        self.on_trial: dict[str, str] = {}
        """The same for the definitions in `tail`."""
        self.references: Mapping[str, str] = self.defined
        """Both."""
        self.version = 0
        """Grows whenever units, tail or references may have changed."""
        self.mentions: dict[str, list[int]] = {}
        """Indices of the settled units that may refer to a normalised label, in order."""
        self._source: list[str] = []
        self._unread: deque[str] = deque()
        self.append(source)

    @property
    def source(self) -> str:
        """The text so far, as it was appended."""
        if len(self._source) > 1:
            self._source = ["".join(self._source)]
        return self._source[0] if self._source else ""

    @property
    def growing(self) -> bool:
        """Whether more is on its way."""
        return self._growing

    @growing.setter
    def growing(self, growing: bool) -> None:
        if growing is not self._growing:
            self._growing = growing
            self._unread.append("")

    def append(self, text: str) -> None:
        """Let `text` follow the source."""
        if text:
            self._source.append(text)
            self._unread += [text[start : start + PIECE] for start in range(0, len(text), PIECE)]

    @property
    def is_read(self) -> bool:
        """Whether units, tail and references are those of the whole source."""
        return not self._unread

    def read(self) -> None:
        """Read a piece more of the source."""
        if not self._unread:
            return
        pieces = [self._unread.popleft()]
        size = len(pieces[0])
        while self._unread and size + len(self._unread[0]) <= PIECE:
            pieces.append(self._unread.popleft())
            size += len(pieces[-1])
        text = "".join(pieces)
        first = len(self.units)
        units = self._reader.feed(text)
        self.units.add(text, units, self._reader)
        self._index(first, units)
        self.tail = [] if self._unread else self._reader.tail(growing=self._growing)
        definitions = (unit for unit in reversed(self.tail) if isinstance(unit, Definition))
        on_trial = {normal_label(unit.label): unit.href for unit in definitions}
        self.on_trial = {label: on_trial[label] for label in on_trial.keys() - self.defined.keys()}
        self.references = ChainMap(self.defined, self.on_trial) if self.on_trial else self.defined
        self.version += 1

    def _index(self, first: int, units: list[Unit]) -> None:
        for index, unit in enumerate(units, first):
            for label in labels_of(unit):
                self.mentions.setdefault(label, []).append(index)
            if isinstance(unit, Definition):
                self.defined.setdefault(normal_label(unit.label), unit.href)


def count_fences(source: str) -> int:
    """About how many code blocks a source has, without reading it: fences, but no indented code."""
    count, opened = 0, ""
    for match in _FENCES.finditer(f"\n{source}") if "```" in source or "~~~" in source else ():
        mark, info = match.groups()
        if not opened and not ("`" in mark and "`" in info):
            count, opened = count + 1, mark
        elif opened and mark.startswith(opened) and not info.strip():
            opened = ""
    return count


def labels_of(unit: Unit) -> set[str]:
    """The labels, normalised, that a unit may refer to."""
    return labels_in(unit.text) if isinstance(unit, Text | TableRow) else set()
