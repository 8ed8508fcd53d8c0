"""Values as they come out of the file: of the right type, as the tables are strict, but otherwise anything.

One broken field does not hide the rest.
"""

from __future__ import annotations

import json
import math
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.messages import Role, State, Usage
from tui_chat.store.fields import LATEST, fields
from tui_chat.store.owner import ProcessId
from tui_chat.text.sanitize import clean_line

_STATES: Final[dict[str, State]] = {state.value: state for state in State}
_ROLES: Final[dict[str, Role]] = {role.value: role for role in Role}
_CUT: Final = State.INTERRUPTED
_GROWING: Final = State.STREAMING
_LONGEST_NAME: Final = 500


def name(value: str) -> str:
    """One safe line, for what is shown as it is: a title, a model, a file's name."""
    if value.isprintable() and len(value) <= _LONGEST_NAME:
        return value
    return clean_line(value, _LONGEST_NAME)


def texts(value: str) -> tuple[str, ...]:
    """The texts of a JSON list; none if it is not one."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def time(value: float) -> float:
    """A Unix time in seconds; 0 if it is none."""
    return value if 0 <= value <= LATEST else 0.0


def number(value: float | None) -> float | None:
    """A finite number; None if it is none."""
    return value if value is not None and math.isfinite(value) else None


def role(value: str) -> Role:
    """Who speaks; the user if it is unknown."""
    return _ROLES.get(value, Role.USER)


def state(value: str, *, growing: bool) -> State:
    """How far a message got; interrupted if that is unknown, or if it streams and is not `growing`."""
    reached = _STATES.get(value, _CUT)
    return _CUT if reached is _GROWING and not growing else reached


def writer(owner: str | None, touched: float, here: ProcessId, now: float) -> ProcessId | None:
    """The living process that writes a message, from its columns."""
    return None if owner is None else ProcessId.living(owner, here, now - time(touched))


def usage(value: str | None) -> Usage | None:
    """What a reply cost; None if that cannot be read."""
    if value is None:
        return None
    try:
        return fields(json.loads(value)).usage()
    except (ValueError, RecursionError, StoreError):
        return None
