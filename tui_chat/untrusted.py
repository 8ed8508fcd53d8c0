"""Lenient accessors for untrusted JSON: a field that is missing or of a wrong type reads as empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Final

from tui_chat.events import Delta
from tui_chat.messages import Usage
from tui_chat.text.sanitize import clean, clean_line

LARGEST: Final = 2**53
"""Larger whole numbers read as None: JSON, SQLite and floats cannot hold them exactly."""
LONGEST: Final = 5000
"""Longest list that is read: more than any server has models."""


def parsed(text: str | bytes) -> object:
    """The value of a JSON text; None for any other text."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def text_of(value: Mapping[str, object], name: str) -> str:
    """A string, else an empty one."""
    text = value.get(name)
    return text if isinstance(text, str) else ""


def count_of(value: Mapping[str, object], name: str) -> int | None:
    """A whole number of at least 0 and less than `LARGEST`, else None."""
    number = value.get(name)
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < LARGEST else None


def seconds_of(value: Mapping[str, object], name: str, per_second: float = 1.0) -> float | None:
    """A duration in seconds, given in units of which `per_second` make one, else None."""
    number = value.get(name)
    if isinstance(number, int | float) and 0 <= number < min(LARGEST, 1e9 * per_second):
        return number / per_second
    return None


def usage_of(value: Mapping[str, object]) -> Usage:
    """A `Usage` as the relay and our exports write it."""
    tokens = (count_of(value, name) for name in ("prompt_tokens", "reply_tokens"))
    times = ("load_seconds", "prompt_seconds", "reply_seconds", "thinking_seconds")
    return Usage(*tokens, *(seconds_of(value, name) for name in times))


def window_of(value: Mapping[str, object], name: str) -> int | None:
    """A context window in tokens, else None. 0 means unknown (llama.cpp's router)."""
    return count_of(value, name) or None


def object_of(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    """An object, else an empty one."""
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def objects_of(value: Mapping[str, object], name: str, most: int | None = LONGEST) -> list[Mapping[str, object]]:
    """The first objects of a list, `most` of them, else an empty list."""
    inner = value.get(name)
    objects = (item for item in inner if isinstance(item, dict)) if isinstance(inner, list) else ()
    return list(islice(objects, most))


def strings_of(value: Mapping[str, object], name: str) -> list[str]:
    """The strings in a list, each as one safe line, else an empty list."""
    inner = value.get(name)
    strings = (item for item in inner if isinstance(item, str)) if isinstance(inner, list) else ()
    return [clean_line(word, 50) for word in islice(strings, LONGEST)]


def delta_of(sent: str) -> Delta:
    """A sanitised piece of the answer, with the exact text if that differs."""
    text = clean(sent)
    if text == sent:
        return Delta(text)
    return Delta(text, sent.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))  # no half characters
