"""Separates pasted from typed input: bracketed paste (xterm's mode 2004), however the input is split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START: Final = "\x1b[200~"
END: Final = "\x1b[201~"
LIMIT: Final = 1 << 24
"""Characters of a paste that are buffered; a longer paste comes in parts."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """The text between the two marks."""

    text: str


class Pasting:
    """Cuts input at the marks. The pieces together are the input, in order.

    Those that are strings were typed: keys, reports, and the marks around pastes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._inside = False
        self._recent = ""
        """The end of the last input: a mark may have begun there."""
        self._kept: list[str] = []
        self._size = 0

    def feed(self, text: str) -> Iterator[str | Pasted]:
        """The pieces that the next part of the input completes."""
        text, done, looked = self._recent + text, len(self._recent), 0
        while (mark := text.find(END if self._inside else START, looked)) >= 0:
            looked = mark + len(START)
            if self._inside:
                self._kept.append(text[done:looked])
                yield Pasted(self._take().removesuffix(END))
                yield END
            else:
                yield text[done:looked]
            done, self._inside = looked, not self._inside
        self._recent = text[max(looked, len(text) - len(END) + 1) :]
        if self._inside:
            self._kept.append(text[done:])
            self._size += len(text) - done
            if self._size > self._limit:
                yield Pasted(self._take(spare=len(self._recent)))
        elif done < len(text):
            yield text[done:]

    def give_up(self) -> Iterator[str | Pasted]:
        """End an unfinished paste: its text so far, and the missing mark."""
        if self._inside:
            yield Pasted(self._take())
            yield END
            self._inside, self._recent = False, ""

    def _take(self, spare: int = 0) -> str:
        """The buffered text without its last `spare` characters."""
        whole = "".join(self._kept)
        cut = len(whole) - spare
        self._kept, self._size = [whole[cut:]], spare
        return whole[:cut]
