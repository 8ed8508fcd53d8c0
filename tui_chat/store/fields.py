"""Converting fields of our values from untrusted JSON, and from and to columns of our tables.

JSON is checked and sanitised. Columns have the right type, since the tables are strict, but may hold any value: a
broken one becomes a default, so that it does not hide the rest.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from tui_chat.errors import StoreError
from tui_chat.messages import Role, State, Usage
from tui_chat.parameters import Parameters, valid_parameters
from tui_chat.text.sanitize import clean, clean_line

E = TypeVar("E", bound=StrEnum)

LATEST: Final = 4e9
"""Latest Unix time that is accepted, in 2096."""
_LARGEST: Final = 2**63
"""The database holds no numbers from here on."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object. Its methods raise a `StoreError` for values of a wrong type."""

    raw: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text of any length; empty if missing."""
        value = self.raw.get(name)
        if not isinstance(value, str | None):
            raise _wrong(name)
        return clean(value or "")

    def line(self, name: str) -> str:
        """A text of one line; empty if missing."""
        return clean_line(self.text(name))

    def optional_line(self, name: str) -> str | None:
        """A text of one line; None if missing."""
        return None if self.raw.get(name) is None else self.line(name)

    def needed(self, name: str) -> str:
        """A required text of one line."""
        if value := self.line(name):
            return value
        raise _wrong(name)

    def number(self, name: str) -> float | None:
        """A finite number; None if missing."""
        value = self.raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | None) or not abs(value or 0) < _LARGEST:
            raise _wrong(name)
        return value

    def count(self, name: str) -> int | None:
        """A whole number; None if missing."""
        value = self.number(name)
        if not isinstance(value, int | None):
            raise _wrong(name)
        return value

    def optional_time(self, name: str, ticks: float = 1.0) -> float | None:
        """A Unix time in seconds, from one in `ticks` per second; None if missing."""
        value = self.number(name)
        if value is not None and not 0 <= value / ticks <= LATEST:
            raise _wrong(name)
        return None if value is None else value / ticks

    def time(self, name: str, ticks: float = 1.0) -> float:
        """The same; 0 if missing."""
        return self.optional_time(name, ticks) or 0.0

    def usage(self) -> Usage:
        """The object as `Usage`."""
        tokens = map(self.count, ("prompt_tokens", "reply_tokens"))
        seconds = map(self.number, ("load_seconds", "prompt_seconds", "reply_seconds", "thinking_seconds"))
        return Usage(*tokens, *seconds)

    def one_of(self, kind: type[E], name: str) -> E:
        """A value of an enumeration."""
        try:
            return kind(str(self.raw.get(name)))
        except ValueError as error:
            raise _wrong(name) from error

    def object(self, name: str) -> Fields:
        """An object; empty if missing."""
        value = self.raw.get(name)
        if not isinstance(value, dict | None):
            raise _wrong(name)
        return Fields(value or {})

    def objects(self, name: str) -> list[Fields]:
        """A list of objects; empty if missing."""
        value = self.raw.get(name)
        if not isinstance(value, list | None) or not all(isinstance(item, dict) for item in value or ()):
            raise _wrong(name)
        return [Fields(item) for item in value or ()]


def _wrong(name: str) -> StoreError:
    return StoreError(f"The file is broken: {name} is missing or invalid.", "Export it again.")


_ROLES: Final = {role.value: role for role in Role}
_STATES: Final = {state.value: state for state in State}


def whole(text: str) -> str:
    """`text` with question marks for lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of columns for fields, by name."""
    return {name: _encoded(value) for name, value in values.items()}


def decoded(names: tuple[str, ...], row: Iterable[Any]) -> dict[str, Any]:
    """The fields for columns of these names; not the state (see `state_of`)."""
    values = dict(zip(names, row, strict=True))
    for name, decode in _decoders(names):
        if (value := values[name]) is not None:
            values[name] = decode(value)
    return values


def state_of(value: str, *, growing: bool) -> State:
    """A message's state; interrupted if unknown, or if it streams but is not `growing`."""
    state = _STATES.get(value, State.INTERRUPTED)
    return State.INTERRUPTED if state is State.STREAMING and not growing else state


def _encoded(value: object) -> object:
    match value:
        case str():
            return whole(value)
        case Usage():
            return json.dumps(dataclasses.asdict(value))
        case Parameters():
            return json.dumps(value.given)
        case tuple():
            return json.dumps([whole(text) for text in value], ensure_ascii=False)
    return value


def _time(value: float) -> float:
    """Seconds since 1970 or since a request; 0 if out of range."""
    return value if 0 <= value <= LATEST else 0.0


def _usage(value: str) -> Usage | None:
    try:
        return Fields({"usage": json.loads(value)}).object("usage").usage()
    except (ValueError, RecursionError, StoreError):
        return None


def _parameters(value: str) -> Parameters:
    try:
        return valid_parameters(json.loads(value))
    except (ValueError, RecursionError):
        return Parameters()


def _queue(value: str) -> tuple[str, ...]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


_DECODERS: Final[Mapping[str, Callable[[Any], object]]] = {
    **dict.fromkeys(("title", "model", "server", "finish"), clean_line),
    **dict.fromkeys(("created", "updated", "deleted", "first_token", "seconds"), _time),
    "pinned": bool,
    "role": lambda value: _ROLES.get(value, Role.USER),
    "usage": _usage,
    "queue": _queue,
    "parameters": _parameters,
}


@cache
def _decoders(names: tuple[str, ...]) -> Sequence[tuple[str, Callable[[Any], object]]]:
    return [(name, _DECODERS[name]) for name in names if name in _DECODERS]
