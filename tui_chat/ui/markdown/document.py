"""A Markdown source that grows: what is complete is read once, what is not is read on trial."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from tui_chat.ui.markdown.blocks import BlockParser
from tui_chat.ui.markdown.inline import labels_in, normal_label
from tui_chat.ui.markdown.units import Definition, TableRow, Text, Unit

if TYPE_CHECKING:
    from tui_chat.ui.markdown.layout import Layout
    from tui_chat.ui.markdown.palette import Palette


class Document:
    """Markdown, sanitised (`tui_chat.text.sanitize.clean`), that may grow at its end.

    Reading is lazy: `append` only keeps the text until a layout asks.
    """

    __slots__ = (
        "_after_cr",
        "_in_long_line",
        "_mentions",
        "_parser",
        "_partial",
        "_settled_references",
        "_source",
        "_unread",
        "references",
        "tail",
        "units",
        "version",
    )

    def __init__(self, source: str = "") -> None:
        self.units: list[Unit] = []
        """What is settled: it only ever grows."""
        self.tail: list[Unit] = []
        """What the source ends with, as if nothing followed."""
        self.references: Mapping[str, str] = MappingProxyType({})
        """Where labels lead, by normalised label; another object whenever it has changed."""
        self.version = 0
        """Grows whenever units, tail or references may have changed."""
        self._settled_references: dict[str, str] = {}
        self._mentions: dict[str, list[int]] = {}
        self._parser = BlockParser()
        self._source: list[str] = []
        self._unread: list[str] = []
        self._partial = ""
        self._in_long_line = False
        self._after_cr = False
        self.append(source)

    @property
    def source(self) -> str:
        """The text so far, as it was appended."""
        if len(self._source) > 1:
            self._source = ["".join(self._source)]
        return self._source[0] if self._source else ""

    def append(self, text: str) -> None:
        """Let `text` follow the source."""
        if text:
            self._source.append(text)
            self._unread.append(text)

    def layout(self, width: int, palette: Palette) -> Layout:
        """The rows of this document, now and as it grows, at `width` cells (8 or more)."""
        from tui_chat.ui.markdown.layout import Layout

        return Layout(self, width, palette)

    def mentions(self, label: str) -> list[int]:
        """Indices of the settled units that may refer to a normalised label, in order."""
        return self._mentions.get(label, [])

    def read(self) -> None:
        """Bring `units`, `tail` and `references` up to date."""
        if not self._unread:
            return
        text = self._with_newlines("".join(self._unread))
        self._unread.clear()
        *lines, last = (self._partial + text).split("\n")
        for line in lines:
            self._read_line(line, ended=True)
        self._read_line(last, ended=False)
        trial = self._parser.clone()
        if not self._in_long_line and self._partial:
            trial.line(self._partial, ended=False)
        trial.close()
        self.tail = trial.out
        self._settle()
        self.version += 1

    def _with_newlines(self, text: str) -> str:
        """`text` with its line ends as newlines, also when CR and LF came apart."""
        if self._after_cr and text.startswith("\n"):
            text = text[1:]
            self._after_cr = False
        if text:
            self._after_cr = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _read_line(self, text: str, *, ended: bool) -> None:
        parser = self._parser
        limit = parser.limit
        if not self._in_long_line and len(text) > limit:
            parser.line(text[:limit], long=True)
            self._in_long_line = True
            text = text[limit:]
        if self._in_long_line:
            if text:
                parser.more(text)
            self._partial = ""
            if ended:
                parser.end()
                self._in_long_line = False
        elif ended:
            parser.line(text)
        else:
            self._partial = text

    def _settle(self) -> None:
        """Take over what the parser has completed, and index its references."""
        start = len(self.units)
        self.units += self._parser.out
        self._parser.out.clear()
        for index in range(start, len(self.units)):
            unit = self.units[index]
            for label in labels_of(unit):
                self._mentions.setdefault(label, []).append(index)
            if isinstance(unit, Definition):
                self._settled_references.setdefault(normal_label(unit.label), unit.href)
        references = self._settled_references
        on_trial = [unit for unit in self.tail if isinstance(unit, Definition)]
        if on_trial:
            references = {normal_label(unit.label): unit.href for unit in reversed(on_trial)} | references
        if references != self.references:
            self.references = MappingProxyType(dict(references))


def labels_of(unit: Unit) -> set[str]:
    """The labels, normalised, that a unit may refer to."""
    if isinstance(unit, Text):
        return labels_in(unit.text)
    if isinstance(unit, TableRow):
        return labels_in(unit.source)
    return set()
