"""Reading JSON that others wrote: each value checked and sanitised as it is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from tui_chat.errors import StoreError
from tui_chat.messages import Usage
from tui_chat.text.sanitize import clean, clean_line

E = TypeVar("E", bound=StrEnum)

LATEST: Final = 4e9
"""Unix times in seconds end here, in the year 2096: beyond it they are something else, or meant to do harm."""
_LARGEST: Final = 2**63
"""Numbers from here on are none that the database can hold."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object. Its methods raise a `StoreError` where a value is not what it should be."""

    raw: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text of any length, lines kept; empty if it is not there."""
        value = self.raw.get(name)
        if not isinstance(value, str | None):
            raise _wrong(name)
        return clean(value or "")

    def line(self, name: str, limit: int | None = 500) -> str:
        """A text of one line; empty if it is not there."""
        value = self.text(name)
        return clean_line(value, len(value) if limit is None else limit)

    def optional_line(self, name: str) -> str | None:
        """A text of one line; None if it is not there."""
        return None if self.raw.get(name) is None else self.line(name)

    def needed(self, name: str) -> str:
        """A text of one line that has to be there."""
        value = self.line(name)
        if not value:
            raise _wrong(name)
        return value

    def number(self, name: str) -> float | None:
        """A finite number; None if it is not there."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
            raise _wrong(name)
        return value

    def count(self, name: str) -> int | None:
        """A whole number; None if it is not there."""
        value = self.number(name)
        if not isinstance(value, int | None):
            raise _wrong(name)
        return value

    def optional_time(self, name: str, ticks: float = 1.0) -> float | None:
        """A Unix time in seconds, of which the file counts `ticks` to a second; None if it is not there."""
        value = self.number(name)
        if value is not None and not 0 <= value / ticks <= LATEST:
            raise _wrong(name)
        return None if value is None else value / ticks

    def time(self, name: str, ticks: float = 1.0) -> float:
        """The same; 0 if it is not there."""
        return self.optional_time(name, ticks) or 0.0

    def usage(self) -> Usage:
        """The object as what a reply cost."""
        tokens = map(self.count, ("prompt_tokens", "reply_tokens"))
        seconds = map(self.number, ("load_seconds", "prompt_seconds", "reply_seconds", "thinking_seconds"))
        return Usage(*tokens, *seconds)

    def one_of(self, kind: type[E], name: str) -> E:
        """A value of an enumeration."""
        try:
            return kind(str(self.raw.get(name)))
        except ValueError as error:
            raise _wrong(name) from error


def fields(value: object) -> Fields:
    """`value` as an object.

    Raises:
        StoreError: it is none.
    """
    if not isinstance(value, dict):
        raise _wrong("an object")
    return Fields(value)


def listed(value: object) -> list[Any]:
    """`value` as a list.

    Raises:
        StoreError: it is none.
    """
    if not isinstance(value, list):
        raise _wrong("a list")
    return value


def _wrong(name: str) -> StoreError:
    return StoreError(f"The file is broken: {name} is missing or not what it should be.", "Export it anew.")
