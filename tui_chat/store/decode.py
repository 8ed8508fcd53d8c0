"""Values as they come out of the file. Whatever stands there, one broken field does not hide the rest."""

from __future__ import annotations

import json
import math
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.messages import Role, State, Usage
from tui_chat.store.fields import LATEST, fields
from tui_chat.store.owner import Owner
from tui_chat.text.sanitize import clean_line

_STATES: Final[dict[object, State]] = {state.value: state for state in State}
_ROLES: Final[dict[object, Role]] = {role.value: role for role in Role}
_CUT: Final = State.INTERRUPTED
_GROWING: Final = State.STREAMING
_LONGEST_NAME: Final = 500


def text(value: object) -> str:
    """A text; empty if there is none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def optional_text(value: object) -> str | None:
    """A text, or None."""
    return None if value is None else text(value)


def name(value: object) -> str:
    """One safe line, for what is shown as it is: a title, a model, a file's name."""
    if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_NAME:
        return value
    return clean_line(text(value), _LONGEST_NAME)


def texts(value: object) -> tuple[str, ...]:
    """The texts of a JSON list; none if it is not one."""
    try:
        found = json.loads(text(value))
    except (ValueError, RecursionError):
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def time(value: object) -> float:
    """A Unix time in seconds; 0 if it is none."""
    return value if isinstance(value, float) and 0 <= value <= LATEST else 0.0


def number(value: object) -> float | None:
    """A finite number; None if it is none."""
    return value if isinstance(value, float) and math.isfinite(value) else None


def count(value: object) -> int:
    """A whole number; 0 if it is none."""
    return value if isinstance(value, int) else 0


def blob(value: object) -> bytes:
    """Bytes; those of a text if it is one."""
    return value if isinstance(value, bytes) else text(value).encode("utf-8", "replace")


def role(value: object) -> Role:
    """Who speaks; the user if it is unknown."""
    return _ROLES.get(value, Role.USER)


def state(value: object, *, growing: bool) -> State:
    """How far a message got; interrupted if that is unknown, or if it streams and is not `growing`."""
    reached = _STATES.get(value, _CUT)
    return _CUT if reached is _GROWING and not growing else reached


def writer(owner: object, touched: object, here: Owner, now: float) -> Owner | None:
    """The living process that writes a message, from its columns."""
    return None if owner is None else Owner.living(text(owner), here, now - time(touched))


def usage(value: object) -> Usage | None:
    """What a reply cost; None if that cannot be read."""
    if value is None:
        return None
    try:
        return fields(json.loads(text(value))).usage()
    except (ValueError, RecursionError, StoreError):
        return None
