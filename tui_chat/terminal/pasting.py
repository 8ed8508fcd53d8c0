"""Telling what is pasted from what is typed: bracketed paste (xterm's mode 2004), however the input is split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START: Final = "\x1b[200~"
END: Final = "\x1b[201~"
LIMIT: Final = 1 << 24
"""Characters of a paste that are kept back for its end; a longer one is handed on in parts."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Keys and reports, and the marks around pastes too: they may have come in several reads."""

    text: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """What stood between the two marks, as it came."""

    text: str


class Pasting:
    """Cuts input at the marks, whatever it is made of. The pieces together are the input, in order."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._inside = False
        self._recent = ""
        """The end of what came last: a mark may have begun there."""
        self._kept: list[str] = []
        self._size = 0

    @property
    def inside(self) -> bool:
        """Whether the end of a paste is awaited."""
        return self._inside

    def feed(self, text: str) -> Iterator[Typed | Pasted]:
        """The pieces that are whole with the next part of the input."""
        text, done, looked = self._recent + text, len(self._recent), 0
        while (mark := text.find(END if self._inside else START, looked)) >= 0:
            looked = mark + len(START)
            if self._inside:
                self._kept.append(text[done:looked])
                yield Pasted(self._take().removesuffix(END))
                yield Typed(END)
            else:
                yield Typed(text[done:looked])
            done, self._inside = looked, not self._inside
        self._recent = text[max(looked, len(text) - len(END) + 1) :]
        if self._inside:
            self._kept.append(text[done:])
            self._size += len(text) - done
            if self._size > self._limit:
                yield Pasted(self._take(spare=len(self._recent)))
        elif done < len(text):
            yield Typed(text[done:])

    def give_up(self) -> Iterator[Typed | Pasted]:
        """Await the end of the paste no longer: what there is of it, and the mark that did not come."""
        if self._inside:
            yield Pasted(self._take())
            yield Typed(END)
            self._inside, self._recent = False, ""

    def _take(self, spare: int = 0) -> str:
        """What was kept back, but for so many characters at its end."""
        whole = "".join(self._kept)
        cut = len(whole) - spare
        self._kept, self._size = [whole[cut:]], spare
        return whole[:cut]
