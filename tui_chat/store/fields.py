"""Our values' fields, read from columns of our tables and from JSON, and written to columns.

A broken one becomes a default, so that it does not hide the rest.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tui_chat.messages import Role, State, Usage
from tui_chat.parameters import Parameters, valid_parameters
from tui_chat.store.values import Place
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.untrusted import count_of, parsed, text_of, usage_of

LATEST: Final = 4e9
"""Latest Unix time that is accepted, in 2096."""
_ROLES: Final = {role.value: role for role in Role}
_STATES: Final = {state.value: state for state in State}


def whole(text: str) -> str:
    """`text` with question marks for lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of columns for fields, by name."""
    return {name: _encoded(value) for name, value in values.items()}


def decoded(names: Iterable[str], values: Iterable[Any]) -> dict[str, Any]:
    """The fields of these names; those without a value are None. The state is for `state_of`."""
    return {
        name: value if value is None or (decode := _DECODERS.get(name)) is None else decode(value)
        for name, value in zip(names, values, strict=True)
    }


def state_of(value: object, *, growing: bool) -> State:
    """A message's state; interrupted if unknown, or if it streams but is not `growing`."""
    state = _STATES.get(str(value), State.INTERRUPTED)
    return State.INTERRUPTED if state is State.STREAMING and not growing else state


def time_of(value: object, ticks: float = 1.0) -> float:
    """Seconds since 1970 or since a request, from `ticks` per second; 0 if out of range."""
    return value / ticks if isinstance(value, int | float) and 0 <= value / ticks <= LATEST else 0.0


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


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _line(value: object) -> str:
    return clean_line(value) if isinstance(value, str) else ""


def _usage(value: object) -> Usage | None:
    told = _value(value)
    return usage_of(told) if isinstance(told, dict) else None


def _queue(value: object) -> tuple[str, ...]:
    found = _value(value)
    return tuple(clean(each) for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _place(value: object) -> Place | None:
    if not isinstance(value, dict):
        return None
    return Place(clean_line(text_of(value, "message")), count_of(value, "row") or 0)


def _value(value: object) -> object:
    """A value of JSON, which is text in a column."""
    return parsed(value) if isinstance(value, str) else value


_DECODERS: Final[Mapping[str, Callable[[Any], object]]] = {
    **dict.fromkeys(("id", "title", "model", "server", "finish"), _line),
    **dict.fromkeys(("parent", "leaf"), lambda value: _line(value) or None),
    **dict.fromkeys(("system", "draft", "error"), _text),
    **dict.fromkeys(("created", "updated", "deleted", "first_token", "seconds"), time_of),
    "pinned": bool,
    "role": lambda value: _ROLES.get(str(value), Role.USER),
    "usage": _usage,
    "queue": _queue,
    "parameters": lambda value: valid_parameters(_value(value)),
    "place": _place,
}
