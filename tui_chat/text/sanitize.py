"""The sanitiser: its output cannot act on a terminal.

It maps single code points, so that any split of the input gives the same output. Terminal controls become visible
symbols, since dropping them would hide an attack; invisible characters are dropped. It keeps newline, tab, and the
joiners (ZWNJ, ZWJ, VS16) that emoji and many scripts need.
"""

from __future__ import annotations

import unicodedata
from typing import Final

PICTURE_CELL: Final = 0x10EEEE
"""Where this stands, terminals with Kitty's graphics protocol draw a picture: only we may write it."""
_DEL: Final = 0x7F
_BIDI_MARKS: Final = (0x061C, 0x200E, 0x200F)
_BIDI_OVERRIDES: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_FILLERS: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that look blank."""
_INVISIBLE: Final = (0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
    table[0x0D] = ""
    table[_DEL] = "␡"
    table |= {code: f"⟨U+{code:04X}⟩" for code in (*range(0x80, 0xA0), *_BIDI_OVERRIDES)}
    table |= dict.fromkeys((*_BIDI_MARKS, *_INVISIBLE), "")
    table[PICTURE_CELL] = f"⟨U+{PICTURE_CELL:X}⟩"
    table |= {0x0085: "\n", 0x2028: "\n", 0x2029: "\n"}
    table |= dict.fromkeys(range(55296, 57344), "�")
    return table


_TABLE: Final = _table()
_LINE_TABLE: Final = {**_TABLE, 0x0A: " ", 0x09: " ", 0x0085: " ", 0x2028: " ", 0x2029: " "}


def clean(text: str) -> str:
    """`text` without terminal controls; newlines and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_TABLE)


def clean_line(text: str, limit: int = 500) -> str:
    """`text` as one safe line of at most `limit` characters: for names, titles and errors."""
    if len(text) <= limit and text.isprintable():
        return text
    line = text[: limit * 4].translate(_LINE_TABLE)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible_line(text: str, limit: int = 500) -> str:
    """`text` as one safe line without extra blanks; empty if nothing is visible."""
    line = clean_line(" ".join(text[: limit * 4].split()), limit)
    return line if any(unicodedata.category(c)[0] in "LNPS" and c not in _FILLERS for c in line) else ""
