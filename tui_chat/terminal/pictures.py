"""Pictures in terminals that have Kitty's graphics protocol, by its Unicode placeholders.

A picture is sent once and named by a number. Where it is to be seen stand ordinary cells: U+10EEEE with marks for
row and column, in a colour that is the number. So the driver, which sends only cells that changed, needs to know
nothing of pictures: they scroll, are covered and are cleared as text is, and tmux keeps them in place.

That is why textual-image is not used: its Kitty pictures go past our driver to standard output, between its
sequences, and its Sixel pictures are put into Textual's frames, which our driver takes apart into cells: with each
row that scrolls they would be sent anew, some 100 kB of them. Our own Sixel stands in cells too (`sixel`). Where a
terminal has neither, half blocks are drawn (`images.half_blocks`).

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from tui_chat.terminal.passthrough import multiplexer, passed_through
from tui_chat.text.sanitize import PICTURE_CELL

PLACEHOLDER: Final = chr(PICTURE_CELL)
"""What stands in a picture's cells, before marks."""
_CHUNK: Final = 4096
"""Characters of base64 in a sequence."""
MARKS: Final = tuple(
    chr(code)
    for codes in (
        (0x305, 0x30D, 0x30E, 0x310, 0x312, 0x33D, 0x33E, 0x33F, 0x346, 0x34A, 0x34B, 0x34C, 0x350, 0x351, 0x352),
        (0x357, 0x35B, *range(0x363, 0x370), *range(0x483, 0x488), *range(0x592, 0x596), *range(0x597, 0x59A)),
        (*range(0x59C, 0x5A2), 0x5A8, 0x5A9, 0x5AB, 0x5AC, 0x5AF, 0x5C4, *range(0x610, 0x618)),
        (*range(0x657, 0x65C), 0x65D, 0x65E, *range(0x6D6, 0x6DD), *range(0x6DF, 0x6E3)),
    )
    for code in codes
)
"""The marks that stand for 0, 1, 2 …: the first of the protocol's rowcolumn-diacritics.txt."""
MOST_CELLS: Final = len(MARKS)
"""Columns and rows that a picture may have."""


def has_placeholders(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to draw pictures at placeholders: kitty and Ghostty.

    TERM tells, and SSH passes it on. The protocol's own query does not: Konsole and WezTerm answer it, but have
    no placeholders. Inside tmux they need `allow-passthrough on` and true colours, and nothing tells of these:
    there, the user has to ask for them in the config.
    """
    if multiplexer(environ):
        return False
    return environ.get("TERM") in ("xterm-kitty", "xterm-ghostty") or environ.get("TERM_PROGRAM") == "ghostty"


def picture_number(digest: str) -> int:
    """The number of a picture, from the hexadecimal digest of its blob: 1 to 2**24 - 1."""
    return int(digest[:6], 16) or 1


def send_picture(png: bytes, number: int, columns: int, rows: int, environ: Mapping[str, str]) -> str:
    """The sequences that send a picture, to be shown in so many cells wherever its placeholders stand.

    The terminal answers nothing (`q=2`), and scales the picture into the cells, keeping its shape.
    """
    data = base64.standard_b64encode(png).decode()
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)] or [""]
    controls = f"a=T,U=1,q=2,f=100,i={number},c={columns},r={rows},"
    sequences = (
        f"\x1b_G{controls if place == 0 else 'q=2,'}m={int(place < len(chunks) - 1)};{chunk}\x1b\\"
        for place, chunk in enumerate(chunks)
    )
    return "".join(passed_through(sequence, environ) for sequence in sequences)


def placeholders(columns: int, rows: int, mark: str = "") -> tuple[str, ...]:
    """The rows of text where a picture is to be seen.

    Each cell says which part it shows, so that any of them can be covered, scrolled away and drawn anew. Of which
    picture says the `mark`; without one, `placeholder_colour`, in which they are drawn without a background.
    """
    marks, lines = MARKS[:columns], MARKS[:rows]
    return tuple("".join(f"{PLACEHOLDER}{row}{column}{mark}" for column in marks) for row in lines)


def placeholder_colour(number: int) -> tuple[int, int, int]:
    """The colour that says whose placeholders they are: red, green and blue."""
    return number >> 16 & 255, number >> 8 & 255, number & 255
