"""What is pasted and what is typed, told apart in input that comes in any pieces."""

from __future__ import annotations

import re
from itertools import pairwise
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.terminal.pasting import END, START, Pasted, Pasting

PARTS = st.sampled_from(
    [START, END, "\x1b", "\x1b[", "\x1b[20", "0~", "1~", "\x1b[31m", "\r", "a", "é漢", "\x1b[A"]
)
INPUTS = st.lists(PARTS, max_size=30).map("".join)


def split(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


def pieces_of(reads: list[str], pasting: Pasting) -> list[str | Pasted]:
    return [piece for read in reads for piece in pasting.feed(read)]


def text_of(piece: str | Pasted) -> str:
    return piece if isinstance(piece, str) else piece.text


def joined(pieces: list[str | Pasted]) -> list[str | Pasted]:
    """The same with neighbours of one kind made one."""
    found: list[str | Pasted] = []
    for piece in pieces:
        if found and isinstance(piece, str) and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def expected(text: str) -> list[str | Pasted]:
    """The pieces of a text whose last paste has an end, by a regular expression."""
    found: list[str | Pasted] = []
    done = 0
    for match in re.finditer(f"{re.escape(START)}(.*?)(?={re.escape(END)})", text, re.DOTALL):
        found += [text[done : match.start(1)], Pasted(match[1])]
        done = match.end()
    return [*found, text[done:]] if done < len(text) else found


@given(INPUTS, st.lists(st.integers(0, 1000)))
def test_pieces_are_the_same_however_the_input_is_split(text: str, cuts: list[int]) -> None:
    text += END
    assert joined(pieces_of(split(text, cuts), Pasting())) == expected(text)


@given(INPUTS, st.lists(st.integers(0, 1000)), st.integers(0, 40))
def test_nothing_is_lost_or_added_but_the_mark_of_a_paste_given_up(text: str, cuts: list[int], limit: int) -> None:
    pasting = Pasting(limit)
    pieces = pieces_of(split(text, cuts), pasting)
    rest = re.sub(f"{re.escape(START)}.*?{re.escape(END)}", "", text, flags=re.DOTALL)
    pieces += pasting.give_up()
    assert "".join(map(text_of, pieces)) == text + (END if START in rest else "")
    assert not list(pasting.give_up())
    assert all(pieces)


def test_a_paste_without_an_end_is_handed_on_in_parts_of_which_none_is_typed() -> None:
    pasting = Pasting(limit=1000)
    pieces = pieces_of([START, *["0123456789"] * 1000], pasting)
    assert pieces[0] == START
    assert all(isinstance(piece, Pasted) and len(piece.text) <= 1010 for piece in pieces[1:])
    assert sum(map(len, map(text_of, pieces[1:]))) > 9000


def test_the_cost_grows_with_the_size_alone() -> None:
    """Quadratic work over these sixteen megabytes would take minutes."""
    started = perf_counter()
    pieces = pieces_of([START, *["\x1b[31mx\r" * 8] * 250_000, END], Pasting(1 << 30))
    assert [len(text_of(piece)) for piece in pieces] == [6, 14_000_000, 6]
    assert perf_counter() - started < 10
