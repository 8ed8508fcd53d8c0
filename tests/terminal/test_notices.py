"""Notices for a person who looks elsewhere: what each terminal takes, and nothing that acts on it otherwise."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.terminal.notices import NoticeKind, notice, restore_title, save_title, set_title
from tui_chat.terminal.outbox import _LEAVES_SCREEN_ALONE

OSC9, OSC777, BELL = b"\x1b]9;tui-chat: done\x07", b"\x1b]777;notify;tui-chat;done\x07", b"\x07"
ENVIRONS = st.sampled_from(
    [
        {"TERM": "xterm-256color"},
        {"TERM": "xterm-kitty"},
        {"TERM": "foot"},
        {"TERM": "tmux-256color", "TMUX": "/tmp/tmux", "LC_TERMINAL": "iTerm2"},
        {"TERM": "screen", "STY": "1", "VTE_VERSION": "7600"},
        {"TERM": "linux"},
        {},
    ]
)


@pytest.mark.parametrize(
    ("environ", "sequence"),
    [
        ({"TERM": "xterm-256color"}, BELL),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, OSC9),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, OSC9),
        ({"TERM": "xterm-kitty"}, OSC9),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, OSC9),
        ({"TERM": "xterm-ghostty"}, OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, OSC777),
        ({"TERM": "foot-extra"}, OSC777),
        ({"TERM": "rxvt-unicode-256color"}, OSC777 + BELL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, OSC777 + BELL),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "240800"}, OSC777 + BELL),
        ({"TERM": "linux", "VTE_VERSION": "7600"}, BELL),
        ({"TERM": "dumb"}, BELL),
        ({"KITTY_WINDOW_ID": "1"}, BELL),
        ({"TERM": "tmux-256color", "TMUX": "x"}, BELL),
    ],
)
def test_each_terminal_gets_what_it_takes(environ: dict[str, str], sequence: bytes) -> None:
    assert notice(NoticeKind.AUTO, "done", environ) == sequence


def test_a_person_may_choose() -> None:
    environ = {"TERM": "xterm-256color"}
    assert notice(NoticeKind.OSC9, "done", environ) == OSC9
    assert notice(NoticeKind.OSC777, "done", environ) == OSC777
    assert notice(NoticeKind.BELL, "done", {"TERM": "xterm-kitty"}) == BELL


def test_tmux_passes_it_on_and_rings() -> None:
    sequence = notice(NoticeKind.AUTO, "done", {"TERM": "tmux-256color", "TMUX": "x", "LC_TERMINAL": "iTerm2"})
    assert sequence == b"\x1bPtmux;" + OSC9.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\" + BELL
    assert notice(NoticeKind.OSC9, "done", {"TERM": "screen", "STY": "x"}) == b"\x1bP" + OSC9 + b"\x1b\\" + BELL


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(NoticeKind), ENVIRONS)
def test_no_words_act_on_the_terminal_or_make_the_driver_paint_anew(
    words: str, kind: NoticeKind, environ: dict[str, str]
) -> None:
    for data in (notice(kind, words, environ), set_title(words, environ)):
        text = data.decode()
        assert _LEAVES_SCREEN_ALONE.fullmatch(text)
        osc = re.sub("\x1bP(?:tmux;)?|\x1b\\\\", "", text).replace("\x1b\x1b", "\x1b")
        assert re.fullmatch("(?:\x1b\\](?:2|9|777);[^\x00-\x1f\x7f-\x9f]*\x07)?\x07?", osc)
        assert len(text) < 300


def test_the_title_is_kept_and_given_back() -> None:
    environ = {"TERM": "xterm-256color"}
    assert set_title("tui-chat: thinking", environ) == b"\x1b]2;tui-chat: thinking\x07"
    assert (save_title(environ), restore_title(environ)) == (b"\x1b[22;2t", b"\x1b[23;2t")
    for term in ("linux", "dumb", "vt100"):
        assert not any((set_title("x", {"TERM": term}), save_title({"TERM": term}), restore_title({"TERM": term})))
    assert all(map(_LEAVES_SCREEN_ALONE.fullmatch, ("\x1b[22;2t", "\x1b[23;2t")))
