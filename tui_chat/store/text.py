"""Text that can be stored."""

from __future__ import annotations


def whole(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot hold, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
