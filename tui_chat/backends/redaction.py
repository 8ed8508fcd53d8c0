"""Errors that show no secret: servers quote the key that they refuse, in any corner of an answer."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from tui_chat.errors import ReplyError
from tui_chat.text.overlap import overlap

_LEAST: Final = 4
"""Characters of a secret's beginning that are hidden where a text was cut short in the middle of it."""


def redact(error: ReplyError, secrets: Set[str]) -> None:
    """Put dots in the place of `secrets` in the message and the hint of an error."""
    error.args = (_hidden(str(error), secrets),)
    error.hint = _hidden(error.hint, secrets)


def _hidden(text: str, secrets: Set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    cut = text.removesuffix("…")
    if cut == text:
        return text
    rest = max((overlap(cut, secret) for secret in secrets), default=0)
    return f"{cut[: len(cut) - rest]}…" if rest >= _LEAST else text
