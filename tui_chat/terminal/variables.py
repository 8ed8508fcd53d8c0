"""Textual's environment variables: invalid values would end the program with a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_chat.errors import ConfigError

_COLOUR_SYSTEMS: Final = ("auto", "standard", "256", "truecolor")


def check_variables(environ: Mapping[str, str]) -> None:
    """Check the variables that Textual reads.

    Raises:
        ConfigError: Textual cannot use a value.
    """
    system = environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if system not in _COLOUR_SYSTEMS:
        raise ConfigError(
            f"TEXTUAL_COLOR_SYSTEM cannot be {system!r:.80}", f"Unset it, or use {', '.join(_COLOUR_SYSTEMS)}."
        )
    if log := environ.get("TEXTUAL_LOG"):
        try:
            open(log, "a").close()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ConfigError(f"TEXTUAL_LOG: cannot write {log!r:.200}: {reason}", "Unset it.") from None
