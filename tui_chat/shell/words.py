"""Prints errors and warnings; remedies are said as flags and commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Final, TypeVar

from tui_chat.errors import ChatError, Remedy
from tui_chat.output import put

Item = TypeVar("Item")

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


def json_line(item: object) -> str:
    """A dictionary or a dataclass as JSON. Sets become sorted lists."""
    fields = asdict(item) if is_dataclass(item) and not isinstance(item, type) else item
    return json.dumps(fields, ensure_ascii=False, default=sorted)


def put_list(
    items: Sequence[Item], lines: Callable[[Sequence[Item]], Iterable[str]], nothing: str, *, as_json: bool
) -> None:
    """Print items as lines or as JSON; say `nothing` to standard error where there are no lines.

    Raises:
        OutputError: standard output takes no more.
        BrokenPipeError: nobody reads standard output any more.
    """
    if as_json:
        put(*map(json_line, items))
    elif items:
        put(*lines(items))
    else:
        print(nothing, file=sys.stderr)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table. A column is as wide as its widest cell, in terminal cells."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    cells = (zip(row, widths, strict=True) for row in rows)
    return ["  ".join(cell + " " * (width - _width(cell)) for cell, width in row).rstrip() for row in cells]


def _width(text: str) -> int:
    """The width of a text in terminal cells."""
    from tui_chat.text.clusters import clusters  # late: it loads Rich, which `ask` does not need

    return sum(cells for _, _, cells in clusters(text))
