"""Copies go out as OSC 52, wrapped for what stands between."""

from __future__ import annotations

import base64
import re

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.terminal.clipboard import LIMIT, copy_sequences, copy_way


def decoded(sequence: str) -> str:
    match = re.fullmatch("\x1b\\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert match is not None
    return base64.b64decode(match.group(1)).decode()


@given(st.text(max_size=300))
def test_any_text_arrives_as_it_was(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert decoded(copy_sequences(text, {"TERM": "xterm"})) == text


@given(st.text(min_size=200, max_size=900))
def test_gnu_screen_gets_pieces_that_it_passes_on_whole(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    sequences = copy_sequences(text, {"TERM": "screen", "STY": "1.pts"})
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", sequences, re.DOTALL)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sequences
    assert all(len(piece) <= 250 for piece in pieces)
    assert decoded("".join(pieces)) == text


def test_tmux_gets_it_for_itself_and_for_the_terminal_outside() -> None:
    sequences = copy_sequences("hello", {"TMUX": "x", "TERM": "tmux-256color"})
    plain, _, wrapped = sequences.partition("\x1bPtmux;")
    assert decoded(plain) == "hello"
    assert decoded(wrapped.removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b")) == "hello"


def test_what_is_too_long_is_not_sent_at_all() -> None:
    assert copy_sequences("x" * LIMIT, {"TERM": "xterm"})
    assert copy_sequences("x" * (LIMIT + 1), {"TERM": "xterm"}) == ""


@given(st.text(max_size=300), st.sampled_from(["linux", "vt100", "dumb", "xterm", "tmux-256color", "screen", ""]))
def test_it_says_a_way_exactly_where_something_is_sent(text: str, term: str) -> None:
    for environ in ({"TERM": term}, {"TERM": term, "TMUX": "x"}, {"TERM": term, "TERM_PROGRAM": "Apple_Terminal"}):
        assert bool(copy_way(text, environ)) is bool(copy_sequences(text, environ))
