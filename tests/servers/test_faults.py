"""Error bodies in every shape, and how long a server wants a client to wait."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import (
    Busy,
    NoSuchModel,
    Refused,
    Remedy,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unsupported,
)
from tui_chat.servers.faults import Fault, error_of, fault_in, judge, retry_after

from tests.servers.openai_recordings import recorded


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no", "type": "t", "code": "c"}}, "no"),
        ({"error": {"message": "no", "code": 500}}, "no"),
        ({"error": "no"}, "no"),
        ({"error": json.dumps({"error": {"code": 500, "message": "no"}})}, "no"),
        ({"error": {"message": json.dumps({"error": "no"})}}, "no"),
        ({"error": {"message": json.dumps({"answer": 42})}}, '{"answer": 42}'),
        ({"object": "error", "message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", 0], "msg": "no"}, "too", 7, {"msg": "bad"}]}, "body.0: no; too; bad"),
        ({"error": {}}, ""),
    ],
)
def test_a_fault_is_found_in_every_shape(body: object, message: str) -> None:
    fault = fault_in(body)
    assert fault is not None
    assert fault.message == message


@pytest.mark.parametrize(
    "body", [None, [], "error", 7, {}, {"error": None}, {"error": ""}, {"message": "hello"}, {"detail": 7}]
)
def test_no_fault_is_made_up(body: object) -> None:
    assert fault_in(body) is None


def test_a_body_nested_without_end_is_not_followed_without_end() -> None:
    body: object = "no"
    for _ in range(10):
        body = {"error": json.dumps(body)}
    assert fault_in(body) is not None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", Unauthorized),
        (403, '{"detail":"Not authenticated"}', Unauthorized),
        (400, '{"error":{"message":"Invalid API key provided"}}', Unauthorized),
        (404, '{"error":{"code":"model_not_found","message":"The model `x` does not exist"}}', NoSuchModel),
        (404, recorded("v1-model-missing.txt").body.decode(), NoSuchModel),
        (400, '{"error":"No models loaded. Please load a model."}', NoSuchModel),
        (404, "404 page not found", Refused),
        (405, "", Refused),
        (400, '{"error":{"code":"context_length_exceeded","message":"too much"}}', TooLong),
        (400, '{"error":{"message":"the request exceeds the available context size"}}', TooLong),
        (413, "", TooLong),
        (400, '{"error":{"message":"image input is not supported - hint: mmproj"}}', Unsupported),
        (400, '{"error":{"message":"x does not support tools"}}', Unsupported),
        (429, "", Busy),
        (429, '{"error":{"code":"insufficient_quota","message":"You exceeded your quota"}}', Refused),
        (503, "", Busy),
        (503, recorded("llamacpp-chat-loading.txt").body.decode(), Busy),
        (500, "", ServerFault),
        (502, "<html><head><title>502 Bad Gateway</title></html>", ServerFault),
        (504, "", ServerFault),
        (400, '{"error":{"message":"temperature must be a number"}}', Refused),
        (0, '{"error":"it broke"}', ServerFault),
        (500, '{"error":{"message":"The model runner stopped: unknown error"}}', ServerFault),
        (500, '{"error":"unable to load model: file not found"}', ServerFault),
        (422, '{"detail":"model x not found"}', NoSuchModel),
    ],
)
def test_status_and_words_make_the_class(status: int, body: str, kind: type[ReplyError]) -> None:
    error = error_of(status, body, model="x")
    assert type(error) is kind
    assert str(error)
    assert error.hint
    if isinstance(error, Refused):
        assert error.status == status


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("litellm-no-key.txt", Unauthorized, "(401: Authentication Error, No api key passed in)."),
        ("litellm-no-key-500.txt", ServerFault, "(500: Internal Server Error)."),
        ("litellm-wrong-key.txt", Unauthorized, "(400: No connected db)."),
        ("llamacpp-apikey.txt", Unauthorized, "(401: Invalid API Key)."),
    ],
)
def test_where_a_key_is_missing_the_way_to_set_it_is_told(name: str, kind: type[ReplyError], message: str) -> None:
    answer = recorded(name)
    error = error_of(answer.status, answer.body.decode())
    assert type(error) is kind
    assert str(error).endswith(message)
    assert error.remedy is Remedy.SET_KEY


BLANK = st.text("  \t\n\u3000\u200b\u200d\u00ad\u2060\u3164\u2800\ufeff\ufe0f", min_size=1)


@given(
    st.sampled_from([0, 400, 401, 403, 404, 413, 418, 422, 429, 500, 502, 503, 529]),
    BLANK,
    st.sampled_from(["error", "detail", "message", "inner", "plain"]),
)
def test_a_blank_error_says_at_least_the_status(status: int, blank: str, place: str) -> None:
    shapes = {"inner": {"error": {"message": blank, "type": "odd_error"}}, "plain": None}
    body = shapes.get(place, {place: blank})
    error = error_of(status, blank if body is None else json.dumps(body))
    assert str(status or "The server reported an error") in str(error)
    if place == "inner" and status in (0, 400, 418, 422, 429, 502, 503, 529):
        assert "odd_error" in str(error)


def test_an_error_is_one_safe_line_of_bounded_length() -> None:
    error = judge(Fault("a\x1b]52;c;x\x07\n\n\t b" + "c" * 10_000), 400)
    assert str(error).startswith("a␛]52;c;x␇ b")
    assert len(str(error)) <= 400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sat, 21 Nov 2026 00:00:30"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "999999999"}, None),
        ({"retry-after": "86400"}, 86400),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 +99999999999999999999"}, None),
    ],
)
def test_the_wish_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "No credits left", "code": 7}, "No credits left"),
        ({"detail": {"error": "no"}}, "no"),
        ({"detail": {"message": "no"}}, "no"),
        ({"detail": {"what": "no"}}, '{"detail": {"what": "no"}}'),
    ],
)
def test_what_is_an_error_by_its_status_alone_is_not_shown_as_json(body: object, message: str) -> None:
    assert str(error_of(400, json.dumps(body))) == message
