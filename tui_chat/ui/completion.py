"""Completion in the composer: which part of a text is completed, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may replace what is being typed."""

    text: str
    """With the space behind it, if there has to be one."""
    help: str = ""
    more: bool = False
    """Whether more is to follow: then Enter only takes it, and sends nothing yet."""


@dataclass(frozen=True, slots=True)
class Completion:
    """The characters from `start` to `end`, and what may replace them."""

    start: int
    end: int
    candidates: Sequence[Candidate] | Callable[[], Awaitable[Sequence[Candidate]]]
    """Best first. A function is awaited in the background; its answer is dropped if the text has changed since."""
    free: bool = False
    """Whether any other text is as good: then Enter takes a candidate only after Up or Down."""


Completer = Callable[[str, int], Completion | None]
"""Takes a text and the cursor's place in it. Called at every key: what takes long belongs to `candidates`."""


def ranked(typed: str, values: Iterable[str | Candidate]) -> list[Candidate]:
    """The candidates that contain what is typed, those that begin with it first; case does not matter."""
    wanted = typed.casefold()
    candidates = (Candidate(value) if isinstance(value, str) else value for value in values)
    found = [(each.text.casefold().find(wanted), each) for each in candidates]
    found.sort(key=lambda pair: (pair[0] > 0, pair[1].text.casefold().rstrip() != wanted))
    return [each for at, each in found if at >= 0]
