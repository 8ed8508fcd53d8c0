"""Prints errors and warnings; remedies are said as flags and commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from tui_chat.errors import ChatError, Remedy

_GO_ON: Final = "`tui-chat ask -c` continues it."
_REMEDIES: Final = {
    Remedy.CONTINUE: _GO_ON,
    Remedy.CHOOSE_MODEL: "-m chooses another model.",
    Remedy.PULL: "-m chooses another model.",
    Remedy.CHOOSE_SERVER: "--url chooses another server.",
    Remedy.SET_KEY: "Set the key under [[servers]] in the config file.",
    Remedy.TRUST: "Set `ca_file` or `verify` under [[servers]] in the config file.",
    Remedy.CHATS: "`tui-chat chats` lists the chats.",
}


def advice(error: ChatError, *, goes_on: bool = False) -> str:
    """What to do about an error; `goes_on`: there is a reply to continue."""
    remedy = _REMEDIES.get(error.remedy, "") if error.remedy else ""
    return " ".join(dict.fromkeys(filter(None, [error.hint, remedy, _GO_ON if goes_on else ""])))


def complain(error: ChatError, *, goes_on: bool = False) -> None:
    """Print an error and what to do to standard error; `goes_on` as for `advice`."""
    hint = advice(error, goes_on=goes_on)
    warn(error.sentence + (f"\n  {hint}" if hint else ""))


def warn(text: str) -> None:
    """Print a warning to standard error."""
    print(f"tui-chat: {text}", file=sys.stderr)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table. A column is as wide as its widest cell, in terminal cells."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    cells = (zip(row, widths, strict=True) for row in rows)
    return ["  ".join(cell + " " * (width - _width(cell)) for cell, width in row).rstrip() for row in cells]


def _width(text: str) -> int:
    """The width of a text in terminal cells."""
    from tui_chat.text.clusters import clusters  # late: it loads Rich, which `ask` does not need

    return sum(cells for _, _, cells in clusters(text))
