"""Fields of our values as columns hold them, and back.

The tables are strict, so a value has the right type; otherwise it may be anything. One broken field does not hide
the rest, so each becomes what it most likely was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Role, State, Usage
from tui_chat.store.fields import LATEST, fields
from tui_chat.text.sanitize import clean_line

_ROLES: Final = {role.value: role for role in Role}
_STATES: Final = {state.value: state for state in State}
_LONGEST_NAME: Final = 500


def whole(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot hold, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by name, as columns of these names hold them."""
    return {name: _encoded(value) for name, value in values.items()}


def decoded(names: Iterable[str], row: Iterable[Any]) -> dict[str, Any]:
    """Columns by name, as fields of these names; the state is left as it is (see `state_of`)."""
    return {
        name: _DECODERS[name](value) if name in _DECODERS and value is not None else value
        for name, value in zip(names, row, strict=True)
    }


def state_of(value: str, *, growing: bool) -> State:
    """How far a message got; interrupted if that is unknown, or if it streams and is not `growing`."""
    state = _STATES.get(value, State.INTERRUPTED)
    return State.INTERRUPTED if state is State.STREAMING and not growing else state


def safe_name(value: str) -> str:
    """One safe line, for what is shown as it is: a title, a model, a file's name."""
    if value.isprintable() and len(value) <= _LONGEST_NAME:
        return value
    return clean_line(value, _LONGEST_NAME)


def _encoded(value: object) -> object:
    match value:
        case str():
            return whole(value)
        case Usage():
            return json.dumps(dataclasses.asdict(value))
        case tuple():
            return json.dumps([whole(text) for text in value], ensure_ascii=False)
    return value


def _time(value: float) -> float:
    """Seconds, since 1970 or since a request; 0 if that cannot be."""
    return value if 0 <= value <= LATEST else 0.0


def _role(value: str) -> Role:
    return _ROLES.get(value, Role.USER)


def _usage(value: str) -> Usage | None:
    try:
        return fields(json.loads(value)).usage()
    except (ValueError, RecursionError, StoreError):
        return None


def _queue(value: str) -> tuple[str, ...]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


_DECODERS: Final[Mapping[str, Callable[[Any], object]]] = {
    **dict.fromkeys(("title", "model", "server", "finish"), safe_name),
    **dict.fromkeys(("created", "updated", "deleted", "first_token", "seconds"), _time),
    "pinned": bool,
    "role": _role,
    "usage": _usage,
    "queue": _queue,
}
