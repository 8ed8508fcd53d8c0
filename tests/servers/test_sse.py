"""Server-sent events: the WHATWG rules, and what servers of language models do to them."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.errors import Garbled
from tui_chat.servers.sse import EventDecoder, ServerEvent

from tests.servers.openai_recordings import STREAMS, recorded


def decode(*chunks: bytes) -> list[ServerEvent]:
    decoder = EventDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [*events, *decoder.close()]


def data(*chunks: bytes) -> list[str]:
    return [event.data for event in decode(*chunks)]


def pieces(raw: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    return [raw[start:end] for start, end in itertools.pairwise(edges)]


CUTS = st.lists(st.integers(min_value=0, max_value=1 << 20), max_size=12)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_both_ends_of_a_line_count(end: bytes) -> None:
    assert data(b"data: a", end, b"data: b", end, end, b"data: c", end, end) == ["a\nb", "c"]


def test_a_line_end_cut_in_two_is_one_line_end() -> None:
    assert data(b"data: a\r", b"\ndata: b\r", b"", b"\n\r", b"\n") == ["a\nb"]


@pytest.mark.parametrize("end", "\v\f\x1c\x1d\x1e\x85\u2028\u2029")
def test_nothing_else_ends_a_line(end: str) -> None:
    assert data(f"data: a{end}b\n\n".encode()) == [f"a{end}b"]


def test_one_byte_order_mark_is_dropped_and_only_one() -> None:
    assert data(b"\xef", b"\xbb\xbfdata: a\n\n") == ["a"]
    assert data(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n") == ["b"]


def test_comments_and_unknown_fields_are_no_events() -> None:
    assert data(b": OPENROUTER PROCESSING\n\n:\n\nfoo: bar\n\ndata: a\n: in between\n\n") == ["a"]


def test_one_space_after_the_colon_is_dropped_and_only_one() -> None:
    assert data(b"data:a\n\ndata: a\n\ndata:  a\n\n") == ["a", "a", " a"]


def test_a_field_without_a_colon_has_an_empty_value() -> None:
    assert data(b"data\n\ndata\ndata\n\n") == ["", "\n"]


def test_an_event_without_data_is_none_but_forgets_its_type() -> None:
    assert decode(b"event: x\n\ndata: a\n\n") == [ServerEvent("a")]


def test_type_and_id_come_along_and_only_the_id_stays() -> None:
    assert decode(b"event: x\nid: 7\ndata: a\n\ndata: b\n\n: c\n\nid: \0\ndata: d\n\n") == [
        ServerEvent("a", "x", "7"),
        ServerEvent("b", "message", "7"),
        ServerEvent("d", "message", "7"),
    ]


def test_broken_utf8_becomes_replacement_characters() -> None:
    assert data(b"data: a\xff\xf0\x9fb\n\n") == ["a��b"]


def test_what_the_end_left_open_counts_if_it_is_whole() -> None:
    assert data(b'data: {"a":1}') == ['{"a":1}']
    assert data(b'data: {"a":1}\n') == ['{"a":1}']
    assert data(b"data: [DONE]") == ["[DONE]"]
    assert data(b'data: {"a":') == []
    assert data(b"data: half a sen") == []


def test_an_error_field_is_an_event() -> None:
    assert decode(b'error: {"code":500}\n\ndata: [DONE]\n\n') == [
        ServerEvent('{"code":500}', "error"),
        ServerEvent("[DONE]"),
    ]


def test_a_bare_json_body_is_an_event() -> None:
    body = {"error": {"message": "no"}}
    assert data(json.dumps(body).encode()) == [json.dumps(body)]
    pretty = json.dumps(body, indent=2)
    assert data(pretty.encode()) == [pretty]
    assert data(b"data: a\n\n" + pretty.encode() + b"\n\n") == ["a", pretty]
    assert data(b'{"error": "broken\n\n') == []


def test_a_web_page_is_no_event() -> None:
    assert data(b"<html><head><style>p {color: red}</style>\n\n<p>data: a</p></html>") == []


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 200, b"data: xxxxxxx\n" * 20, b"x" * 200 + b"\n"])
def test_an_event_over_the_limit_is_garbled(raw: bytes) -> None:
    decoder = EventDecoder(limit=100)
    with pytest.raises(Garbled):
        list(decoder.feed(raw))
    decoder = EventDecoder(limit=100)
    with pytest.raises(Garbled):
        [event for byte in raw for event in decoder.feed(bytes([byte]))]


def test_many_events_under_the_limit_are_no_event_over_it() -> None:
    decoder = EventDecoder(limit=100)
    assert len([*decoder.feed(b"data: xxxxxxxxxx\n\n" * 1000)]) == 1000


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=5, deadline=None)
@given(cuts=CUTS)
def test_a_recording_gives_the_same_events_however_it_is_cut(name: str, cuts: list[int]) -> None:
    body = recorded(name).body
    assert decode(*pieces(body, cuts)) == decode(body)


@settings(max_examples=150, deadline=None)
@given(
    raw=st.lists(
        st.sampled_from(
            [
                b"data",
                b"error",
                b"event",
                b"id",
                b":",
                b" ",
                b"\r",
                b"\n",
                b"\xef\xbb\xbf",
                b"{",
                b"}",
                b'"a"',
                b"\xf0\x9f",
                b"1",
            ]
        ),
        max_size=40,
    ).map(b"".join),
    cuts=CUTS,
)
def test_any_bytes_give_the_same_events_however_they_are_cut(raw: bytes, cuts: list[int]) -> None:
    assert decode(*pieces(raw, cuts)) == decode(raw)
    assert decode(*(raw[i : i + 1] for i in range(len(raw)))) == decode(raw)
